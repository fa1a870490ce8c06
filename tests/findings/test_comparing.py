"""Two runs compared: each change that is made to the worked example is found, and nothing else."""

import json
from dataclasses import replace

import jsonschema
import numpy as np
import pytest
from of_others import LengthSummary, lengths
from two_nights import PROBES, answered, compared, night
from worked_example import continuation_evidence, evidence, explanation, perplexity, with_rows

from auditor.config import ModelConfig
from auditor.errors import StoreError
from auditor.findings import Bound
from auditor.findings.comparing import schema, write
from auditor.findings.comparing.drift import drift_of
from auditor.findings.statistics.intervals import wilson
from auditor.records.plan import PlannedModel, PlannedProbe
from auditor.records.types import Failure
from tests.records.planned import planned
from tests.simulations.nights import PAGE, SIZES, drifted, is_false, is_found

WRONG = {"predicted": ("positive",), "probabilities": (0.1, 0.9)}


def of(comparison, name):
    return next(one for one in comparison.numbers if one.name == name)


def all_wrong(n):
    """The first `n` negatives that were right are answered wrong."""
    return answered(evidence(), **{f"d{i:02}": WRONG for i in range(2, 2 + n)})


def test_a_night_like_the_last_has_no_change():
    comparison = compared()
    assert comparison.result == "not worse"
    assert {one.change for one in comparison.numbers} == {"none"}
    assert {(one.difference, one.p) for one in comparison.numbers} == {(0.0, 1.0)}
    assert comparison.circumstances == ()
    assert comparison.documents.n_paired == 40
    assert comparison.flips.n_flipped == 0
    assert [drift.share.value for drift in comparison.drifts] == [0.0]
    assert not any(movement.documents for movement in comparison.movements)


def test_all_compared_quantities_are_compared_and_declared_ones_stand_first():
    names = [one.name for one in compared().numbers]
    assert names[0] == "accuracy"
    assert {"macro_f1", "recall[positive]", "lime.fidelity", "perplexity.corpus", "attention.sink_share"} < {*names}
    assert "calibration_error" not in names


def test_answers_that_went_wrong_are_worse_and_named():
    comparison = compared(all_wrong(10))
    accuracy = of(comparison, "accuracy")
    assert (accuracy.before, accuracy.after, accuracy.n, accuracy.n_changed) == (34 / 40, 24 / 40, 40, 10)
    assert accuracy.p == pytest.approx(2 / 2**10)
    assert (accuracy.change, comparison.result) == ("worse", "worse")
    assert "Accuracy" in comparison.headline
    assert (comparison.flips.n_broken, comparison.flips.n_mended) == (10, 0)
    assert {flip.document_id for flip in comparison.flips.documents} == {f"d{i:02}" for i in range(2, 12)}


def test_the_same_change_the_other_way_is_better():
    comparison = compared(evidence(), before=night(all_wrong(10)))
    assert (of(comparison, "accuracy").change, comparison.result) == ("better", "not worse")
    assert comparison.flips.n_mended == 10


def test_only_declared_numbers_are_judged_where_any_is():
    checks = {"perplexity.bits_per_byte": Bound(at_most=9.0)}
    comparison = compared(all_wrong(10), before=night(checks=checks), checks=checks)
    assert [one.name for one in comparison.numbers if one.judged] == ["perplexity.bits_per_byte"]
    assert comparison.result == "not worse"
    free = compared(all_wrong(18), before=night(checks={}), checks={})
    assert all(one.judged for one in free.numbers)
    assert free.result == "worse"


def test_a_difference_below_its_floor_is_no_alarm():
    accuracy = of(compared(all_wrong(10), floors={"accuracy": 0.3}), "accuracy")
    assert (accuracy.change, accuracy.floor) == ("small", 0.3)


def test_p_values_are_corrected_among_the_declared():
    checks = {"accuracy": Bound(at_least=0.7), "macro_f1": Bound(at_least=0.7), "calibration_error": Bound(at_most=0.5)}
    comparison = compared(all_wrong(10), before=night(checks=checks), checks=checks)
    assert comparison.n_corrected == 3
    assert of(comparison, "accuracy").corrected_p == pytest.approx(3 * 2 / 2**10, rel=0.01)
    assert of(comparison, "calibration_error").better == "low"


def test_a_check_of_a_slice_is_compared_on_its_documents():
    checks = {"accuracy{length=short}": Bound(at_least=0.7)}
    comparison = compared(all_wrong(9), before=night(checks=checks), checks=checks)
    short = of(comparison, "accuracy{length=short}")
    assert (short.n, short.n_changed, short.title) == (20, 5, "Accuracy, length short")


