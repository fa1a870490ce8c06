"""Signs a PDF and looks at its signature; pyHanko, the extra `auditor[sign]`, is imported here only.

A signature is PAdES-B-B (ETSI EN 319 142-1; with a timestamp PAdES-B-T) in a field of its own without an appearance,
by an incremental update: the pages stay as they were. The field lies outside of the page and is named in words, as
PDF/UA-1 demands, and has the flag for printing, as PDF/A-3 does.

A signature is good if it covers the whole file, so that nothing was appended, its bytes are those that were signed,
and, where roots are given, its certificate comes from one of them. Certificates are not looked up anywhere: whether one
was revoked since is not known.
"""

import io
import logging
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from auditor.errors import ConfigError, InstallationError, VerificationError

_SILENT = logging.NullHandler()
FIELD = "auditor-signature"
_MARK = b"/ByteRange"
_USAGES = {"non_repudiation", "digital_signature"}


@dataclass(frozen=True, slots=True)
class Key:
    """Where the key lies, and how it is opened."""

    path: Path
    """PKCS #12 (`.p12`, `.pfx`) with key and certificate; else a key in PEM."""
    certificate: Path | None = None
    """In PEM, for a key in PEM; certificates of issuers may follow in the same file."""
    passphrase_variable: str = "AUDITOR_SIGNING_PASSPHRASE"
    """The variable of the environment that holds the passphrase; unset for a key without one."""
    timestamp: str | None = None
    """Address of a timestamp server (RFC 3161)."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature that covers the whole file and is intact."""

    signer: str
    """The subject of the certificate."""
    time: str
    """ISO 8601: of the timestamp, else as the signer's clock said."""
    is_timestamped: bool
    is_trusted: bool | None
    """Whether the certificate comes from one of the roots; None where none were given."""


def is_signed(content: bytes) -> bool:
    """Whether a PDF has a signature."""
    return _MARK in content


def require_signer(key: Key) -> None:
    """Opens the key, so that a wrong one is found before any work.

    Raises:
        InstallationError: pyHanko is not installed.
        ConfigError: the key, the certificate or the passphrase is not there or wrong.
    """
    _signer(key)


def sign(content: bytes, key: Key) -> bytes:
    """The PDF with a signature.

    Raises:
        InstallationError: pyHanko is not installed.
        ConfigError: the key cannot be used, the PDF is signed already, or the timestamp server does not answer.
    """
    signer = _signer(key)
    if is_signed(content):
        raise ConfigError("it is signed already; `auditor report RUN` renders it without the signature")
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import fields, signers, timestamps

    metadata = signers.PdfSignatureMetadata(
        field_name=FIELD, subfilter=fields.SigSeedSubFilter.PADES, md_algorithm="sha256"
    )
    hidden = fields.InvisSigSettings(set_print_flag=True, set_hidden_flag=False, box_out_of_bounds=True)
    field_spec = fields.SigFieldSpec(FIELD, readable_field_name="Signature of this report", invis_sig_settings=hidden)
    server = timestamps.HTTPTimeStamper(key.timestamp) if key.timestamp else None
    try:
        writer = IncrementalPdfFileWriter(io.BytesIO(content))
        pdf_signer = signers.PdfSigner(metadata, signer, timestamper=server, new_field_spec=field_spec)
        with ThreadPoolExecutor(1) as elsewhere:  # pyHanko runs an event loop: a notebook has one in its thread
            made = elsewhere.submit(pdf_signer.sign_pdf, writer).result()
    except (timestamps.TimestampRequestError, OSError) as error:
        raise ConfigError(f"the timestamp server {key.timestamp} does not answer: {error}") from error
    return bytes(made.getvalue())


def verify(content: bytes, roots: Sequence[Path] = ()) -> Signature:
    """The signature of a PDF.

    Args:
        content: Of the PDF.
        roots: Certificates in PEM; one of them must have issued the signer's, or be it.

    Raises:
        VerificationError: it has none or several, it does not cover the whole file, is not intact, or does not come
            from a root.
        InstallationError: pyHanko is not installed.
        ConfigError: a root cannot be read.
    """
    _require_package()
    from pyhanko.pdf_utils.misc import PdfError
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.general import SigningError
    from pyhanko.sign.validation.errors import SignatureValidationError

    try:
        signatures = PdfFileReader(io.BytesIO(content)).embedded_regular_signatures
        if len(signatures) != 1:
            raise VerificationError(f"has {len(signatures) or 'no'} signature{'s' * (len(signatures) != 1)}")
        _require_tight(content, [int(number) for number in signatures[0].byte_range])
        return _judged(signatures[0], roots)
    except (PdfError, SignatureValidationError, SigningError, ValueError, LookupError, TypeError) as error:
        raise VerificationError(f"its signature cannot be read: {error}") from error


