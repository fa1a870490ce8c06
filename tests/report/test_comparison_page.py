"""The page on two runs: what changed stands there, and text from a corpus stays text."""

import random
import re
from dataclasses import replace

import pytest

from auditor import report
from auditor.findings.comparing import Since, compare, write
from auditor.findings.comparing.types import HeadChanges, MovedDocument, Movement
from auditor.records.types import Document
from auditor.report.branding import fonts
from auditor.report.page import pdf_reading, record
from auditor.report.sections import changed as digest
from auditor.report.sections import comparison as sections
from auditor.running import proving
from tests.findings.two_nights import PROBES, answered, night
from tests.findings.worked_example import evidence, explanation, with_rows

WRONG = {"predicted": ("positive",), "probabilities": (0.1, 0.9)}
HOSTILE = "</script><b>{{7*7}}</b>\u202egood"


def changed(**plan):
    """The worked example, ten of whose answers went wrong and nine of whose explanations drifted."""
    moved = {f"d{i:02}": explanation(i, weights=(0.5, 0.02, 0.0, 0.0, 0.05, -0.4)) for i in range(12, 20)}
    facts = answered(evidence(), **{f"d{i:02}": WRONG for i in range(2, 12)})
    return night(with_rows(facts, lime={**facts.rows["lime"], **moved}), **plan)


def page_of(before, after):
    return report.render_comparison(compare(before, after), before, after)


