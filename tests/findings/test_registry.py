"""Summaries are found by the names of their probes; a fault of one that somebody else wrote is one line."""

import sys

import pytest
from of_others import LengthSummary, lengths
from worked_example import context, evidence, explanation, with_rows

from auditor.errors import InstallationError
from auditor.findings import Bound, Prospect, names, summarise
from auditor.findings.analyses.explanations import (
    ExplanationFindings,
    ExplanationQuantities,
    ExplanationSummary,
    fidelity_cell,
)
from auditor.findings.contract.quantity import Quantity
from auditor.findings.contract.registry import owner_of, quantities, quantity_of, summaries, summary_of
from auditor.findings.contract.summary import Cell

OURS = [
    *("prediction", "lime", "occlusion", "shap"),
    *("saliency", "input_x_gradient", "integrated_gradients"),
    *("anchors", "attention_rollout", "mean_attention", "faithfulness", "sanity", "global_surrogate", "head_ablation"),
    *("attention", "activations", "perplexity", "pseudo_perplexity"),
]
TWIN = ExplanationSummary(
    ExplanationQuantities("twin", "Twin fidelity"), "Twin", order=25, cells=(fidelity_cell("twin_fidelity", "R²", ""),)
)


def test_our_summaries_are_found_in_the_order_of_the_report():
    assert list(summaries()) == OURS
    assert [summary.probe for summary in summaries().values()] == OURS
    assert summary_of("nobody") is None


def test_another_summary_stands_at_its_place_behind_ours_without_one(registered):
    registered(twin=TWIN, length=LengthSummary())
    assert list(summaries()) == [*OURS[:5], "twin", *OURS[5:], "length"]
    assert owner_of("length.characters{length=short}").probe == "length"
    assert summary_of("length").section_id == "probe-length"
    assert list(quantities())[-2:] == ["length.characters", "length.share"]


@pytest.mark.parametrize("length", [LengthSummary(probe="width"), LengthSummary, "a text", None])
def test_what_is_no_summary_of_the_probe_of_its_entry_point_is_refused(registered, length):
    registered(length=length)
    message = r"auditor_of_others:length: expected a Summary of the probe 'length' .*auditor\.summaries.*, found "
    with pytest.raises(InstallationError, match=message) as caught:
        summaries()
    assert "\n" not in str(caught.value)
    assert "found 'length'" not in str(caught.value), "says what is expected"


def test_a_summary_that_cannot_be_imported_is_named_with_its_fault(registered, monkeypatch):
    registered(length=LengthSummary())
    monkeypatch.delitem(sys.modules, "auditor_of_others")
    message = "length = auditor_of_others:length cannot be loaded: No module named 'auditor_of_others'"
    with pytest.raises(InstallationError, match=message) as caught:
        summaries()
    assert "\n" not in str(caught.value)


def test_a_number_that_two_summaries_declare_is_refused_with_both_names(registered):
    registered(length=LengthSummary(quantities=(Quantity(name="accuracy", title="A", unit="share"),)))
    message = r"the number accuracy is declared by the summary of prediction and .* length; .* call it length\.accuracy"
    with pytest.raises(InstallationError, match=message):
        summaries()


@pytest.mark.parametrize("name", ["entropy", "document_id", "n_tokens"])
def test_a_column_of_the_table_of_documents_that_exists_already_is_refused(registered, name):
    registered(length=LengthSummary(cells=(Cell(name, "Mine", "count", 6, lambda record, _: record.characters),)))
    with pytest.raises(InstallationError, match=rf"the column {name} is declared by .* call it length_{name}"):
        summaries()


def test_a_second_explainer_has_numbers_and_columns_of_its_own(registered):
    registered(twin=TWIN)
    found = summarise(with_rows(evidence(), twin={"d00": explanation(0, fidelity=0.25)}), context())
    values = found.documents[0].values
    assert (values["fidelity"], values["twin_fidelity"]) == (0.9, 0.25)
    assert (found.documents[1].values["fidelity"], found.documents[1].values["twin_fidelity"]) == (0.901, None)
    assert found.analysis("twin", ExplanationFindings).fidelity.value == 0.25
    assert found.analysis("lime", ExplanationFindings).n_documents == 29
    assert {"twin.fidelity", "twin.low_fidelity_share", "twin.decisive_share"} <= {n.name for n in found.numbers}
    assert next(choice for choice in found.worst if choice.rule == "unfaithful").among == 29


def test_a_third_partys_number_has_the_rights_of_ours(registered):
    registered(length=LengthSummary("short", "long"))
    whole = evidence()
    bounds = {"length.characters": Bound(at_least=10_000), "length.share[short]{length=long}": Bound(at_least=0.5)}
    asked = {**context().asked, "length": 40}
    found = summarise(with_rows(whole, length=lengths(whole.documents)), context(checks=bounds, asked=asked))
    known = names(Prospect(frozenset({"length"})), {"length": ("short", "long")})
    assert set(bounds) <= known
    assert [check.result for check in found.checks] == ["fail", "not judged"]
    assert found.key_numbers[0].name == "length.characters"
    assert (found.conclusion[0].severity, found.conclusion[0].section) == ("fail", "probe-length")
    assert found.documents[0].values["characters"] == len(whole.documents[0].text)
    assert "length.characters{length=short}" in {n.name for row in found.slices for n in row.numbers}
    assert next(row for row in found.coverage if row.probe == "length").measured == 40


def test_a_third_partys_summary_of_nothing_is_left_out(registered):
    registered(length=LengthSummary())
    found = summarise(evidence(), context())
    assert "length" not in found.analyses
    assert not any(number.name.startswith("length.") for number in found.numbers)
    assert quantity_of("length.characters") is not None


def test_the_same_evidence_gives_the_same_numbers_whoever_else_is_installed(registered):
    before = summarise(evidence(), context())
    registered(twin=TWIN, length=LengthSummary("short"))
    assert summarise(evidence(), context()) == before
