"""The record of what pages print: every number with the value that it rounds, and where that value stands."""

import json
import math
import random

import jsonschema
import pytest
from invented_classifier import classifier

from auditor.errors import StoreError
from auditor.languages import speaking
from auditor.records.explanations import Integral
from auditor.records.types import Failure, Span
from auditor.report.page import pdf_reading, record, said
from auditor.report.page.record import Printed
from auditor.report.page.said import Formatted, Said

ACCURACY = {"title": "Accuracy", "value": 0.83, "low": 0.7718, "high": 0.8757, "n": 200}
ERROR = {"title": "Error", "value": 0.05512, "low": 0.0, "high": 0.10707, "n": 200}
ATTACHED = {"findings.json": {"numbers": [ACCURACY, ERROR], "mean_nats": 3.21987}, "plan.json": {"seed": 20.5}}
PAGES = (
    "Accuracy 0.83 0.77–0.88 200\r\nError 5.5% 0.00–0.11 200\r\nPage 1 of 2",
    "Perplexity 25.02; on 12 May 2026 movie-4041 weighs −0.26\r\nPage 2 of 2",
)
NUMBERS = [
    *(Formatted("0.83", 0.83), Formatted("0.77", 0.7718), Formatted("0.88", 0.8757), Formatted("200", 200)),
    *(Formatted("5.5", 100 * 0.05512), Formatted("0.00", 0.0), Formatted("0.11", 0.10707), Formatted("200", 200)),
    *(Formatted("25.02", math.exp(3.21987)), Formatted("12", None), Formatted("2026", None), Formatted("4041", None)),
    Formatted("−0.26", -0.26233),
]


EVIDENCE = {
    "evidence/lime": {"4041": Failure("4041", "blank", ""), "a/b": Span(3, 5), "c": {"weights": (0.1, -0.26233)}}
}
SAID = Said(NUMBERS, EVIDENCE)


@pytest.fixture(scope="module")
def made():
    return record.make(PAGES, SAID, ATTACHED)


def test_numbers_are_recorded_in_their_order_with_values_and_sources(made):
    first, second = made.pages
    numbers = "findings.json#/numbers"
    assert first == (
        Printed(text="0.83", value=0.83, source=f"{numbers}/0/value"),
        Printed(text="0.77", value=0.7718, source=f"{numbers}/0/low"),
        Printed(text="0.88", value=0.8757, source=f"{numbers}/0/high"),
        Printed(text="200", value=200, source=f"{numbers}/0/n"),
        Printed(text="5.5", value=100 * 0.05512, source=f"{numbers}/1/value", form="percent"),
        Printed(text="0.00", value=0, source=f"{numbers}/1/low"),
        Printed(text="0.11", value=0.10707, source=f"{numbers}/1/high"),
        Printed(text="200", value=200, source=f"{numbers}/1/n"),
        *("1", "2"),
    )
    perplexity, *texts, weight, page, pages = second
    assert (perplexity.source, perplexity.form) == ("findings.json#/mean_nats", "exponential")
    assert texts == ["12", "2026", "4041"]
    assert weight == Printed(text="−0.26", value=-0.26233, source="evidence/lime#/c/weights/1")
    assert (page, pages) == ("2", "2")
    assert record.count(made) == (17, 9, 1, 0, 7)


def test_a_record_is_read_as_it_was_written_and_is_as_its_schema_says(made):
    content = record.write(made)
    assert record.read(content) == made
    assert record.write(record.read(content)) == content
    jsonschema.validate(json.loads(content), record.schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"format": record.FORMAT, "pages": [[{"text": "1"}]]}, record.schema())
    for broken in (
        b"",
        b"\xff",
        b"[]",
        content.replace(b"printed/1", b"printed/9"),
        content.replace(b"0.83,", b"NaN,"),
    ):
        with pytest.raises(StoreError):
            record.read(broken)


