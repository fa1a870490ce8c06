import pytest
from invented import LABELS
from invented_classifier import classifier
from invented_runs import hostile

from auditor.findings.types import Example
from auditor.findings.words import rank_words
from auditor.records.types import Document, Explanation, Segment, Span, Target
from auditor.report.sections import explanations, recurring
from auditor.report.sections.contract import Sources


def word_in(documents, word, label, weight):
    """One explanation per document, of a text with a single word."""
    return {
        i: Explanation(
            i,
            "words",
            (Segment(word, (Span(0, len(word)),)),),
            (Target(label, (weight + 0.001 * n,), (0.0,), (True,), 0.1, 0.9, 0.8, 0.8),),
            2,
            2,
            True,
            25.0,
        )
        for n, i in enumerate(documents)
    }


def view_of(explained):
    """The global view of a run with these explanations."""
    findings, evidence = classifier()
    found = findings.explanations.model_copy(update={"global_words": rank_words(list(explained.values()))})
    sources = Sources(findings, type(evidence)((), explanations=explained))
    return recurring.view(sources, found)


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
        "1 word looked at, found in 3 or more of 5 documents; 1 listed; about 0.1 would be by chance alone"
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
    findings, evidence = classifier()
    names = [f"word{i:03d}" for i in range(words)]
    text = " ".join(names)
    segments = tuple(Segment(name, (Span(8 * i, 8 * i + 7),)) for i, name in enumerate(names))
    weights = (0.5, *(0.05,) * (words - 1))
    target = Target(LABELS[0], weights, (0.01,) * words, (True,) * words, 0.1, 0.9, 0.8, 0.8)
    document = Document("only", text, labels=(LABELS[0],))
    explained = Explanation("only", "words", segments, (target,), 1000, 900, False, 25.0)
    found = findings.explanations.model_copy(update={"examples": (Example(document_id="only", rule="the only one"),)})
    sources = Sources(
        findings.model_copy(update={"explanations": found}),
        type(evidence)((document,), explanations={"only": explained}),
    )
    (card,) = explanations.compose(sources).content["cards"]
    assert len(card.weights) == rows
    assert card.more == words - rows


def test_hostile_words_stay_text_in_the_global_view():
    findings, evidence = hostile()
    view = recurring.view(Sources(findings, evidence), findings.explanations)
    assert any("<script>" in row.word for group in view.groups for row in group.rows)
    assert all("<script>" not in row.mark for group in view.groups for row in group.rows)
