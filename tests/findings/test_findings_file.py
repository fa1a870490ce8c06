import json
import re
import subprocess
import sys
from dataclasses import replace

import jsonschema
import pytest
from of_others import LengthFindings, LengthSummary, lengths
from worked_example import context, continuation_evidence, evidence, multi_label_evidence, with_rows

from auditor.errors import StoreError
from auditor.findings import Bound, Evidence, Prospect, names, read, schema, sliceable, summarise, write
from auditor.findings.analyses.answers import answer_probability
from auditor.findings.analyses.attention import AttentionFindings
from auditor.findings.contract.finding import Finding
from auditor.findings.interchange import Unknown
from auditor.records.types import Failure, Prediction

FOUND = summarise(evidence(), context())


def variants():
    whole = evidence()
    failed = {d.id: Failure(d.id, "blank", "nothing to read") for d in whole.documents}
    return {
        "whole": (whole, context()),
        "multi-label": (multi_label_evidence(), context(multi_label=True, asked={"prediction": 10})),
        "continuations": (
            continuation_evidence(),
            context(
                task="text-generation",
                kind="generator",
                references={},
                asked={"prediction": 12, "attention": 12, "perplexity": 12},
            ),
        ),
        "all failed": (Evidence(whole.documents, dict.fromkeys(whole.rows, failed)), context()),
        "no documents": (Evidence(()), context(asked={}, checks={})),
        "one document": (
            replace(whole, documents=whole.documents[:1]),
            context(asked=dict.fromkeys(("prediction", "lime", "attention", "perplexity"), 1)),
        ),
    }


@pytest.mark.parametrize("variant", variants())
def test_what_is_written_is_read_back_and_follows_the_schema(variant):
    found = summarise(*variants()[variant])
    data = write(found)
    assert read(data) == found
    assert data.endswith(b"}\n")
    jsonschema.Draft202012Validator(schema()).validate(json.loads(data))


def test_the_schema_is_itself_valid_and_requires_the_format():
    jsonschema.Draft202012Validator.check_schema(schema())
    broken = json.loads(write(FOUND)) | {"format": "auditor.findings/0"}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema()).validate(broken)
    assert "format" in schema()["required"]


def with_lengths(registered):
    """Findings of a run that has a third party's summary."""
    registered(length=LengthSummary("short", "long"))
    whole = with_rows(evidence(), length=lengths(evidence().documents))
    return summarise(whole, context(checks={"length.characters": Bound(at_most=1000)}))


def test_the_schema_describes_what_every_summary_came_to_and_names_every_number():
    properties = schema()["properties"]["analyses"]["properties"]
    assert properties["lime"] == {"$ref": "#/$defs/ExplanationFindings"}
    by_gradients = {"saliency", "input_x_gradient", "integrated_gradients"}
    of_explanations = {"lime", "occlusion", "shap", "anchors", "faithfulness", "sanity"} | by_gradients
    of_attention = {"attention", "attention_rollout", "mean_attention", "head_ablation"}
    others = {"prediction", "global_surrogate", "activations", "perplexity", "pseudo_perplexity"}
    assert set(properties) == others | of_explanations | of_attention
    examples = schema()["$defs"]["Number"]["properties"]["name"]["examples"]
    assert {"accuracy", "recall", "lime.fidelity", "pseudo_perplexity.median"} <= set(examples)
    assert {re.split(r"[\[{]", number.name)[0] for number in FOUND.numbers} - {"coverage.failed_share"} <= set(examples)


@pytest.mark.parametrize("analyses", [{"lime": {"n_documents": 1}}, {"length": 3}, [], None])
def test_analyses_that_no_summary_came_to_are_not_of_the_schema(analyses):
    broken = json.loads(write(FOUND)) | {"analyses": analyses}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema()).validate(broken)


def test_the_schema_describes_a_third_partys_summary_where_it_is_installed(registered):
    data = json.loads(write(with_lengths(registered)))
    validator = jsonschema.Draft202012Validator(schema())
    validator.validate(data)
    assert "length.share" in schema()["$defs"]["Number"]["properties"]["name"]["examples"]
    del data["analyses"]["length"]["longest"]
    with pytest.raises(jsonschema.ValidationError, match="'longest' is a required property"):
        validator.validate(data)


