"""The pages of a PDF are held against what is attached: a number that was changed on either side is named."""

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pypdfium2
import pytest
from invented_runs import tiny
from printed_runs import small_run
from pypdfium2 import raw

from auditor import findings
from auditor.errors import VerificationError
from auditor.languages import speaking
from auditor.records import plan as plans
from auditor.records.sums import sha256
from auditor.report import render_html
from auditor.report.drawing import formats
from auditor.report.page import pdf, pdf_reading, printed, record
from auditor.running import proving
from tests.document.checkers import or_fail, program
from tests.records.planned import planned

EXAMPLES = Path(__file__).parents[2] / "reports"
REPORTS = {
    "language-model": None,
    "classifier": None,
    "chinese": None,
    "scripts": None,
    "hostile-chooser": None,
    "example": EXAMPLES / "example/report.pdf",
    "example-zh": EXAMPLES / "example-zh/report.pdf",
}


def paper_of(path):
    paper = pdf_reading.read(path.read_bytes())
    content = paper.attachments["findings.json"]
    return paper, findings.read(content), sha256(content)


@pytest.fixture(scope="module", params=["example", "example-zh"])
def example(request):
    return paper_of(REPORTS[request.param])


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_that_was_written_is_sound(report, name):
    paper, found, digest = paper_of(REPORTS[name] or report(name).pdf)
    assert printed.faults(paper.pages, found, digest) == []
    recorded = record.read(paper.attachments[record.FILE])
    assert list(record.faults(paper.pages, recorded, record.parse(paper.attachments))) == []
    assert paper.annotated == ()


def test_numbers_of_the_comparison_that_is_attached_may_be_printed_too(example):
    paper, found, digest = example
    pages = [*paper.pages[:1], f"{paper.pages[1]}\n0.00 0.00–0.26\n", *paper.pages[2:]]
    (fault,) = printed.faults(pages, found, digest)
    assert "0.00 0.00–0.26" in fault
    drift = {"drifts": [{"share": {"value": 0.0, "low": 0.0, "high": 0.25883}}]}
    assert printed.faults(pages, found, digest, comparison=drift) == []


def test_a_hyphen_at_which_a_line_ends_is_no_fault(example, monkeypatch):
    paper, found, digest = example
    monkeypatch.setattr(printed, "_texts", lambda _: [("here", "1838-martin-van-buren 1.43")])
    for page, n_faults in (("1838-martin-van\ufffeburen\r\n1.43", 0), ("1838-martin-van\ufffeburen 1.48", 1)):
        pages = [paper.pages[0] + page, *paper.pages[1:]]
        assert len([fault for fault in printed.faults(pages, found, digest) if "here" in fault]) == n_faults


def changed(text):
    """A number with its last digit changed."""
    return text[:-1] + str((int(text[-1]) + 3) % 10)


def everywhere(pages, old, new):
    """For each place in which a text stands: pages with another text there, and the number of the page."""
    for i, page in enumerate(pages):
        for match in re.finditer(rf"(?<![\d.,]){re.escape(old)}(?![\d.])", page):
            yield i + 1, [*pages[:i], page[: match.start()] + new + page[match.end() :], *pages[i + 1 :]]


def test_a_changed_accuracy_is_found_in_every_place_of_page_one_and_of_its_table(example):
    paper, found, digest = example
    accuracy = next(number for number in found.numbers if number.name == "accuracy")
    with speaking(found.presentation.language):
        value, row = formats.value(accuracy), f"{formats.value(accuracy)} {formats.interval(accuracy)}"
    places = list(everywhere(paper.pages[:2], value, changed(value)))
    assert len(places) >= 4
    for number, pages in places:
        faults = printed.faults([*pages, *paper.pages[2:]], found, digest)
        assert faults, pages[number - 1]
        assert any(fault.startswith(f"page {number}: ") for fault in faults)
    for number, pages in everywhere(paper.pages, row, row.replace(value, changed(value))):
        assert any(
            changed(value) in fault for fault in printed.faults(pages, found, digest) if f"page {number}" in fault
        )