def test_a_check_of_what_a_run_does_not_have_is_not_compared_and_nothing_is_established():
    checks = {"shap.faithfulness": Bound(at_least=0.1)}
    comparison = compared(checks=checks, before=night(checks=checks))
    assert of(comparison, "shap.faithfulness").change == "not compared"
    assert comparison.result == "not established"
    assert "shap.faithfulness" in comparison.headline


def test_a_number_of_others_that_says_nothing_of_its_documents_is_compared_without_some_of_them(registered):
    registered(length=LengthSummary("short", "long"))
    facts = with_rows(evidence(), length=lengths(evidence().documents))
    longer = {name: replace(row, characters=row.characters + 3) for name, row in facts.rows["length"].items()}
    probes = {**PROBES, "length": PlannedProbe("Length", {}, 40, None)}
    comparison = compared(with_rows(facts, length=longer), before=night(facts, probes=probes), probes=probes)
    mean, share = of(comparison, "length.characters"), of(comparison, "length.share[short]")
    assert (mean.difference, mean.change, mean.n) == (pytest.approx(3), "changed", 40)
    assert (share.difference, share.change) == (0.0, "none")
    assert mean.n_changed is None


def told_apart(documents):
    """Documents whose texts differ from each other, but for those that a test has written."""
    return tuple(d if d.text in ("Other", "New") else replace(d, text=f"{d.text} {d.id}") for d in documents)


def with_documents(documents):
    return replace(evidence(), documents=told_apart(documents))


def test_documents_are_paired_by_text_where_ids_were_given_anew():
    before = with_documents(evidence().documents)
    documents = tuple(replace(d, id=f"new-{d.id}") for d in before.documents)
    predictions = before.rows["prediction"].values()
    rows = {f"new-{row.document_id}": replace(row, document_id=f"new-{row.document_id}") for row in predictions}
    comparison = compared(replace(before, documents=documents, rows={"prediction": rows}), before=night(before))
    assert (comparison.documents.n_paired, comparison.documents.n_renamed) == (40, 40)
    assert of(comparison, "accuracy").n == 40


def test_added_removed_and_changed_documents_are_listed_and_not_compared():
    first, second, *others, relabelled, _ = evidence().documents
    changed = (replace(second, text="Other"), replace(relabelled, labels=("negative",)))
    after = with_documents((*others, *changed, replace(first, id="d99", text="New")))
    changes = compared(after, before=night(with_documents(evidence().documents))).documents
    assert changes.added == ("d99",)
    assert changes.removed == ("d00", "d39")
    assert changes.changed == ("d01", "d38")
    assert changes.n_paired == 36


def test_runs_without_a_document_in_common_or_of_two_tasks_are_refused():
    with pytest.raises(StoreError, match="no document in common"):
        compared(continuation_evidence())
    with pytest.raises(StoreError, match="only runs of one task"):
        compared(task="fill-mask")


def model(**changes):
    return replace(night().plan.model, **changes)


def test_another_tokenizer_refuses_numbers_per_token_and_not_bits_per_byte():
    comparison = compared(model=model(tokenizer_sha256="1" * 64))
    assert of(comparison, "perplexity.corpus").change == "not compared"
    assert of(comparison, "perplexity.median").reason == "The two runs tokenize the texts differently."
    assert of(comparison, "perplexity.bits_per_byte").change == "none"
    assert [one.role for one in comparison.circumstances] == ["refusal"]
    assert "perplexity_nats" not in {movement.name for movement in comparison.movements}


def test_other_settings_of_an_explainer_refuse_its_numbers_and_its_drift():
    lime = replace(PROBES["lime"], parameters={"n_samples": 200, "limit": 30})
    comparison = compared(probes={**PROBES, "lime": lime})
    assert of(comparison, "lime.fidelity").change == "not compared"
    assert comparison.drifts == ()
    (told,) = comparison.circumstances
    assert (told.role, told.key, told.before, told.after) == (
        "refusal", "probes.lime", "n_samples = 1000", "n_samples = 200",
    )  # fmt: skip
    fewer = replace(PROBES["lime"], parameters={"n_samples": 1000, "limit": 10})
    assert of(compared(probes={**PROBES, "lime": fewer}), "lime.fidelity").change == "none"


@pytest.mark.parametrize("field", ["weights_sha256", "model_class", "name"])
def test_another_model_is_a_cause(field):
    (told,) = compared(model=model(**{field: "other" * 13})).circumstances
    assert (told.role, told.key, told.text) == ("cause", f"model.{field}", "")