def test_every_digit_that_is_changed_on_any_page_is_found(made):
    for i, page in enumerate(PAGES):
        for at, character in enumerate(page):
            for other in "0123456789" if character.isdecimal() and character != "0" else ():
                pages = [*PAGES[:i], page[:at] + other + page[at + 1 :], *PAGES[i + 1 :]]
                found = list(record.faults(pages, made, ATTACHED))
                assert found == [] if other == character else [f"page {i + 1}" in fault for fault in found]


@pytest.mark.parametrize(
    ("page", "told"),
    [
        (PAGES[0].replace("0.83", "0.93"), "0.93 is printed, where 0.83 was printed"),
        (PAGES[0].replace("0.77–0.88", "0.77"), "no number is printed after 0.83 0.77, where 0.88 was printed"),
        (PAGES[0].replace("Error", "Error 7"), "7 is printed after 0.88 200, where no number was printed"),
        (PAGES[0].replace("0.77–0.88", "0.88–0.77"), "is printed"),
    ],
)
def test_what_was_changed_is_named(made, page, told):
    assert any(told in fault for fault in record.faults([page, PAGES[1]], made, ATTACHED))


def test_where_white_space_falls_is_no_fault(made):
    pages = [page.replace("–", " – ").replace("\r\n", "") for page in PAGES]
    assert list(record.faults([pages[0].replace("0.83", "0.8 3"), pages[1]], made, ATTACHED)) == []


@pytest.mark.parametrize(
    ("page", "forged"),
    [
        ("21 of 22 answers changed: 7 were right", "21 of 2 answers changed: 27 were right"),
        ("7 were right before and 14 now", "71 were right before and 4 now"),
        ("60 documents). 9 of them", "6 documents). 09 of them"),
    ],
)
def test_a_digit_that_moved_to_the_next_number_is_found(page, forged):
    recorded = record.make([page], Said(), {})
    assert list(record.faults([page], recorded, {})) == []
    assert list(record.faults([forged], recorded, {}))


def test_whole_pages_that_were_taken_out_or_exchanged_are_found(made):
    assert "1 pages; printed.json has the numbers of 2" in record.faults(PAGES[:1], made, ATTACHED)
    assert list(record.faults(PAGES[::-1], made, ATTACHED))


def test_a_record_that_was_changed_with_its_page_is_found_by_its_source(made):
    forged = record.read(record.write(made).replace(b'"0.83","value":0.83', b'"0.93","value":0.93'))
    [fault] = record.faults([PAGES[0].replace("0.83", "0.93"), PAGES[1]], forged, ATTACHED)
    assert fault == "page 1: 0.93 is printed for 0.93; findings.json#/numbers/0/value says 0.83"
    rounded = record.read(record.write(made).replace(b'"text":"0.83"', b'"text":"0.84"'))
    [fault] = record.faults([PAGES[0].replace("0.83", "0.84"), PAGES[1]], rounded, ATTACHED)
    assert fault == "page 1: 0.84 is printed, and its value is 0.83 (printed.json)"


def test_findings_that_were_changed_are_found_by_their_pages(made):
    other = {"findings.json": {**ATTACHED["findings.json"], "numbers": [{**ACCURACY, "value": 0.93}, ERROR]}}
    [fault] = record.faults(PAGES, made, other)
    assert "findings.json#/numbers/0/value says 0.93" in fault
    assert sum("says nothing" in fault for fault in record.faults(PAGES, made, {})) == 9


def test_evidence_is_held_against_the_record_where_it_is_at_hand(made):
    assert list(record.faults(PAGES, made, {**ATTACHED, **EVIDENCE})) == []
    other = {"evidence/lime": {"c": {"weights": (0.1, -0.36233)}}}
    [fault] = record.faults(PAGES, made, {**ATTACHED, **other})
    assert fault == "page 2: −0.26 is printed for -0.26233; evidence/lime#/c/weights/1 says -0.36233"