def test_a_changed_end_of_an_interval_is_named_wherever_it_stands(example):
    paper, found, digest = example
    for one in found.key_numbers:
        with speaking(found.presentation.language):
            ends = formats.interval(one)
        low = ends.split("–")[0]
        for number, pages in everywhere(paper.pages, ends, ends.replace(low, changed(low), 1)):
            named = [fault for fault in printed.faults(pages, found, digest) if fault.startswith(f"page {number}: ")]
            assert any(changed(low) in fault or one.title in fault for fault in named)


def test_a_changed_size_of_the_sample_is_named(example):
    paper, found, digest = example
    check = found.checks[0]
    n = f"{check.number.n:,}"
    row = re.compile(rf"({re.escape(check.title)}\s.*?){n}", re.DOTALL)
    page = row.sub(rf"\g<1>{changed(n)}", paper.pages[0].replace("\r", ""), count=1)
    [fault] = printed.faults([page, *paper.pages[1:]], found, digest)
    assert fault.startswith(f"page 1: {check.title}: expected “")


def test_findings_that_were_changed_are_found_on_the_pages(example):
    paper, found, digest = example
    first = found.key_numbers[0]
    other = first.model_copy(update={"value": first.value - 0.2})
    forged = found.model_copy(update={"key_numbers": (other, *found.key_numbers[1:])})
    assert printed.faults(paper.pages, forged, digest)[0].startswith(f"page 1: {first.title}: expected “")
    faults = printed.faults(paper.pages, found, "0" * 64)
    assert len(faults) == len(paper.pages)
    assert "does not name the attached findings.json, sha256 00000000…000000" in faults[0]


def test_a_page_that_was_taken_out_is_found(example):
    paper, found, digest = example
    faults = printed.faults([*paper.pages[:2], *paper.pages[3:]], found, digest)
    assert len(faults) >= len(paper.pages) - 1, "every page says of how many it is one"
    assert re.fullmatch(r"page 1: expected “.*” at its foot", faults[0])


