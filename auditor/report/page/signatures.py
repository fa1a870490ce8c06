"""Looks at the signatures of a PDF; pyHanko, the extra `auditor[sign]`, is imported here and in `signing` only.

A signature is good if its bytes are those that were signed and, where roots are given, its certificate comes from one
of them. The last one must cover the whole file, so that nothing was appended. One before it covers the file as it was
then; since then nothing may have changed but signature lines, each signed by somebody who is named too. Certificates
are not looked up anywhere: whether one was revoked since is not known.
"""

import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from auditor.errors import ConfigError, InstallationError, VerificationError
from auditor.report.page import signed_revisions

_SILENT = logging.NullHandler()
_MARK = b"/ByteRange"
USAGES = {"non_repudiation", "digital_signature"}
"""Of a certificate: one of them makes it one for signatures."""
_NOT_FOR_SIGNATURES = "is not made for signatures"
_NOT_TRUSTED = {
    "EXPIRED": "has expired ({until}), and no trusted timestamp proves that the signature is older",
    "OUT_OF_BOUNDS_NO_POE": "has expired ({until}), and no trusted timestamp proves that the signature is older",
    "NOT_YET_VALID": "is not valid yet",
    "CHAIN_CONSTRAINTS_FAILURE": _NOT_FOR_SIGNATURES,
    "CRYPTO_CONSTRAINTS_FAILURE": "is of a key or an algorithm too weak to be believed",
    "CRYPTO_CONSTRAINTS_FAILURE_NO_POE": "is of a key or an algorithm too weak to be believed",
}
_NO_ROOT = "comes from none of the roots given, or that of an issuer between them is missing"


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature that is intact, in a file that is what was signed."""

    signer: str
    """The subject of the certificate."""
    time: str
    """ISO 8601: of the timestamp, else as the signer's clock said."""
    is_timestamped: bool
    is_trusted: bool | None
    """Whether the certificate comes from one of the roots; None where none were given."""
    reason: str | None
    """Why it was signed, as the signer says."""


def is_signed(content: bytes) -> bool:
    """Whether a PDF has a signature."""
    return _MARK in content


def verify(content: bytes, roots: Sequence[Path] = ()) -> tuple[Signature, ...]:
    """The signatures of a PDF, in the order in which they were made.

    Args:
        content: Of the PDF.
        roots: Certificates in PEM; for each signature, one of them must have issued the signer's, or be it.

    Raises:
        VerificationError: it has none, one is not intact or comes from no root, or the file was changed after it.
        InstallationError: pyHanko is not installed.
        ConfigError: a root cannot be read.
    """
    require_package()
    from pyhanko.pdf_utils.misc import PdfError
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.general import SigningError
    from pyhanko.sign.validation.errors import SignatureValidationError

    try:
        embedded = PdfFileReader(io.BytesIO(content)).embedded_regular_signatures
        if not embedded:
            raise VerificationError("has no signature")
        for one in embedded:
            _require_tight(content, [int(number) for number in one.byte_range])
        return tuple(_judged(one, roots, is_last=one is embedded[-1]) for one in embedded)
    except (PdfError, SignatureValidationError, SigningError, ValueError, LookupError, TypeError) as error:
        problem = " ".join(str(error).split())
        raise VerificationError(f"its signature cannot be read: {problem}") from error


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


def _judged(embedded: Any, roots: Sequence[Path], *, is_last: bool) -> Signature:
    from pyhanko.sign.validation.status import SignatureCoverageLevel

    certificates = _certificates(roots)
    status = _validated(embedded, certificates)
    stamp = status.timestamp_validity
    if stamp is not None and stamp.trusted and not status.trusted:  # perhaps it has expired since
        status = _validated(embedded, certificates, stamp.timestamp)
    signer = name_of(status.signing_cert)
    covered = SignatureCoverageLevel.ENTIRE_FILE if is_last else SignatureCoverageLevel.ENTIRE_REVISION
    if status.coverage < covered:
        raise VerificationError(f"the signature of {signer} does not cover the whole file: it was changed afterwards")
    if not is_last and (change := signed_revisions.forbidden_change(embedded.reader, embedded.signed_revision)):
        raise VerificationError(f"after the signature of {signer}, {change}; only signature lines may be signed then")
    if not (status.intact and status.valid):
        raise VerificationError(f"the signature of {signer} is not of these bytes: the file was changed")
    if roots and not status.trusted:
        raise VerificationError(f"the signature is by {signer}, whose certificate {_why_not(status)}")
    moment = stamp.timestamp if stamp is not None else status.signer_reported_dt
    return Signature(
        signer=signer,
        time=moment.isoformat(timespec="seconds") if moment else "an unknown time",
        is_timestamped=stamp is not None and bool(stamp.intact and stamp.valid),
        is_trusted=bool(status.trusted) if roots else None,
        reason=_reason(embedded.sig_object),
    )


def _validated(embedded: Any, roots: Sequence[Any], moment: datetime | None = None) -> Any:
    """What pyHanko says of a signature; certificate and issuers are judged at a moment, by default now."""
    from pyhanko.sign.validation import KeyUsageConstraints, validate_pdf_signature
    from pyhanko_certvalidator import ValidationContext

    offline = {"trust_roots": roots, "allow_fetching": False, "revocation_mode": "soft-fail"}
    usage = KeyUsageConstraints(key_usage=USAGES, match_all_key_usages=False)
    signer, clock = ValidationContext(**offline, moment=moment), ValidationContext(**offline)
    return validate_pdf_signature(embedded, signer, clock, key_usage_settings=usage, skip_diff=True)


def _why_not(status: Any) -> str:
    """Why a certificate is not trusted, to follow "whose certificate"."""
    indication, until = status.trust_problem_indic, status.signing_cert.not_valid_after
    text = _NOT_TRUSTED.get(indication.name, _NO_ROOT) if indication is not None else _NO_ROOT
    if text == _NOT_FOR_SIGNATURES and is_for_signatures(status.signing_cert):  # an issuer is not made to issue
        text = _NO_ROOT
    return text.format(until=f"{until:%Y-%m-%d}")


def _reason(signature: Any) -> str | None:
    said = signature.get("/Reason")
    return " ".join(str(said).split()) if said else None


def is_for_signatures(certificate: Any) -> bool:
    """Whether a certificate says that it is, or says nothing."""
    usage = certificate.key_usage_value
    return usage is None or bool(USAGES & usage.native)


def name_of(certificate: Any) -> str:
    """The common name of a certificate's subject, else all of it."""
    names = certificate.subject.native
    return str(names.get("common_name") or certificate.subject.human_friendly)


def _certificates(paths: Sequence[Path]) -> list[Any]:
    from pyhanko.keys import load_certs_from_pemder

    try:
        made = [certificate for path in paths for certificate in load_certs_from_pemder([str(path)])]
        for certificate in made:
            name_of(certificate)  # read only now
    except (OSError, ValueError, TypeError) as error:
        problem = (str(error).splitlines() or [""])[0]
        raise ConfigError(f"a root of trust cannot be read: {problem}; expected certificates in PEM") from error
    return made


def require_package() -> None:
    """Refuses where pyHanko, which makes and reads signatures, is not installed.

    Raises:
        InstallationError: it is not.
    """
    if find_spec("pyhanko") is None:
        raise InstallationError("signatures need pyhanko, which is not installed: pip install 'auditor[sign]'")
    logging.getLogger("pyhanko").addHandler(_SILENT)  # what it logs is in the errors that are raised