def test_findings_of_one_name_that_two_summaries_come_to_are_both_described(registered):
    class AttentionFindings(Finding):
        """As ours is called."""

        longest: int

    registered(length=LengthSummary(findings=AttentionFindings))
    described = schema()
    jsonschema.Draft202012Validator.check_schema(described)
    ours, theirs = (described["properties"]["analyses"]["properties"][probe] for probe in ("attention", "length"))
    assert ours != theirs
    known = {probe: described["$defs"][ref["$ref"].rpartition("/")[2]] for probe, ref in (("o", ours), ("t", theirs))}
    assert "mapped_heads" in known["o"]["properties"]
    assert set(known["t"]["properties"]) == {"longest"}


def test_findings_of_a_probe_that_is_not_installed_here_are_kept_as_they_are(registered):
    data = write(with_lengths(registered))
    registered()
    found = read(data)
    assert write(found) == data
    assert isinstance(found.analyses["length"], Unknown)
    assert found.analysis("length", LengthFindings) is None
    assert found.analysis("attention", AttentionFindings) is not None
    assert found.checks[0].number is not None
    assert found.documents[0].values["characters"] is not None
    jsonschema.Draft202012Validator(schema()).validate(json.loads(data))
    registered(length=LengthSummary("short", "long"))
    assert read(data) == with_lengths(registered)
    assert read(data).analysis("length", LengthFindings) is not None


def test_the_same_evidence_gives_the_same_bytes():
    assert write(summarise(evidence(), context())) == write(FOUND)
    assert write(summarise(evidence(), context(seed=1))) != write(FOUND)


def test_text_is_kept_as_it_is():
    title = "影评 \N{GRINNING FACE} </script> ‮"
    assert title.encode() in write(summarise(evidence(), context(title=title)))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"<html>", "expected JSON"),
        (b"[]", "expected format auditor.findings/4, found none"),
        (b'{"format": "auditor.findings/9"}', "found auditor.findings/9"),
        (b'{"format": "auditor.findings/4"}', "title: field required"),
        (
            write(FOUND).replace(b'"same_sign": 0.7407407407407407', b'"same_sign": NaN', 1),
            r"analyses\.lime\.recurring\.0\.content\.words\.0\.same_sign: .*finite number",
        ),
        (write(FOUND).replace(b'"analyses": {', b'"analysis": {', 1), "analyses: field required"),
        (write(FOUND).replace(b'"confusion"', b'"confusions"', 1), r"analyses\.prediction\.confusion: field required"),
        (json.dumps(json.loads(write(FOUND)) | {"analyses": [1]}), "analyses: input should be a valid dictionary"),
        (json.dumps(json.loads(write(FOUND)) | {"analyses": {"lime": 3}}), r"analyses\.lime: input should be"),
    ],
)
def test_a_file_that_is_not_understood_is_refused_in_one_line(data, message):
    with pytest.raises(StoreError, match=message) as caught:
        read(data)
    assert "\n" not in str(caught.value)


def test_every_number_has_a_name_of_its_own_that_checks_can_know_beforehand():
    listed = [number.name for number in FOUND.numbers]
    assert len(listed) == len(set(listed))
    prospect = Prospect(frozenset(evidence().rows), ("negative", "positive"))
    known = names(prospect, sliceable(evidence().documents))
    assert set(listed) <= known
    of_causal_heads, of_sampled_halves = "attention.head_share[sink]", "lime.stability"
    assert {name.split("{")[0] for name in known - set(listed)} == {of_causal_heads, of_sampled_halves}


def test_every_number_states_n_and_protocol_and_holds_its_value():
    for number in FOUND.numbers:
        assert len(number.protocol) > 20
        if number.low is not None:
            assert number.low <= number.value <= number.high
            assert number.n > 1


def test_key_numbers_are_five_that_fit_the_task():
    assert [number.name for number in FOUND.key_numbers] == [
        "accuracy",
        "calibration_error",
        "lime.fidelity",
        "perplexity.bits_per_byte",
        "attention.sink_share",
    ]
    free = summarise(*variants()["continuations"])
    assert [number.name for number in free.key_numbers] == [
        "perplexity.corpus",
        "perplexity.bits_per_byte",
        "attention.sink_share",
        "generation.mean_logprob",
    ]


def test_a_failing_check_has_a_key_number_before_any_number_without_a_bound():
    checks = {
        "lime.fidelity": Bound(at_least=0.1),
        "recall[positive]": Bound(at_least=0.1),
        "recall[negative]": Bound(at_least=0.99),
        "precision[positive]": Bound(at_least=0.99, required=False),
        "recall[neutral]": Bound(at_least=0.5),
    }
    found = summarise(evidence(), context(checks=checks))
    assert [number.name for number in found.key_numbers] == [
        "lime.fidelity",
        "recall[negative]",
        "recall[positive]",
        "accuracy",
        "calibration_error",
    ]