@pytest.mark.parametrize(("field", "value"), [("seed", 1), ("dtype", "bfloat16"), ("device", "cuda")])
def test_what_makes_a_comparison_weaker_is_said_on_top(field, value):
    (told,) = compared(**{field: value}).circumstances
    assert (told.role, told.key) == ("caution", field)
    assert told.text


@pytest.mark.parametrize("key", ["max_length", "max_new_tokens", "compile", "device_map"])
def test_a_model_that_was_asked_otherwise_is_said_on_top_and_no_number_is_sure_to_stay(key):
    asked = {"model": {"max_length": None, "max_new_tokens": 20, "compile": False, "device_map": None}}
    made = compared(before=night(configuration=asked), configuration={"model": {**asked["model"], key: 8}})
    (told,) = made.circumstances
    assert (told.role, told.key) == ("caution", f"model.{key}")
    assert told.text
    accuracy = of(made, "accuracy")
    assert (accuracy.difference, accuracy.high) == (0, pytest.approx(wilson(0, 40).high))
    same = of(compared(before=night(configuration=asked), configuration=asked), "accuracy")
    assert (same.difference, same.high) == (0, 0)


def test_every_setting_of_the_model_is_compared_or_changes_nothing_that_is_measured():
    told_elsewhere = {"name", "revision", "task", "device", "dtype", "multi_label", "prompt", "chat", "candidates"}
    changes_no_answer = {"trust_remote_code", "batch_tokens", "lock"}
    compared_here = {"max_length", "max_new_tokens", "compile", "device_map"}
    assert set(ModelConfig.model_fields) == told_elsewhere | changes_no_answer | compared_here


def test_another_sample_of_documents_is_said_on_top():
    of_file = replace(planned().corpus, n_documents=40, n_documents_in_file=200)
    told = compared(before=night(corpus=of_file), corpus=of_file, seed=1).circumstances
    assert [one.key for one in told] == ["seed", "corpus.sample"]
    fewer = {**PROBES, "lime": replace(PROBES["lime"], parameters={**PROBES["lime"].parameters, "limit": 3})}
    made = compared(probes=fewer)
    assert [(one.key, one.before, one.after) for one in made.circumstances] == [("probes.lime.limit", "30", "3")]
    assert of(made, "accuracy").high == 0, "each document that both were asked about gives the same row"


def test_another_reference_model_is_another_instrument():
    asked = {"perplexity": replace(PROBES["perplexity"], model="lm")}
    lm: PlannedModel = model(name="lm")
    before = night(probes={**PROBES, **asked}, references={"lm": lm})
    other = compared(before=before, probes={**PROBES, **asked}, references={"lm": replace(lm, weights_sha256="1" * 64)})
    assert of(other, "perplexity.bits_per_byte").reason == "The probe asked another reference model."
    assert of(other, "accuracy").change == "none"


def test_labels_that_were_renamed_are_the_reason_why_no_document_has_the_same_reference():
    renamed = evidence()
    documents = tuple(replace(one, labels=tuple(f"{label}!" for label in one.labels)) for one in renamed.documents)
    plan = replace(night().plan.model, labels=("negative!", "positive!"))
    with pytest.raises(StoreError, match=r"has other labels than run-1, so that no document has the same reference"):
        compared(replace(renamed, documents=documents), model=plan)


def test_other_labels_refuse_what_the_audited_model_says():
    comparison = compared(model=model(labels=("a", "b")))
    assert of(comparison, "accuracy").reason == "The runs have other labels."
    assert comparison.result == "not established"


def test_versions_and_corpus_are_causes():
    corpus = replace(night().plan.corpus, sha256="1" * 64)
    told = compared(versions={"auditor": "1", "torch": "3"}, corpus=corpus).circumstances
    assert {(one.key, one.before, one.after) for one in told} == {
        ("versions.auditor", "0", "1"),
        ("versions.torch", "–", "3"),
        ("corpus.sha256", "0" * 12, "1" * 12),
    }


def weighing(*weights, error=0.01, **changes):
    return replace(explanation(7, weights=weights, error=error), **changes)


BASE = (0.0, 0.02, 0.0, 0.3, 0.05, -0.4)


@pytest.mark.parametrize(
    ("weights", "error", "drifted"),
    [
        (BASE, 0.01, []),
        ((0.0, 0.02, 0.0, 0.1, 0.05, -0.4), 0.01, ["not"]),  # z = −14
        ((0.0, 0.02, 0.0, 0.1, 0.05, -0.4), 0.1, []),  # as much, and no more than sampling explains
        ((0.0, 0.02, 0.0, 0.26, 0.05, -0.4), 0.0001, []),  # surely changed, and below the floor
        ((0.0, 0.02, 0.0, 0.1, 0.05, -0.4), 0.0, ["not"]),  # nothing was sampled
        ((0.0, 0.02, 0.4, 0.0, 0.05, -0.4), 0.01, ["was", "not"]),
    ],
)
def test_an_explanation_drifts_where_a_weight_surely_changed_by_enough(weights, error, drifted):
    drift = drift_of(weighing(*BASE, error=error), weighing(*weights, error=error))
    assert [word.text for word in drift.words] == drifted if drifted else drift is None


