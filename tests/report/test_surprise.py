"""Cards and strips of the sections on perplexity and pseudo-perplexity."""

import math
import xml.etree.ElementTree as ET

import pytest
from invented_classifier import classifier
from invented_findings import with_analysis

from auditor.report.contract import Sources, with_interval
from auditor.report.drawing import figures, marks
from auditor.report.sections import perplexity, surprise


def strip(label, *perplexities):
    return figures.Strip(label, tuple(map(math.log, perplexities)))


def cards(run):
    return perplexity.compose(Sources(*run)).content["cards"]


def test_a_card_is_linked_by_the_place_of_its_document():
    findings, evidence = classifier()
    places = [card.position for card in cards((findings, evidence))]
    ids = [evidence.documents[place].id for place in places]
    assert ids == [example.document_id for example in findings.analyses["perplexity"].most_surprising]
    card = perplexity.CHAPTER.card
    links = {document.id: card(Sources(findings, evidence), document.id) for document in evidence.documents}
    assert {name: link for name, link in links.items() if link} == {
        name: (f"perplexity-{place}", "Surprise of each token") for name, place in zip(ids, places, strict=True)
    }


@pytest.mark.parametrize(("name", "short"), [("en-0015", True), ("long-0059", False)])
def test_a_short_text_stands_beside_its_line_and_a_long_one_below(name, short):
    findings, evidence = classifier()
    (example, *_) = findings.analyses["perplexity"].most_surprising
    examples = (example.model_copy(update={"document_id": name}),)
    (card,) = cards((with_analysis(findings, "perplexity", most_surprising=examples), evidence))
    width = float(ET.fromstring(str(card.line)).get("width"))
    assert card.is_short is short
    assert (width == marks.BESIDE) is short
    assert ("one bar for" in card.facts) is (name == "long-0059")


def test_strips_begin_with_all_documents_and_leave_out_what_is_empty():
    strips = surprise.distribution([3.0, 1.0], {"kind": {"a": (1.0,), "b": ()}})
    assert strips == [figures.Strip("All documents", (1.0, 3.0)), figures.Strip("kind a", (1.0,))]
    assert surprise.distribution([], {}) == []


def test_the_caption_names_the_extremes_of_the_medians():
    strips = [
        strip("All documents", 1.0, 50.0),
        strip("kind a", 10.0, *(20.0,) * 28, 30.0),
        strip("kind b", *(40.0,) * 30),
        strip("kind c", *(99.0,) * 29),
    ]
    caption = surprise.strips_caption(strips)
    assert caption.startswith(
        "Of the slices with 30 documents or more the median is lowest for kind a (20.0) and highest for kind b (40.0)."
    )
    assert "more slice" not in caption


def test_slices_without_a_strip_are_counted_and_only_those_drawn_are_ranked():
    by_slice = {f"column {c}": {f"value {v}": (1.0 + c + v,) * (40 - v) for v in range(10)} for c in range(4)}
    strips = surprise.distribution([1.0], by_slice)
    assert len(strips) - 1 == surprise.MOST_COLUMNS * surprise.MOST_VALUES
    caption = surprise.strips_caption(strips, surprise.left_out(strips, by_slice))
    assert caption.startswith("Of the slices drawn with 30 documents or more the median is lowest for column 0 value 0")
    assert caption.endswith(" 16 more slices, smaller or of later columns, are in findings.json.")
    empty = {"kind": {"a": (1.0,), "b": ()}}
    assert surprise.left_out(surprise.distribution([1.0], empty), empty) == 0


def test_the_bits_of_the_corpus_are_not_said_to_be_those_of_the_median_document():
    findings, evidence = classifier()
    answer = perplexity.compose(Sources(findings, evidence)).answer
    surprised = findings.analyses["perplexity"]
    bits, median = surprised.bits_per_byte, surprised.median_document
    assert answer.index(with_interval(bits)) < answer.index("the median document’s perplexity is")
    assert answer.endswith(f"the median document’s perplexity is {with_interval(median)}.")


def test_the_table_has_the_quarters_of_each_strip():
    table = surprise.strip_table([strip("kind a", 1.0, 2.0, 3.0, 4.0, 5.0)])
    assert table.rows == (("kind a", "5", "1.00", "2.00", "3.00", "4.00", "5.00"),)