def test_the_names_of_numbers_follow_the_task():
    def possible(labels=("yes", "no"), **known):
        return names(Prospect(frozenset({"prediction", "attention"}), labels, **known), {})

    assert "generation.candidate_mass" in possible(candidates=True)
    assert "generation.candidate_mass" in possible(candidates=True, labelled=False)
    assert "generation.candidate_mass" not in possible()
    assert "generation.candidate_mass" not in possible((), candidates=True)
    heads = {
        causal: {name for name in possible(causal=causal) if "head_share" in name} for causal in (True, False, None)
    }
    assert heads[None] - heads[True] == {"attention.head_share[next]"}
    assert heads[None] - heads[False] == {"attention.head_share[sink]"}


def test_coverage_counts_what_was_asked_measured_failed_and_truncated():
    rows = {row.probe: row for row in FOUND.coverage}
    assert list(rows) == ["prediction", "lime", "attention", "perplexity"]
    lime = rows["lime"]
    assert (lime.corpus, lime.asked, lime.measured, lime.failed) == (40, 30, 29, 1)
    assert lime.failures == (("d29", "ValueError", "no segment"),)
    assert rows["prediction"].truncated == 1
    assert lime.truncated == 1, "LIME asks the same model, which cuts d05 at the same place"
    assert (rows["attention"].truncated, rows["perplexity"].truncated) == (0, 0)
    share = next(number for number in FOUND.numbers if number.name == "coverage.failed_share")
    assert (share.value, share.n) == (1 / 40, 40)


def test_notes_state_subsets_failures_and_truncation_beside_the_given_ones():
    found = summarise(evidence(), context(notes=("Given.",)))
    assert found.notes == (
        "Given.",
        "The LIME probe was given 30 of 40 documents, a seeded sample stratified by label.",
        "The LIME probe could not measure 1 document.",
        "The prediction and LIME probes saw only the beginning of 1 document.",
    )
    everywhere = summarise(*variants()["all failed"]).notes
    assert "The prediction, LIME, attention and perplexity probes could not measure 40 documents." in everywhere


def test_at_most_twenty_failures_are_listed():
    assert all(len(row.failures) == 20 for row in summarise(*variants()["all failed"]).coverage)


def test_a_run_in_which_everything_failed_is_not_established():
    found = summarise(*variants()["all failed"])
    assert found.verdict.result == "not established"
    assert found.analyses == {}


def test_the_documents_table_has_a_row_for_every_document():
    row = FOUND.documents[29]
    assert (row.document_id, row.reference, row.predicted, row.failed) == (
        "d29",
        ("positive",),
        ("positive",),
        ("lime",),
    )
    assert row.values["fidelity"] is None
    assert row.values["probability"] == pytest.approx(0.85)
    assert row.n_tokens == 8
    assert len(FOUND.documents) == 40


def test_the_documents_table_has_the_probability_of_the_least_probable_label_predicted():
    found = summarise(*variants()["multi-label"])
    by_id = {row.document_id: row for row in found.documents}
    assert (by_id["m6"].predicted, by_id["m6"].values["probability"]) == (("politics",), 0.7)
    both = Prediction("x", ("a", "b", "c"), (0, 0, 0), (0.97, 0.55, 0.2), ("a", "b"), 0.4, 3, False)
    assert answer_probability(both) == 0.55
    assert answer_probability(replace(both, predicted=())) == 0.97
    assert answer_probability(replace(both, labels=(), probabilities=(), predicted=())) is None


def test_the_agreement_of_attention_with_lime_is_in_both_places():
    agreement = FOUND.analysis("attention", AttentionFindings).agreement
    assert agreement == next(n for n in FOUND.numbers if n.name == "attention.agreement")
    assert agreement.n == 29


def test_a_check_on_a_slice_below_thirty_documents_is_not_judged():
    found = summarise(evidence(), context(checks={"accuracy{length=short}": Bound(at_least=0.5)}))
    assert found.checks[0].result == "not judged"
    assert found.verdict.result == "not established"


def test_findings_are_drawn_without_torch():
    code = (
        "import sys; sys.modules['torch'] = sys.modules['transformers'] = None; "
        "import auditor.findings; print('scipy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
