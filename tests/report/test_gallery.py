"""The failure gallery: one card per document, with the reasons of all rules that chose it."""

import re
from html import unescape

import pytest
from invented_classifier import classifier
from invented_findings import with_worst, without
from invented_runs import candidates, empty, language_model, tiny

from auditor.records.types import Failure
from auditor.report import sections
from auditor.report.contract import Sources
from auditor.report.page import templates
from auditor.report.page.html import Numbering
from auditor.report.sections import explanations, gallery


def words(html):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def page(run):
    section = gallery.compose(Sources(*run))
    return str(templates.fill(section.template, section=section, numbering=Numbering(), **section.content))


def with_a_worse_group():
    """The classifier, where short documents are clearly answered worse than English ones."""
    findings, evidence = classifier()
    ranges = {"accuracy{length=short}": (0.55, 0.5, 0.6), "accuracy{language=en}": (0.95, 0.9, 0.99)}
    rows = []
    for row in findings.slices:
        numbers = [
            n.model_copy(update=dict(zip(("value", "low", "high"), ranges[n.name], strict=True)))
            if n.name in ranges
            else n
            for n in row.numbers
        ]
        rows.append(row.model_copy(update={"numbers": tuple(numbers)}))
    return with_worst(findings.model_copy(update={"slices": tuple(rows)}), evidence)


@pytest.mark.parametrize("make", [classifier, language_model, candidates])
def test_every_chosen_document_has_one_card(make):
    findings, evidence = make()
    html = page((findings, evidence))
    chosen = {name for choice in findings.worst for name, _ in choice.documents}
    cards = re.findall(r'<article class="card case" aria-label="Document ([^"]*)"', html)
    assert len(cards) == len(set(cards)) == len(chosen)
    assert f"{len(chosen)} documents are shown, chosen by" in words(html)


def test_a_document_chosen_twice_says_both_reasons():
    findings, evidence = with_a_worse_group()
    reasons = gallery._reasons(Sources(findings, evidence), findings.worst)
    twice = next(own for own in reasons.values() if {rule for rule, _ in own} >= {"error", "slice"})
    text = words(page((findings, evidence)))
    assert " ".join(reason for _, reason in twice) in text
    assert "A wrong answer in the group with the lowest accuracy, length short." in text


def test_the_rules_are_printed_with_how_many_they_chose_from():
    text = words(page(classifier()))
    assert "Explanations with the lowest R² 3 58" in text
    assert "Documents with the most bits per byte 3 59" in text


def test_links_lead_to_fuller_cards_that_are_printed():
    findings, evidence = with_a_worse_group()
    html = page((findings, evidence))
    targets = set(re.findall(r'href="#([^"]+)"', html))
    shown = {example.document_id for example in findings.analyses["perplexity"].most_surprising}
    places = {f"perplexity-{i}" for i, document in enumerate(evidence.documents) if document.id in shown}
    assert {target for target in targets if target.startswith("perplexity-")} <= places
    assert "slices" in targets
    chosen = findings.presentation.model_copy(update={"sections": ("prediction", "failures")})
    assert "href" not in page((findings.model_copy(update={"presentation": chosen}), evidence))


def test_errors_made_with_confidence_are_counted_where_page_one_leads():
    findings, evidence = classifier()
    wrong = [
        max(prediction.probabilities)
        for document in evidence.documents
        if not isinstance(prediction := evidence.of("prediction")[document.id], Failure)
        and prediction.predicted != document.labels
    ]
    sure = sum(p >= 0.9 for p in wrong)
    assert sure > 0
    answer = gallery.compose(Sources(findings, evidence)).answer
    assert answer.endswith(f" {sure} of {len(wrong)} errors were made with a probability of at least 0.9.")


def test_marks_are_explained_in_their_unit_and_only_where_there_are_marks():
    findings, evidence = classifier()
    assert "shades change at ±0.10, ±0.20, ±0.30 of probability." in words(page((findings, evidence)))
    bare = page(without((findings, evidence), "lime"))
    assert "shades change" not in bare
    assert "<mark" not in bare


def test_a_continued_text_shows_its_continuation():
    text = words(page(language_model()))
    assert "The model is unsure of its own words: mean log-probability −1.23." in text
    assert "The model continues: in a larger sense" in text


def test_an_explanation_worse_than_a_constant_is_called_that():
    sentence = explanations.REASONS["unfaithful"].sentence
    assert "less than a constant" in sentence(None, "", -0.3)
    assert "it misses 75% of how the model varies" in sentence(None, "", 0.25)


@pytest.mark.parametrize("make", [tiny, empty])
def test_without_anything_to_choose_there_is_no_gallery(make):
    assert "failures" not in [section.id for section in sections.compose(Sources(*make()))]


def test_with_something_to_choose_there_is_one():
    assert "failures" in [section.id for section in sections.compose(Sources(*classifier()))]
