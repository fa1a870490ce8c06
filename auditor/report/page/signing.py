"""Signs a PDF with pyHanko, the extra `auditor[sign]`.

A signature is PAdES-B-B (ETSI EN 319 142-1; with a timestamp PAdES-B-T), by an incremental update: what was there stays
as it was. It stands in one of two places:

    visible     in the field of a signature line (`signature_lines`), which shows signer, time and reason: of the line
                that names the signer, else of the first that is free. Lines can be signed one after the other.
    invisible   in a field of its own outside of the page, named in words, as PDF/UA-1 demands, with the flag for
                printing, as PDF/A-3 does. It comes first or not at all: what is signed is signed again on a line only.
"""

import io
import re
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from auditor.errors import ConfigError
from auditor.languages import HTML_TAGS, say, speaking
from auditor.report.page import signature_lines, signature_stamp
from auditor.report.page.signatures import is_signed, name_of
from auditor.report.page.signing_key import Key, open_signer

FIELD = "auditor-signature"
_LONGEST = 70
"""Characters of a reason: in any script three lines of the smallest print."""


@dataclass(frozen=True, slots=True)
class SignatureOptions:
    """How a report is to be signed."""

    is_visible: bool = False
    """Whether on a signature line."""
    line: int | None = None
    """Which, from 1; None for the one that names the signer, else the first that is free."""
    reason: str | None = None
    """Why it is signed, in at most 70 characters."""


@dataclass(frozen=True, slots=True)
class _Line:
    name: str
    title: str
    size: tuple[float, float]
    """Width and height in points."""
    is_free: bool


def require_signer(key: Key, options: SignatureOptions) -> None:
    """Opens the key, so that a wrong one is found before any work.

    Raises:
        InstallationError: pyHanko is not installed.
        ConfigError: the key, the certificate or the passphrase is not there or wrong, or nobody could trust it; the
            timestamp server has no address; the reason is too long.
    """
    _opened(key, options)


def _opened(key: Key, options: SignatureOptions) -> Any:
    """PyHanko's signer; raises as `require_signer`."""
    signer = open_signer(key)
    if key.timestamp and not key.timestamp.startswith(("http://", "https://")):
        raise ConfigError(f"expected the address of a timestamp server (https://…), found {key.timestamp}")
    if options.reason and len(options.reason) > _LONGEST:
        raise ConfigError(f"the reason has {len(options.reason)} characters; expected at most {_LONGEST}, for one line")
    return signer


def sign(content: bytes, key: Key, options: SignatureOptions | None = None) -> bytes:
    """The PDF with a signature.

    Raises:
        InstallationError: pyHanko is not installed.
        ConfigError: the key cannot be used, there is no place for the signature, or the timestamp server does not
            answer.
        PdfUnavailableError: what a visible signature shows cannot be drawn on this machine.
    """
    options = options or SignatureOptions()
    signer, moment = _opened(key, options), datetime.now().astimezone()
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    writer = IncrementalPdfFileWriter(io.BytesIO(content))
    with speaking(_language(writer)), tempfile.TemporaryDirectory(prefix="auditor-signature-") as folder:
        if options.is_visible:
            line = _chosen(_lines(writer), name_of(signer.signing_cert), options.line)
            stamp = Path(folder) / "stamp.pdf"
            stamp.write_bytes(signature_stamp.draw(line.size, name_of(signer.signing_cert), moment, options.reason))
            placed = {"stamp_style": _style(stamp)}
        elif is_signed(content):
            raise ConfigError(
                "it is signed already; one signature more stands on a signature line (--visible), and "
                "`auditor report RUN` renders the report without any"
            )
        else:
            line, placed = None, {"new_field_spec": _outside()}
        return _signed(writer, signer, key, moment, line.name if line else FIELD, options.reason, placed)