def _require_tight(content: bytes, ranges: Sequence[int]) -> None:
    """Refuses anything but the signature, in its one form, in the gap that no signature can cover.

    Raises:
        VerificationError: there is more.
    """
    gap = content[ranges[0] + ranges[1] : ranges[2]]
    contained = bytes.fromhex(gap[1:-1].decode("ascii"))
    n = contained[1] & 0x7F if contained[1] & 0x80 else 0  # DER: bytes of the length, where it is a long one
    length = 2 + n + (int.from_bytes(contained[2 : 2 + n], "big") if n else contained[1])
    if gap != gap.upper() or contained[length:].strip(b"\0"):
        raise VerificationError("the room for its signature holds more than the signature: the file was changed")


def _judged(embedded: Any, roots: Sequence[Path]) -> Signature:
    from pyhanko.sign.validation import KeyUsageConstraints, validate_pdf_signature
    from pyhanko.sign.validation.status import SignatureCoverageLevel
    from pyhanko_certvalidator import ValidationContext

    context = ValidationContext(trust_roots=_certificates(roots), allow_fetching=False, revocation_mode="soft-fail")
    usage = KeyUsageConstraints(key_usage=_USAGES, match_all_key_usages=False)
    status = validate_pdf_signature(embedded, context, key_usage_settings=usage, skip_diff=True)
    signer = _name_of(status.signing_cert)
    if status.coverage != SignatureCoverageLevel.ENTIRE_FILE:
        raise VerificationError(f"the signature of {signer} does not cover the whole file: it was changed afterwards")
    if not (status.intact and status.valid):
        raise VerificationError(f"the signature of {signer} is not of these bytes: the file was changed")
    if roots and not status.trusted:
        raise VerificationError(f"the signature is by {signer}, whose certificate comes from none of the roots given")
    stamp = status.timestamp_validity
    moment = stamp.timestamp if stamp is not None else status.signer_reported_dt
    return Signature(
        signer=signer,
        time=moment.isoformat(timespec="seconds") if moment else "an unknown time",
        is_timestamped=stamp is not None and bool(stamp.intact and stamp.valid),
        is_trusted=bool(status.trusted) if roots else None,
    )


def _name_of(certificate: Any) -> str:
    names = certificate.subject.native
    return str(names.get("common_name") or certificate.subject.human_friendly)


def _signer(key: Key) -> Any:
    _require_package()
    from pyhanko.sign.signers import SimpleSigner

    text = os.environ.get(key.passphrase_variable)
    passphrase = text.encode() if text else None
    for path in filter(None, (key.path, key.certificate)):
        if not path.is_file():
            raise ConfigError(f"{path}: there is no such file; expected what a report is signed with")
    if key.path.suffix.lower() in (".p12", ".pfx"):
        signer = _loaded(lambda: SimpleSigner.load_pkcs12(str(key.path), passphrase=passphrase))
    elif key.certificate is None:
        raise ConfigError(f"{key.path}: a key in PEM needs its certificate (--certificate, certificate = …)")
    else:
        signer = _loaded(lambda: _from_pem(key.path, key.certificate, passphrase))
    if signer is None:
        state = "is set" if text else "is not set"
        raise ConfigError(
            f"{key.path}: the key cannot be opened: another format, or another passphrase than that of the variable "
            f"{key.passphrase_variable}, which {state}"
        )
    return _without_roots(signer)


def _without_roots(signer: Any) -> Any:
    """The signer, without certificates that vouch for themselves beside his own: they prove nothing in a signature."""
    from pyhanko.sign.signers import SimpleSigner
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    certificate_of_signer, store = signer.signing_cert, SimpleCertificateStore()
    store.register_multiple(
        [one for one in signer.cert_registry if one == certificate_of_signer or one.subject != one.issuer]
    )
    return SimpleSigner(signing_cert=certificate_of_signer, signing_key=signer.signing_key, cert_registry=store)


def _from_pem(path: Path, certificate: Path | None, passphrase: bytes | None) -> Any:
    """A signer of a key and its certificate, those of its issuers behind it."""
    from pyhanko.keys import load_certs_from_pemder, load_private_key_from_pemder
    from pyhanko.sign.signers import SimpleSigner
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    certificate_of_signer, *issuers = load_certs_from_pemder([str(certificate)])
    store = SimpleCertificateStore()
    store.register_multiple(issuers)
    return SimpleSigner(
        signing_cert=certificate_of_signer,
        signing_key=load_private_key_from_pemder(str(path), passphrase=passphrase),
        cert_registry=store,
    )


def _loaded(load: Callable[[], Any]) -> Any:
    """What pyHanko loads; None where it cannot."""
    try:
        return load()
    except (OSError, ValueError, TypeError):
        return None


def _certificates(paths: Sequence[Path]) -> list[Any]:
    from pyhanko.keys import load_certs_from_pemder

    try:
        return [certificate for path in paths for certificate in load_certs_from_pemder([str(path)])]
    except (OSError, ValueError) as error:
        raise ConfigError(f"a root of trust cannot be read: {error}; expected certificates in PEM") from error


def _require_package() -> None:
    if find_spec("pyhanko") is None:
        raise InstallationError("signatures need pyhanko, which is not installed: pip install 'auditor[sign]'")
    logging.getLogger("pyhanko").addHandler(_SILENT)  # what it logs is in the errors below
