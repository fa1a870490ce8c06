"""The global view of the section on LIME: what is counted, and which explanations count."""

from dataclasses import replace

from invented_classifier import classifier

from auditor.findings.analyses.explanations import faithful
from auditor.findings.analyses.words import rank_words
from auditor.records.explanations import Explanation, Neighbourhood, Segment, Surrogate, Target
from auditor.records.types import Document, Span
from auditor.report.contract import Sources
from auditor.report.sections import recurring


def explained(document_id, weights, fidelity=0.9):
    """An explanation with a word for each weight."""
    n = len(weights)
    target = Target("positive", tuple(weights), (0.0,) * n, (True,) * n, 0.8, Surrogate(0.1, fidelity, 0.8))
    segments = tuple(Segment(f"word{i:02}", (Span(i, i + 1),)) for i in range(n))
    around = Neighbourhood(2, 2, True, 25.0)
    return Explanation(document_id, "lime", "probability", "words", segments, (target,), around)


def view_of(*made):
    findings, evidence = classifier()
    ranked = rank_words(faithful(made), "lime", "LIME")
    found = findings.analyses["lime"].model_copy(update={"global_words": ranked})
    documents = tuple(Document(e.document_id, "".join(s.text for s in e.segments)) for e in made)
    shown = replace(evidence, documents=documents, rows={"lime": {e.document_id: e for e in made}})
    return recurring.view(Sources(findings, shown), found, "lime")


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
    assert "toward their most probable label" in caption


def test_an_interval_that_excludes_zero_does_not_print_it():
    (group,) = view_of(*(explained(f"d{n}", [weight]) for n, weight in enumerate((0.008, 0.1, 0.1, 0.1)))).groups
    assert [(row.mean, row.interval) for row in group.rows] == [("0.077", "0.004–0.150")]
    assert "0.077, interval 0.004–0.150" in group.rows[0].mark