def test_drift_is_about_answers_that_stayed():
    moved = {f"d{i:02}": explanation(i, weights=(0.5, 0.02, 0.0, 0.0, 0.05, -0.4)) for i in range(10)}
    other = {
        name: replace(row, targets=(replace(row.targets[0], label="neither"),)) for name, row in list(moved.items())[:4]
    }
    (drift,) = compared(with_rows(evidence(), lime={**moved, **other})).drifts
    assert (drift.n_compared, drift.n_other_answer) == (6, 4)
    assert drift.share.value == 1.0
    assert drift.documents[0].words[0].text == "The"


def test_documents_that_moved_are_listed_by_every_column_the_farthest_first():
    scores = {f"d{i:02}": perplexity(i) for i in range(39)}
    scores["d03"] = replace(scores["d03"], logprobs=(-9.0,) * 6)
    scores["d04"] = replace(scores["d04"], logprobs=(-2.0,) * 6)
    comparison = compared(with_rows(evidence(), perplexity={**scores, "d39": Failure("d39", "blank", "")}))
    nats = next(one for one in comparison.movements if one.name == "perplexity_nats")
    assert (nats.n, nats.n_moved) == (39, 2)
    assert [(one.document_id, one.after) for one in nats.documents] == [("d03", 9.0), ("d04", 2.0)]


def test_a_head_that_spreads_its_attention_otherwise_is_named():
    rows = evidence().rows["attention"]
    assert compared().heads[0].n_changed == 0
    steps = (0.0, 0.3, 0.05, 0.0)  # of the second head enough, of the third too little

    def moved(i, record):
        noise = (-1) ** i / 100
        return replace(record, entropy=tuple(x + step + noise for x, step in zip(record.entropy, steps, strict=True)))

    after = {name: moved(i, record) for i, (name, record) in enumerate(rows.items())}
    (changes,) = compared(with_rows(evidence(), attention=after)).heads
    (head,) = changes.heads
    assert (head.layer, head.head, changes.n_heads, changes.n) == (0, 1, 4, 40)
    assert head.after - head.before == pytest.approx(0.3)
    assert head.corrected_p < 1e-6


def test_continuations_are_compared_as_they_are_written():
    facts = continuation_evidence()
    rows = {**facts.rows["prediction"]}
    rows["g3"] = replace(rows["g3"], continuation=" never")
    comparison = compared(with_rows(facts, prediction=rows), before=night(facts, checks={}), checks={})
    (flip,) = comparison.flips.documents
    assert (flip.before.answer, flip.after.answer, flip.effect) == ((" indeed",), (" never",), "other")
    assert of(comparison, "generation.mean_logprob").change == "none"


def test_what_is_written_is_what_the_schema_says():
    content = json.loads(write(compared(all_wrong(10), seed=1)))
    jsonschema.Draft202012Validator(schema()).validate(content)
    assert content["format"] == "auditor.comparison/1"
    assert write(compared(all_wrong(10))) == write(compared(all_wrong(10)))


def test_chance_alone_seldom_changes_a_night_and_a_true_drop_is_found():
    """The table of tests/simulations with few draws."""
    rng = np.random.default_rng(0)
    assert sum(is_false(rng, 50, seed) for seed in range(20)) <= 1
    assert all(is_found(rng, 1000, seed) for seed in range(2))
    assert sum(drifted(rng, 20) for _ in range(300)) <= 3
    assert sum(drifted(rng, 20, 0.2) for _ in range(50)) >= 40


def test_the_table_of_the_simulation_keeps_what_is_promised():
    rows = [
        line.strip("| ").split(" | ")
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if "%" in line and "|" in line
    ]
    table = {row[0]: [float(cell.rstrip("%")) for cell in row[1:]] for row in rows}
    assert max(table["nothing changed: called changed"]) <= 1.5
    assert table["one dropped by 0.2 sd: found"][SIZES.index(1000)] >= 95
    assert max(table["another seed: called changed"]) <= 1


def test_a_chinese_run_is_compared_in_chinese():
    later = night(all_wrong(10))
    context = replace(later.context, presentation=later.context.presentation.model_copy(update={"language": "zh"}))
    from auditor.findings.comparing import compare

    assert "准确率" in compare(night(), replace(later, context=context)).headline
