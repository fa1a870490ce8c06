import re
from dataclasses import replace

import pytest
from invented import LABELS
from invented_classifier import classifier
from invented_findings import with_analysis
from invented_runs import hostile

from auditor.findings.analyses.words import Method, recurring_words
from auditor.findings.contract.types import Example
from auditor.records.explanations import Explanation, Halves, Neighbourhood, Segment, Sensitivity, Surrogate, Target
from auditor.records.types import Document, Span
from auditor.report.contract import Sources, with_interval
from auditor.report.sections import lime, recurring


def word_in(documents, word, label, weight):
    """One explanation per document, of a text with a single word."""
    return {
        i: Explanation(
            i,
            "lime",
            "probability",
            "words",
            (Segment(word, (Span(0, len(word)),)),),
            (Target(label, (weight + 0.001 * n,), (0.0,), (True,), 0.8, Surrogate(0.1, 0.9, 0.8)),),
            Neighbourhood(2, 2, True, 25.0),
        )
        for n, i in enumerate(documents)
    }


def view_of(explained):
    """The table of content words of a run with these explanations."""
    words = recurring_words(list(explained.values()), Method("lime", "LIME"))
    return recurring.view(classifier()[0].analyses["lime"].model_copy(update={"recurring": words}))[0]


def test_words_are_grouped_by_label_and_each_group_says_how_many_were_looked_at():
    explained = {
        **word_in(("a", "b", "c"), "good", "positive", 0.4),
        **word_in(("d", "e", "f", "g"), "bad", "negative", -0.3),
        **word_in(("h",), "rare", "negative", 0.9),
    }
    negative, positive = view_of(explained).groups
    assert (negative.label, positive.label) == ("negative", "positive")
    assert [row.word for row in negative.rows] == ["bad"]
    assert negative.looked_at == (
        "1 word looked at, found in 3 or more of 5 documents; the interval of 1 excludes zero; about 0.1 would by "
        "chance alone"
    )
    assert "of 3 documents" in positive.looked_at


def test_the_caption_names_the_strongest_word_and_how_to_read_the_marks():
    caption = view_of(word_in(("a", "b", "c"), "dull", "positive", -0.4)).caption
    assert caption.startswith("Words that recur: “dull” opposes “positive” most. Mean weight over")


def test_all_rows_share_one_axis_around_zero():
    view = view_of({**word_in("abc", "good", "positive", 0.4), **word_in("def", "bad", "positive", -0.2)})
    marks = [row.mark for group in view.groups for row in group.rows]
    assert len({mark.split("<path")[1] for mark in marks}) == 1


def test_paper_has_whole_labels_up_to_a_page_and_the_screen_has_all():
    groups = [f"label {i:02d}" for i in range(60)]
    explained = {}
    for label in groups:
        explained |= word_in([f"{label} {i}" for i in range(3)], "word", label, 0.3)
    view = view_of(explained)
    assert (view.n_words, view.paper_groups, view.paper_words) == (60, 40, 40)


@pytest.mark.parametrize(("words", "rows"), [(3, 3), (12, 4), (20, 6), (400, 10)])
def test_a_text_has_as_many_weights_beside_it_as_its_lines_leave_room_for(words, rows):
    names = [f"word{i:03d}" for i in range(words)]
    text = " ".join(names)
    segments = tuple(Segment(name, (Span(8 * i, 8 * i + 7),)) for i, name in enumerate(names))
    weights = (0.5, *(0.05,) * (words - 1))
    target = Target(LABELS[0], weights, (0.01,) * words, (True,) * words, 0.8, Surrogate(0.1, 0.9, 0.8))
    document = Document("only", text, labels=(LABELS[0],))
    explained = Explanation(
        "only", "lime", "probability", "words", segments, (target,), Neighbourhood(1000, 900, False, 25.0)
    )
    (card,) = cards_of(document, explained)
    assert len(card.weights) == rows
    assert card.more == words - rows


def cards_of(document, explained):
    """The cards of a run whose only example is one document."""
    findings, evidence = classifier()
    findings = with_analysis(findings, "lime", examples=(Example(document_id=document.id, rule="the only one"),))
    sources = Sources(findings, type(evidence)((document,), {"lime": {document.id: explained}}))
    return lime.CHAPTER.compose(sources).content["cards"]


def composed(**values):
    """The section of a classifier whose findings on explanations are changed."""
    findings, evidence = classifier()
    return lime.CHAPTER.compose(Sources(with_analysis(findings, "lime", **values), evidence))


