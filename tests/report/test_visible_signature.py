"""A signature line shows who signed, when and why; several people sign one after the other; nobody changes the rest."""

from datetime import UTC, datetime
from io import BytesIO

import pypdfium2
import pytest
from pypdfium2 import raw
from signing_keys import SECRET, Authority

from auditor.errors import ConfigError, VerificationError
from auditor.report.page import pdf, pdf_reading, signature_stamp, signatures, signing, templates
from auditor.report.page.signing import SignatureOptions
from auditor.report.page.signing_key import Key

REASON = "有条件通过：须再测 500 篇文档"


@pytest.fixture(autouse=True)
def _passphrase(monkeypatch):
    monkeypatch.setenv("AUDITOR_SIGNING_PASSPHRASE", SECRET.decode())


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    authority = Authority(tmp_path_factory.mktemp("keys"))
    for file, name in (("ada", "Ada Reviewer"), ("wang", "王小明"), ("eve", "Eve")):
        authority.issue(file, name)
    return authority.folder


@pytest.fixture(scope="module")
def made():
    """The sign-off of a report in Chinese, with a line for each of two."""
    styles = templates.read("report.css") + templates.read("sections/front.css")
    page = f'<html lang="zh-Hans"><title>签字</title><style>{styles}</style><h1>签字</h1>'
    for name in ("Ada Reviewer", "王小明"):
        cells = f"<p>{name}</p><p>决定与条件</p><p>日期与签字</p>"
        page += f'<div class="signatures" data-signature="日期与签字：{name}">{cells}</div>'
    return pdf.write(page, "2026-01-01T00:00:00Z", None, {})