def _signed(
    writer: Any, signer: Any, key: Key, moment: datetime, field: str, reason: str | None, placed: dict[str, Any]
) -> bytes:
    from pyhanko.sign import fields, signers, timestamps
    from pyhanko.sign.general import SigningError

    class Signer(signers.PdfSigner):  # type: ignore[misc]
        """Signs at the moment that is shown."""

        def init_signing_session(self, *args: Any, **kwargs: Any) -> Any:
            """A session of pyHanko."""
            session = super().init_signing_session(*args, **kwargs)
            session.system_time = moment
            return session

    metadata = signers.PdfSignatureMetadata(
        field_name=field, subfilter=fields.SigSeedSubFilter.PADES, md_algorithm=_digest(signer), reason=reason
    )
    server = timestamps.HTTPTimeStamper(key.timestamp) if key.timestamp else None
    try:
        pdf_signer = Signer(metadata, signer, timestamper=server, **placed)
        with ThreadPoolExecutor(1) as elsewhere:  # pyHanko runs an event loop: a notebook has one in its thread
            made = elsewhere.submit(pdf_signer.sign_pdf, writer).result()
    except SigningError as error:
        raise ConfigError(f"{key.path}: nothing was signed: {error}") from error
    except (OSError, ValueError) as error:  # a server may answer anything
        if not key.timestamp:
            raise
        cause = str(error.__cause__ or error) or type(error.__cause__ or error).__name__
        raise ConfigError(f"nothing was signed: no timestamp came from {key.timestamp}: {cause}") from error
    return bytes(made.getvalue())


def _digest(signer: Any) -> str:
    """The hash that is signed: SHA-256, but for Ed25519, which has its own."""
    return "sha512" if signer.signing_cert.public_key.algorithm == "ed25519" else "sha256"


def _outside() -> Any:
    """A field outside of the page."""
    from pyhanko.sign import fields

    hidden = fields.InvisSigSettings(set_print_flag=True, set_hidden_flag=False, box_out_of_bounds=True)
    title = say("Signature of this report")
    return fields.SigFieldSpec(FIELD, readable_field_name=title, invis_sig_settings=hidden)


def _style(stamp: Path) -> Any:
    """What draws a page of a PDF, and nothing else, into a field of its size."""
    from pyhanko.pdf_utils import layout
    from pyhanko.stamp import StaticStampStyle

    whole = layout.SimpleBoxLayoutRule(
        layout.AxisAlignment.ALIGN_MIN, layout.AxisAlignment.ALIGN_MIN, layout.Margins.uniform(0)
    )
    return StaticStampStyle.from_pdf_file(str(stamp), border_width=0, background_layout=whole)


def _lines(writer: Any) -> list[_Line]:
    """The signature lines of a report, in their order."""
    from pyhanko.sign.fields import enumerate_sig_fields

    lines = []
    for name, value, reference in enumerate_sig_fields(writer):
        field = reference.get_object()
        if signature_lines.is_line(name):
            left, low, right, high = map(float, field["/Rect"])
            lines.append(_Line(name, str(field["/TU"]), (right - left, high - low), value is None))
    return lines


def _chosen(lines: Sequence[_Line], signer: str, number: int | None) -> _Line:
    """The line of this number, else the one that names the signer, else the first that is free.

    Raises:
        ConfigError: there is none, or it is signed.
    """
    if not lines:
        raise ConfigError(
            "it has no signature lines for a visible signature: `auditor report RUN` draws it with them, unless a "
            "template of your own leaves them out"
        )
    if number is not None:
        if not 1 <= number <= len(lines):
            raise ConfigError(f"it has {len(lines)} signature lines, and no line {number}")
        named = [lines[number - 1]]
    else:
        words = re.compile(rf"(?<!\w){re.escape(signer)}(?!\w)", re.IGNORECASE)
        named = [line for line in lines if words.search(line.title)] or list(lines)
    free = [line for line in named if line.is_free]
    if not free:
        what = f"line {number}" if number is not None else f"every line for {signer}"
        raise ConfigError(f"{what} is signed already; reviewers under [report] gives each their line")
    return free[0]


def _language(writer: Any) -> Any:
    """The language of a report, by what its PDF says; English where that says nothing."""
    tag = str(writer.root.get("/Lang", ""))
    return next((language for language, known in HTML_TAGS.items() if known == tag), "en")