def test_shares_are_said_with_their_interval_and_of_how_many_explained_documents():
    explained = classifier()[0].analyses["lime"]
    decisive = explained.decisive_share.model_copy(update={"value": 0.996, "low": 0.98, "high": 0.999, "n": 250})
    low = explained.low_fidelity_share.model_copy(update={"value": 0.267, "low": 0.171, "high": 0.39, "n": 60})
    answer = composed(decisive_share=decisive, low_fidelity_share=low).answer
    assert f"A share of {with_interval(decisive)} of 250 explained documents has a segment that surely" in answer
    assert f"R² is below 0.5 in a share of {with_interval(low)} of 60 explained documents" in answer
    assert "%" not in answer


def test_where_all_masks_were_evaluated_nothing_is_said_to_be_random():
    method = composed(n_exact=5, n_documents=5, n_samples=32, tolerance=0.1).method
    assert method.startswith("Every document was tried with its segments switched on and off in every way, up to 32")
    assert "random" not in method
    assert "standard error" not in method
    assert "Drawing stopped" not in method
    sampled = composed(n_exact=4, n_documents=5, n_samples=32).method
    assert "random segments removed" in sampled
    assert "4 short documents had all segments switched on" in sampled


@pytest.mark.parametrize(("width", "printed"), [(0.3, "0.3"), (2.5, "2.5"), (25.0, "25")])
def test_the_kernel_width_is_printed_as_it_was_set(width, printed):
    assert f"(kernel width {printed})" in composed(kernel_width=width).method


def test_segments_are_not_called_words_where_they_are_something_else():
    section = composed(segmenters={"sentences": 58})
    for text in (section.answer, section.method, section.limits):
        assert not re.search(r"\bwords?\b", text)


@pytest.mark.parametrize(
    ("r2", "printed"),
    [
        *((0.83, "R² 0.83"), (0.5, "R² 0.50")),
        *((0.42, "R² 0.42 ▲ below 0.5"), (-0.3, "R² −0.30 ▲ below 0.5"), (0.4996, "R² 0.4996 ▲ below 0.5")),
    ],
)
def test_a_card_whose_weights_should_not_be_cited_is_signed(r2, printed):
    findings, evidence = classifier()
    explained = evidence.of("lime")["en-0000"]
    target = replace(explained.targets[0], surrogate=Surrogate(0.1, r2, 0.8))
    evidence.of("lime")["en-0000"] = replace(explained, targets=(target,))
    cards = lime.CHAPTER.compose(Sources(findings, evidence)).content["cards"]
    (card,) = [card for card in cards if card.document_id == "en-0000"]
    assert card.facts.endswith(f" · {printed}")


@pytest.mark.parametrize(
    ("found", "distance", "printed"),
    [
        (None, 0.09, ""),
        (Sensitivity(0.123, 0, 5), None, "max-sensitivity 0.12, without “{word}”"),
        (
            Sensitivity(0.123, 0, 5),
            0.09,
            "max-sensitivity 0.12, without “{word}”; two halves of the variants differ by 0.09",
        ),
    ],
)
def test_a_card_says_how_far_weights_change_where_the_text_hardly_does_beside_what_sampling_does(
    found, distance, printed
):
    findings, evidence = classifier()
    explained = evidence.of("lime")["en-0000"]
    halves = Halves(0.9, 0.9, 1.0, 0.0, 0.5, distance) if distance else None
    surrogate = Surrogate(0.1, 0.8, 0.8, halves, found)
    evidence.of("lime")["en-0000"] = replace(explained, targets=(replace(explained.targets[0], surrogate=surrogate),))
    section = lime.CHAPTER.compose(Sources(findings, evidence))
    (card,) = [card for card in section.content["cards"] if card.document_id == "en-0000"]
    assert card.sensitivity == printed.format(word=explained.segments[0].text)


def test_what_a_text_of_sentences_leaves_out_is_counted_in_sentences():
    text = " ".join(f"Sentence {i:03d}." for i in range(200))
    segments = tuple(Segment(text[14 * i : 14 * i + 13], (Span(14 * i, 14 * i + 13),)) for i in range(200))
    target = Target(LABELS[0], (0.5, *(0.01,) * 199), (0.001,) * 200, (True,) * 200, 0.8, Surrogate(0.1, 0.9, 0.8))
    explained = Explanation(
        "long", "lime", "probability", "sentences", segments, (target,), Neighbourhood(1000, 900, False, 25.0)
    )
    (card,) = cards_of(Document("long", text), explained)
    assert "[… 110 sentences …]" in card.passages[0].body


def test_hostile_words_stay_text_in_the_global_view():
    view = recurring.view(hostile()[0].analyses["lime"])[0]
    assert any("<script>" in row.word for group in view.groups for row in group.rows)
    assert all("<script>" not in row.mark for group in view.groups for row in group.rows)