def test_small_fractions_have_a_source_only_beside_another_number():
    attached = {"findings.json": {"numbers": {"a": {"share": 1 / 3}, "b": {"share": 1 / 3, "mean": 0.31415}}}}
    alone, beside = (
        record.make([" ".join(texts)], Said([Formatted(text, known[text]) for text in texts]), attached).pages[0]
        for known in ({"0.33": 1 / 3, "0.314": 0.31415},)
        for texts in (["0.33"], ["0.33", "0.314"])
    )
    assert alone[0].source == ""
    assert [one.source for one in beside] == ["findings.json#/numbers/b/share", "findings.json#/numbers/b/mean"]


def test_fields_of_a_row_are_steps_of_a_source_and_names_are_escaped():
    said = Said([Formatted("3.14", 3.14159)], {"evidence/lime": {"a/b~": Integral("pad", 3.14159, 1, 0.0)}})
    made = record.make(["3.14"], said, {})
    assert made.pages[0][0].source == "evidence/lime#/a~1b~0/baseline_prediction"
    assert list(record.faults(["3.14"], made, said.evidence)) == []


@pytest.mark.parametrize(
    ("text", "value", "is_so"),
    [
        ("0.83", 0.8349, True),
        ("0.83", 0.8351, False),
        ("−0.26", -0.262, True),
        ("0.26", -0.262, False),
        ("0.00", -0.001, True),
        ("12,345", 12345, True),
        ("0.8", 0.8, True),
        ("1,234,567", 1234567.4, True),
        ("³", 3, False),
    ],
)
def test_a_number_is_its_value_at_the_decimals_printed(text, value, is_so):
    assert record.rounds(text, value) is is_so


def test_numbers_are_found_out_of_turn_and_beside_what_paper_adds():
    html = [Formatted(f"0.{i:03}", i / 1000) for i in range(300)]
    texts = [one.text for one in html]
    moved = [*texts[:10], *texts[14:40], *texts[10:14], *texts[40:]]
    pages = [["Page", *moved[k : k + 50], str(k)] for k in range(0, 300, 50)]
    values = said.matched(pages, html)
    assert [v for page in values for v in page if v is not None] == [float(text) for text in moved]


def test_characters_of_marks_in_a_document_are_no_marks(monkeypatch):
    page = "a 5\U000f0000\U00100007 b 6\U000f0000\U00100000 <b>0</b>.5 <title>7</title><!--screen-->8<!--/screen-->"
    monkeypatch.setattr(said, "laid_out", lambda _: ([page], ()))
    assert said.read(*classifier()).numbers == (("5", None), ("6", None), ("0.5", None))


def test_a_chapter_that_cannot_be_laid_out_with_marks_leaves_the_record_without_values(monkeypatch):
    def broken(_):
        raise ValueError("could not convert string to float")

    monkeypatch.setattr(said, "laid_out", broken)
    assert said.read(*classifier()) == Said()
    assert record.count(record.make(PAGES, Said(), ATTACHED)) == (17, 0, 0, 0, 17)


def test_numbers_of_page_and_html_are_the_same():
    found, evidence = classifier()
    with speaking(found.presentation.language):
        numbers = said.read(found, evidence).numbers
    assert len(numbers) > 1000
    assert all(one.value is None or record.rounds(one.text, one.value) for one in numbers)


@pytest.mark.parametrize("name", ["classifier", "chinese", "language-model", "scripts", "hostile-chooser"])
def test_two_hundred_random_changes_of_one_digit_are_all_found(report, name):
    paper = pdf_reading.read(report(name).pdf.read_bytes())
    recorded, attached = record.read(paper.attachments[record.FILE]), record.parse(paper.attachments)
    assert record.count(recorded).attached > 100
    assert list(record.faults(paper.pages, recorded, attached)) == []
    draw = random.Random(name)
    for _ in range(200):
        number = draw.randrange(len(paper.pages))
        page, alone = paper.pages[number], record.Record(pages=(recorded.pages[number],))
        at = draw.choice([i for i, character in enumerate(page) if character.isdecimal()])
        digit = draw.choice([d for d in "0123456789" if d != page[at]])
        assert list(record.faults([page[:at] + digit + page[at + 1 :]], alone, attached))
