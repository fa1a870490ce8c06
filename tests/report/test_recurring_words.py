"""The global view of the section on LIME: what is counted, and which explanations count."""

from invented_classifier import classifier

from auditor.findings.analyses.explanations import faithful
from auditor.findings.analyses.words import Method, recurring_words
from auditor.records.explanations import Explanation, Neighbourhood, Segment, Surrogate, Target
from auditor.records.types import Span
from auditor.report.sections import recurring


def explained(document_id, weights, fidelity=0.9, names=None):
    """An explanation with a word for each weight."""
    n = len(weights)
    target = Target("positive", tuple(weights), (0.0,) * n, (True,) * n, 0.8, Surrogate(0.1, fidelity, 0.8))
    words = names or [f"word{i:02}" for i in range(n)]
    segments = tuple(Segment(word, (Span(i, i + 1),)) for i, word in enumerate(words))
    around = Neighbourhood(2, 2, True, 25.0)
    return Explanation(document_id, "lime", "probability", "words", segments, (target,), around)


def views_of(*made):
    """The tables of a run with these explanations."""
    explained = classifier()[0].analyses["lime"]
    low = explained.low_fidelity_share.model_copy(update={"value": 1 - len(faithful(made)) / len(made), "n": len(made)})
    words = recurring_words(faithful(made), Method("lime", "LIME"))
    return recurring.view(explained.model_copy(update={"recurring": words, "low_fidelity_share": low}))


def view_of(*made):
    """The only table."""
    (view,) = views_of(*made)
    return view


def test_function_words_have_a_second_table():
    made = [explained(f"d{n}", [0.2 + n / 1e4, 0.1 + n / 1e4], names=("plot", "the")) for n in range(3)]
    content, function = views_of(*made)
    assert [(view.kind, [row.word for row in view.groups[0].rows]) for view in (content, function)] == [
        *(("content", ["plot"]), ("function", ["the"])),
    ]
    assert content.axis == function.axis


def test_words_not_told_from_zero_are_pale_and_the_caption_says_if_there_are_no_others():
    view = view_of(*(explained(f"d{n}", [0.2 * n - 0.1]) for n in range(3)))
    (row,) = view.groups[0].rows
    assert (row.muted, row.same_sign) == (True, "67%")
    assert view.caption.startswith("No content word that recurs is told from zero. Mean weight")


def test_a_table_toward_one_of_two_labels_names_the_other():
    made = [explained(f"d{n}", [0.2 + n / 1e4]) for n in range(3)]
    found = classifier()[0].analyses["lime"]
    words = recurring_words(made, Method("lime", "LIME"), ("negative", "positive"))
    (view,) = recurring.view(found.model_copy(update={"recurring": words}))
    assert [(group.label, group.against) for group in view.groups] == [("positive", "negative")]


def test_words_told_from_zero_are_counted_before_the_list_is_cut():
    (group,) = view_of(*(explained(f"d{n}", [0.2 + 0.01 * i + n / 1e4 for i in range(13)]) for n in range(4))).groups
    assert len(group.rows) == 12
    assert group.looked_at == (
        "13 words looked at, each found in 3 or more of 4 documents; the intervals of 13 exclude zero, the 12 largest "
        "listed; about 0.7 would by chance alone"
    )


def test_explanations_that_miss_half_are_left_out_and_the_caption_says_so():
    kept = [explained(f"d{n}", [0.2 + n / 1e4]) for n in range(3)]
    view = view_of(*kept, explained("x", [-0.9], 0.49), explained("y", [-0.9], 0.1))
    (group,) = view.groups
    assert group.rows[0].documents == "3"
    assert "3 or more of 3 documents" in group.looked_at
    assert view.caption.endswith("2 documents are left out, whose explanations have R² below 0.5.")
    assert "left out" not in view_of(*kept).caption


def test_the_label_is_called_the_most_probable_not_the_predicted():
    caption = view_of(*(explained(f"d{n}", [0.2 + n / 1e4]) for n in range(3))).caption
    assert "predicted" not in caption


def test_an_interval_that_excludes_zero_does_not_print_it():
    (group,) = view_of(*(explained(f"d{n}", [weight]) for n, weight in enumerate((0.008, 0.1, 0.1, 0.1)))).groups
    assert [(row.mean, row.interval) for row in group.rows] == [("0.077", "0.004–0.150")]
    assert "0.077, interval 0.004–0.150" in group.rows[0].mark