def test_an_interval_that_a_document_quotes_is_no_number_of_ours(example):
    paper, found, digest = example
    quoted = "hazard ratio 0.7812 (0.6634–0.9356), p < 0.01"
    pages = [*paper.pages[:-1], f"{paper.pages[-1]}\n{quoted}"]
    [fault] = printed.faults(pages, found, digest)
    assert "0.7812 (0.6634–0.9356 is printed, which is no number of findings.json" in fault
    assert printed.faults(pages, found, digest, [quoted]) == []


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A small report, and how to make another of its page and attachments."""
    found, evidence = tiny()
    plan = replace(planned(1), run_id=found.run_id)
    found = found.model_copy(update={"plan_id": plan.id})
    attached = {"findings.json": findings.write(found), "plan.json": plans.write(plan)}
    html, folder = render_html(found, evidence), tmp_path_factory.mktemp("made")

    def make(text=html, attachments=attached):
        path = folder / "report.pdf"
        path.write_bytes(pdf.render(text, found, attachments))
        return path

    return make, html, attached


def test_a_pdf_alone_is_sound_and_one_with_a_changed_page_or_attachment_is_not(made):
    make, html, attached = made
    assert proving.verify_pdf(make()).faults == []
    row = "<td>0.21–1.00</td>" if "<td>0.21–1.00</td>" in html else "0.21–1.00"
    faults = list(map(str, proving.verify_pdf(make(html.replace(row, row.replace("0.21", "0.81")))).faults))
    assert any(fault.startswith("report.pdf: page 1: Accuracy: expected “") for fault in faults)
    assert any("0.81–1.00 is printed" in fault for fault in faults)
    printed_on = [record.numbers(page) for page in pdf_reading.read(make().read_bytes()).pages]
    told = f"{sum(map(len, printed_on))} numbers on {len(printed_on)} pages"
    assert [note.split(":")[0] for note in proving.verify_pdf(make()).notes] == [told]
    other = {**attached, "plan.json": attached["plan.json"].replace(b'"seed": 0', b'"seed": 1')}
    assert "is of run" in str(proving.verify_pdf(make(attachments=other)).faults[0])
    broken = {**attached, "findings.json": attached["findings.json"].replace(b'"n": 1', b'"n": "many"')}
    assert "findings.json: " in str(proving.verify_pdf(make(attachments=broken)).faults[0])


def test_a_number_of_a_chapter_that_is_drawn_otherwise_than_recorded_is_found(made, monkeypatch):
    make, html, _ = made
    written = pdf_reading.read(make().read_bytes()).attachments[record.FILE]
    monkeypatch.setattr(record, "write", lambda _: written)
    cell = '<td class="number">0.88</td>'
    faults = proving.verify_pdf(make(html.replace(cell, cell.replace("0.88", "0.98"), 1))).faults
    assert [re.sub(r"page \d+|after .*?,", "…", str(fault)) for fault in faults] == [
        "report.pdf: …: 0.98 is printed … where 0.88 was printed (printed.json)"
    ]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("audit.toml", b"", "printed.json is not attached: its pages are older"),
        ("printed.json", b"{", "printed.json: : invalid json"),
        ("printed.json", b'{"pages": [["1"]]}', "6 pages; printed.json has the numbers of 1"),
    ],
)
def test_a_record_that_was_taken_out_cut_or_exchanged_is_found(made, monkeypatch, name, content, told):
    make, _, attached = made
    path = make()
    paper = pdf_reading.read(path.read_bytes())
    monkeypatch.setattr(pdf_reading, "read", lambda _: replace(paper, attachments={**attached, name: content}))
    assert any(told in str(fault) for fault in proving.verify_pdf(path).faults)


def test_what_is_no_whole_report_is_refused_in_one_line(made, tmp_path):
    make, html, _ = made
    content = make().read_bytes()
    encrypted = tmp_path / "encrypted.pdf"
    command = [or_fail(lambda: program("qpdf", "qpdf")), "--encrypt", "user", "owner", "256", "--", make(), encrypted]
    subprocess.run(command, check=True)
    for name, data, told in (
        ("text", b"%PNG", "is no PDF"),
        ("cut", content[:-2000], "is cut off"),
        ("cut-and-closed", content[:3000] + b"\n%%EOF\n", "is (damaged|no report of auditor)"),
        ("locked", encrypted.read_bytes(), "is encrypted"),
        (
            "foreign",
            make(html, {}).read_bytes(),
            "is no report of auditor: findings.json and plan.json are not attached",
        ),
    ):
        path = tmp_path / f"{name}.pdf"
        path.write_bytes(data)
        with pytest.raises(VerificationError, match=rf"{name}\.pdf: {told}") as caught:
            proving.verify_pdf(path)
        assert "\n" not in str(caught.value)


def test_a_run_whose_pdf_carries_other_findings_or_whose_manifest_says_otherwise_is_found(tmp_path):
    run = small_run(tmp_path)
    assert proving.verify_run(run).faults == []
    run.write("comparison.json", b"{}")
    run.finish(run.manifest())
    assert [fault.path for fault in proving.verify_run(run).faults] == ["comparison.json"]
    run.remove("comparison.json")
    found = findings.read(run.read_bytes("findings.json"))
    forged = found.model_copy(update={"verdict": found.verdict.model_copy(update={"result": "pass"})})
    run.write("findings.json", findings.write(forged))
    run.finish(run.manifest())
    assert list(map(str, proving.verify_run(run).faults)) == [
        "manifest.json: has another verdict than findings.json",
        "report.pdf: the attached findings.json is not the one of the run",
    ]


def test_an_annotation_that_may_hide_a_number_is_found(made):
    make, _, _ = made
    document = pypdfium2.PdfDocument(make())
    raw.FPDFPage_CloseAnnot(raw.FPDFPage_CreateAnnot(document[0], raw.FPDF_ANNOT_SQUARE))
    covered = make().with_name("covered.pdf")
    document.save(covered)
    document.close()
    faults = list(map(str, proving.verify_pdf(covered).faults))
    assert faults == ["covered.pdf: page 1: has an annotation that may hide what is printed"]
