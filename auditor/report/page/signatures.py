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
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from auditor.errors import ConfigError, InstallationError, VerificationError
from auditor.report.page import signed_revisions

_SILENT = logging.NullHandler()
_MARK = b"/ByteRange"
_USAGES = {"non_repudiation", "digital_signature"}


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


def _judged(embedded: Any, roots: Sequence[Path], *, is_last: bool) -> Signature:
    from pyhanko.sign.validation import KeyUsageConstraints, validate_pdf_signature
    from pyhanko.sign.validation.status import SignatureCoverageLevel
    from pyhanko_certvalidator import ValidationContext

    context = ValidationContext(trust_roots=_certificates(roots), allow_fetching=False, revocation_mode="soft-fail")
    usage = KeyUsageConstraints(key_usage=_USAGES, match_all_key_usages=False)
    status = validate_pdf_signature(embedded, context, key_usage_settings=usage, skip_diff=True)
    signer = name_of(status.signing_cert)
    covered = SignatureCoverageLevel.ENTIRE_FILE if is_last else SignatureCoverageLevel.ENTIRE_REVISION
    if status.coverage < covered:
        raise VerificationError(f"the signature of {signer} does not cover the whole file: it was changed afterwards")
    if not is_last and (change := signed_revisions.forbidden_change(embedded.reader, embedded.signed_revision)):
        raise VerificationError(f"after the signature of {signer}, {change}; only signature lines may be signed then")
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
        reason=_reason(embedded.sig_object),
    )


def _reason(signature: Any) -> str | None:
    said = signature.get("/Reason")
    return " ".join(str(said).split()) if said else None


def name_of(certificate: Any) -> str:
    """The common name of a certificate's subject, else all of it."""
    names = certificate.subject.native
    return str(names.get("common_name") or certificate.subject.human_friendly)


def _certificates(paths: Sequence[Path]) -> list[Any]:
    from pyhanko.keys import load_certs_from_pemder

    try:
        return [certificate for path in paths for certificate in load_certs_from_pemder([str(path)])]
    except (OSError, ValueError) as error:
        raise ConfigError(f"a root of trust cannot be read: {error}; expected certificates in PEM") from error


def require_package() -> None:
    """Refuses where pyHanko, which makes and reads signatures, is not installed.

    Raises:
        InstallationError: it is not.
    """
    if find_spec("pyhanko") is None:
        raise InstallationError("signatures need pyhanko, which is not installed: pip install 'auditor[sign]'")
    logging.getLogger("pyhanko").addHandler(_SILENT)  # what it logs is in the errors that are raised