@pytest.fixture(scope="module", autouse=True)
def without_fonts():
    """Fonts take longer than everything else, and other tests are about them."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(fonts, "embed", lambda _: "")
        yield


@pytest.fixture(scope="module")
def page():
    return page_of(night(), changed(seed=1))


def text_of(page):
    return " ".join(re.sub(r"<[^>]+>", " ", page.partition("<main")[2]).split())


@pytest.mark.parametrize(
    "said",
    [
        "The only number that is judged got worse: Accuracy",
        "Accuracy 0.85 → 0.60 −0.25",
        "✗ worse",
        "Caution Seed 0 1 What was drawn at random differs",
        "10 of 40 answers changed: 10 were right before and 0 are right now.",
        "d02",
        "Before: negative 0.85",
        "After: positive 0.90",
        "LIME: 8 of 29 documents with the same answer are explained by other words.",
        "not: +0.31 → 0.00",
        "40 documents are in both runs.",
    ],
)
def test_the_page_says_what_changed(page, said):
    words = text_of(page)
    assert said in words


def test_the_page_is_one_file_that_asks_for_nothing(page):
    assert "default-src &#39;none&#39;" in page
    assert not re.search(r'(src|href)="(?!data:|#)', page)
    assert "style=" not in page


def test_runs_that_are_alike_give_a_short_page():
    words = text_of(page_of(night(), night()))
    assert "The plans of both runs are alike" in words
    assert "The only number that is judged did not get worse" in words
    assert "Documents that moved" not in words


@pytest.mark.parametrize(
    ("change", "tone", "word"),
    [
        ("worse", "fail", "✗ worse"),
        ("better", "pass", "✓ better"),
        ("changed", "watch", "▲ changed"),
        ("small", "not-judged", "– below floor"),
        ("none", "not-judged", "– none found"),
    ],
)
def test_a_change_has_sign_and_word(change, tone, word):
    one = compare(night(), changed()).numbers[0].model_copy(update={"change": change})
    *_, result = sections._row(one)
    assert result == f'<span class="result {tone}">{word}</span>'


def test_numbers_that_are_judged_stand_apart_from_the_others():
    made = compare(night(), changed())
    first, second = sections.numbers_tables(made)
    assert [row[0] for row in first.rows] == [one.title for one in made.numbers if one.judged] == ["Accuracy"]
    assert len(second.rows) == len(made.numbers) - 1 > 0


def test_the_chapter_of_a_report_lists_documents_of_one_run_only():
    before, after = night(), changed()
    fewer = replace(after, evidence=replace(after.evidence, documents=after.evidence.documents[:-3]))
    for later, is_listed in ((after, False), (fewer, True)):
        made = compare(before, later)
        captions = [table.caption for table, _ in digest.compose(Since(made, before, later)).content["tables"]]
        assert (sections.documents_table(made).caption in captions) is is_listed


def test_heads_and_documents_that_moved_are_counted():
    heads = HeadChanges(probe="attention", n=40, n_heads=48, n_changed=3, floor=0.05, heads=())
    assert sections._heads([heads]).answer == "3 of 48 heads changed their mean entropy by at least 0.05 nats."
    rows = (MovedDocument(document_id="d01", before=0.5, after=0.25),)
    moved = Movement(name="entropy", title="Entropy", unit="nats", probe="prediction", n=40, n_moved=7, documents=rows)
    assert sections._movements([moved], night()).answer == "Entropy (prediction): 7 of 40 documents moved."


def test_a_refused_number_says_why():
    lime = replace(PROBES["lime"], parameters={"n_samples": 200})
    words = text_of(page_of(night(), night(probes={**PROBES, "lime": lime})))
    assert "LIME fidelity Not compared: The probe was asked with other parameters." in words
    assert "Refused Probe lime n_samples = 1000 n_samples = 200" in words


def test_hostile_texts_stay_texts():
    def hostile(side):
        documents = tuple(Document(**{**_fields(d), "text": HOSTILE}) for d in side.evidence.documents)
        return replace(side, evidence=replace(side.evidence, documents=documents))

    page = page_of(hostile(night()), hostile(changed()))
    assert "<b>{{" not in page
    assert "&lt;/script&gt;&lt;b&gt;{{7*7}}" in page
    assert "[U+202E]" in page


def _fields(document):
    return {name: getattr(document, name) for name in ("id", "labels", "metadata")}


def test_the_chinese_page_is_chinese():
    after = changed()
    presentation = after.context.presentation.model_copy(update={"language": "zh"})
    after = replace(after, context=replace(after.context, presentation=presentation))
    page = page_of(night(), after)
    assert '<html lang="zh' in page
    words = text_of(page)
    assert "哪些回答改变了？" in words
    assert "Which answers" not in words


def test_sections_with_nothing_to_say_are_left_out():
    before = night(replace(evidence(), rows={"perplexity": evidence().rows["perplexity"]}), checks={})
    assert [s.id for s in sections.compose(compare(before, before), before, before)] == ["numbers", "documents"]


@pytest.fixture(scope="module")
def pdf(page, tmp_path_factory):
    before, after = night(), changed(seed=1)
    made = compare(before, after)
    said = report.read_said_of_comparison(made, before, after)
    path = tmp_path_factory.mktemp("comparison") / "changes.pdf"
    path.write_bytes(report.render_comparison_pdf(page, made, {"comparison.json": write(made)}, said))
    return path


def test_the_pdf_has_the_comparison_attached_and_verifies(pdf):
    paper = pdf_reading.read(pdf.read_bytes())
    assert paper.attachments.keys() == {"comparison.json", "printed.json"}
    assert paper.attachments["comparison.json"] == write(compare(night(), changed(seed=1)))
    verified = proving.verify_pdf(pdf)
    assert verified.faults == []
    recorded = record.count(record.read(paper.attachments["printed.json"]))
    assert recorded.attached > 100 > recorded.made
    assert f"{recorded.attached:,} are those of what is attached" in verified.notes[0]


def test_every_digit_that_is_changed_on_the_pages_of_a_comparison_is_found(pdf, monkeypatch):
    paper, draw = pdf_reading.read(pdf.read_bytes()), random.Random(0)
    digits = [(n, at) for n, page in enumerate(paper.pages) for at, c in enumerate(page) if c.isdecimal()]
    for number, at in draw.sample(digits, 100):
        page = paper.pages[number]
        other = draw.choice([digit for digit in "0123456789" if digit != page[at]])
        pages = [*paper.pages[:number], page[:at] + other + page[at + 1 :], *paper.pages[number + 1 :]]
        monkeypatch.setattr(pdf_reading, "read", lambda _, pages=pages: replace(paper, pages=tuple(pages)))
        assert any(f"page {number + 1}: " in fault.problem for fault in proving.verify_pdf(pdf).faults)


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("comparison.json", lambda content: content.replace(b'"before": 0.85,', b'"before": 0.86,'), "says 0.86"),
        ("comparison.json", lambda content: content.replace(b'"n_broken": 10', b'"n_broken": 3'), "answers: expected"),
        ("comparison.json", lambda content: content.replace(b'"before": 0.9,', b'"before": 0.3,'), "0.30 → 0.40"),
        ("comparison.json", lambda _: b"[" * 100_000, "comparison.json: "),
        ("comparison.json", lambda _: b"{}", "comparison.json: presentation: field required"),
        ("printed.json", lambda _: b"{}", "printed.json: "),
        ("printed.json", None, "changes.pdf: printed.json is not attached"),
    ],
)
def test_an_attachment_of_a_comparison_that_was_changed_is_found(pdf, monkeypatch, name, change, told):
    paper = pdf_reading.read(pdf.read_bytes())
    others = {key: content for key, content in paper.attachments.items() if key != name}
    changed_too = {name: change(paper.attachments[name])} if change else {}
    monkeypatch.setattr(pdf_reading, "read", lambda _: replace(paper, attachments={**others, **changed_too}))
    assert any(told in str(fault) for fault in proving.verify_pdf(pdf).faults)