@pytest.fixture(scope="module")
def first(made, keys):
    """Its PDF, signed by the second reviewer, with a reason."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUDITOR_SIGNING_PASSPHRASE", SECRET.decode())
        return signing.sign(made, Key(keys / "wang.p12"), SignatureOptions(True, reason=REASON))


def shown(content):
    """The text of page one, what its fields show included."""
    document = pypdfium2.PdfDocument(content)
    page = document[0]
    raw.FPDFPage_Flatten(page, raw.FLAT_PRINT)
    page.close()
    return " ".join(document[0].get_textpage().get_text_range().split())


def fields(content):
    """Name → words and whether it is signed, of the fields of a PDF."""
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.fields import enumerate_sig_fields

    found = enumerate_sig_fields(PdfFileReader(BytesIO(content)))
    return {name: (str(ref.get_object()["/TU"]), value is not None) for name, value, ref in found}


def test_a_line_shows_signer_time_and_reason_in_the_language_of_the_report(first, made):
    (signature,) = signatures.verify(first)
    time = signature.time.replace("T", " ")
    assert (signature.signer, signature.reason) == ("王小明", REASON)
    before, after = shown(made), shown(first)
    assert f"{REASON} 王小明 数字签名于 {time}" in after
    assert f"数字签名于 {time}" not in before


def test_everybody_signs_on_their_own_line(first, keys):
    assert fields(first) == {
        "signature-1": ("日期与签字：Ada Reviewer", False), "signature-2": ("日期与签字：王小明", True),
    }  # fmt: skip
    both = signing.sign(first, Key(keys / "ada.p12"), SignatureOptions(True))
    found = signatures.verify(both, [keys / "root.pem"])
    assert [(one.signer, one.is_trusted) for one in found] == [("王小明", True), ("Ada Reviewer", True)]
    assert both.startswith(first)
    assert shown(both).count("数字签名于") == 2
    with pytest.raises(ConfigError, match="every line for Eve is signed already"):
        signing.sign(both, Key(keys / "eve.p12"), SignatureOptions(True))


def test_a_line_that_another_program_signed_is_read_and_followed_by_ours(made, keys):
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import signers

    other = signers.SimpleSigner.load_pkcs12(str(keys / "eve.p12"), passphrase=SECRET)
    metadata = signers.PdfSignatureMetadata(field_name="signature-1", reason="Seen")
    content = signers.sign_pdf(IncrementalPdfFileWriter(BytesIO(made)), metadata, other).getvalue()
    both = signing.sign(content, Key(keys / "wang.p12"), SignatureOptions(True))
    found = signatures.verify(both, [keys / "root.pem"])
    assert [(one.signer, one.reason) for one in found] == [("Eve", "Seen"), ("王小明", None)]


def test_what_is_signed_covers_no_text(first, made):
    assert pdf_reading.read(first) == pdf_reading.read(made)
    assert pdf_reading.read(first).annotated == ()


def turned(writer, *_):
    from pyhanko.pdf_utils.generic import NumberObject, pdf_name

    page = writer.root["/Pages"]["/Kids"][0]
    page[pdf_name("/Rotate")] = NumberObject(90)
    writer.update_container(page)


def translated(writer, *_):
    from pyhanko.pdf_utils.generic import pdf_name, pdf_string

    writer.root[pdf_name("/Lang")] = pdf_string("en")
    writer.update_root()


def drawn_anew(writer, _, signed):
    from pyhanko.pdf_utils.generic import DictionaryObject, StreamObject, pdf_name

    blank = writer.add_object(StreamObject(stream_data=b""))
    signed.get_object()[pdf_name("/AP")] = DictionaryObject({pdf_name("/N"): blank})
    writer.mark_update(signed)


def moved(writer, empty, _):
    from pyhanko.pdf_utils.generic import ArrayObject, FloatObject, pdf_name

    empty.get_object()[pdf_name("/Rect")] = ArrayObject(map(FloatObject, (40, 700, 300, 800)))
    writer.mark_update(empty)


def one_field_more(writer, *_):
    from pyhanko.sign.fields import SigFieldSpec, append_signature_field

    append_signature_field(writer, SigFieldSpec("more", box=(40, 700, 300, 800)))


def updated(content, change):
    """The PDF with a change appended; given the writer and the first two signature fields."""
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign.fields import enumerate_sig_fields

    writer, out = IncrementalPdfFileWriter(BytesIO(content)), BytesIO()
    change(writer, *(reference for _, _, reference in enumerate_sig_fields(writer)))
    writer.write(out)
    return out.getvalue()


@pytest.mark.parametrize("change", [turned, translated, drawn_anew, moved, one_field_more])
def test_a_change_between_two_signatures_is_found(first, keys, change):
    made = signing.sign(updated(first, change), Key(keys / "eve.p12"), SignatureOptions(True))
    with pytest.raises(VerificationError, match=r"after the signature of 王小明, .*; only signature"):
        signatures.verify(made)


def test_a_field_over_text_is_found(made):
    assert pdf_reading.read(updated(made, moved)).annotated == (1,)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (SignatureOptions(True, 2), "line 2 is signed already"),
        (SignatureOptions(True, 3), "it has 2 signature lines, and no line 3"),
        (SignatureOptions(), r"signed already; one signature more stands on a signature line \(--visible\)"),
        (SignatureOptions(True, reason="x" * 71), "the reason has 71 characters; expected at most 70"),
    ],
)
def test_where_nobody_can_sign_is_one_line(first, keys, options, told):
    with pytest.raises(ConfigError, match=told):
        signing.sign(first, Key(keys / "ada.p12"), options)


def test_a_pdf_without_lines_is_one_line(keys):
    document, out = pypdfium2.PdfDocument.new(), BytesIO()
    document.new_page(100, 100)
    document.save(out)
    with pytest.raises(ConfigError, match="has no signature lines"):
        signing.sign(out.getvalue(), Key(keys / "ada.p12"), SignatureOptions(True))


def test_whoever_signs_fits_into_the_line():
    moment = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
    for signer, reason in (("Ada", None), ("王小明" * 20, "有条件通过" * 14), ("<b>&amp; 김" * 9, "x" * 70)):
        document = pypdfium2.PdfDocument(signature_stamp.draw((290.3, 18.0), signer, moment, reason))
        text = "".join(document[0].get_textpage().get_text_range().split())
        assert len(document) == 1
        assert text.endswith("Digitallysigned2026-05-0403:02:01+00:00")
        assert signer[:3] in text
        assert (reason or "") in text
