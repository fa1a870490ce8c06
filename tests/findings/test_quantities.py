"""One number is declared once: its name, unit and limits, where it stands on page one, whether parts are compared."""

import math

import pytest
from of_others import LengthSummary, lengths
from worked_example import context, continuation_evidence, evidence, multi_label_evidence, with_rows

from auditor.findings import Bound, Evidence, Prospect, fault_of, names, summarise
from auditor.findings.contract.quantity import Quantity
from auditor.findings.contract.registry import quantities, quantity_of
from auditor.findings.contract.summary import Setting
from auditor.findings.judgement.coverage import FAILED_SHARE
from auditor.findings.judgement.limits import limits
from auditor.findings.slicing.slices import MOST_LABELS, base_name
from auditor.findings.statistics.intervals import estimate
from auditor.findings.summary import _usual
from auditor.records.types import Document, Prediction

EXPLAINED = frozenset({"lime", "occlusion", "faithfulness"})
ALL = frozenset({"prediction", "attention", "perplexity", "pseudo_perplexity"}) | EXPLAINED
CLASSIFIER = frozenset({"prediction", "lime", "attention", "perplexity"})


def runs():
    whole = evidence()
    return {
        "classifier": summarise(whole, context()),
        "multi-label": summarise(multi_label_evidence(), context(multi_label=True)),
        "generator": summarise(continuation_evidence(), context(task="text-generation", kind="generator")),
    }


@pytest.mark.parametrize("run", ["classifier", "multi-label", "generator"])
def test_every_number_of_a_run_is_a_declared_quantity_within_its_limits(run):
    for number in runs()[run].numbers:
        quantity = quantity_of(number.name) or FAILED_SHARE
        assert quantity.is_of(number.name)
        assert number.unit == quantity.unit
        assert (quantity.low, quantity.high) == limits(number.name)
        for end in (number.low, number.value, number.high):
            assert end is None or quantity.low <= end <= quantity.high, number.name


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("accuracy", 0, 1),
        ("recall[positive]{length=short}", 0, 1),
        ("recall[{x}]{a[b]=[c]{d}}", 0, 1),
        ("calibration_error{a=perplexity.corpus}", 0, 1),
        ("coverage.failed_share", 0, 1),
        ("attention.head_share[sink]", 0, 1),
        ("generation.candidate_mass", 0, 1),
        ("mean_entropy", 0, math.inf),
        ("generation.mean_logprob{a=b}", -math.inf, 0),
        ("lime.fidelity", -math.inf, 1),
        ("lime.decisive_share", 0, 1),
        ("attention.agreement{length=short}", -1, 1),
        ("perplexity.bits_per_byte", 0, math.inf),
        ("perplexity.corpus{a=b}", 1, math.inf),
        ("perplexity.word", 1, math.inf),
        ("pseudo_perplexity.median", 1, math.inf),
    ],
)
def test_limits_are_those_of_the_quantity_for_every_label_and_slice(name, low, high):
    assert limits(name) == (low, high)


@pytest.mark.parametrize(
    ("name", "bound", "fault"),
    [
        ("accuracy", Bound(at_least=0), "at_least = 0 cannot be broken: the number lies between 0 and 1"),
        ("accuracy", Bound(at_least=1.5), "at_least = 1.5 cannot be kept: the number lies between 0 and 1"),
        ("f1[yes]{a=b}", Bound(at_most=1), "at_most = 1 cannot be broken: the number lies between 0 and 1"),
        ("attention.agreement", Bound(at_most=-2), "at_most = -2 cannot be kept: the number lies between -1 and 1"),
        ("perplexity.corpus", Bound(at_least=1), "at_least = 1 cannot be broken: the number lies between 1 and inf"),
        ("attention.agreement", Bound(at_least=0), None),
        ("lime.fidelity", Bound(at_most=-5), None),
        ("mean_entropy", Bound(at_most=7), None),
    ],
)
def test_a_bound_that_judges_nothing_is_a_fault(name, bound, fault):
    assert fault_of(name, bound) == fault


LABELLED = {"accuracy", "macro_f1", "calibration_error", "mean_entropy"}
EACH = {f"{score}[{label}]" for score in ("precision", "recall", "f1") for label in ("no", "yes")}
HEADS = {f"attention.head_share[{name}]" for name in ("previous", "next", "broad", "special", "punctuation", "sink")}
LIME = {"lime.fidelity", "lime.stability", "lime.low_fidelity_share", "lime.decisive_share"}
OF_SHOWN = {
    f"explanations.{name}" for name in ("reliable_share", "normalised_comprehensiveness", "normalised_sufficiency")
}
ACTED_UPON = OF_SHOWN | {"lime.faithfulness", "occlusion.faithfulness"}


@pytest.mark.parametrize(
    ("probes", "known", "expected"),
    [
        ({"prediction"}, {"labels": ("no", "yes")}, LABELLED | EACH),
        ({"prediction"}, {"labels": ("no", "yes"), "labelled": False}, {"mean_entropy"}),
        ({"prediction"}, {"labels": ("no", "yes"), "multi_label": True}, LABELLED | EACH | {"exact_match", "micro_f1"}),
        ({"prediction"}, {"labels": ("no", "yes"), "multi_label": True, "labelled": False}, {"mean_entropy"}),
        (
            {"prediction"},
            {"labels": ("no", "yes"), "candidates": True, "labelled": False},
            {"mean_entropy", "generation.candidate_mass"},
        ),
        ({"prediction"}, {"candidates": True}, {"generation.mean_logprob"}),
        ({"lime"}, {}, LIME),
        ({"occlusion"}, {}, {"occlusion.largest_effect"}),
        (EXPLAINED, {}, LIME | {"occlusion.largest_effect"} | ACTED_UPON),
        ({"attention"}, {}, HEADS | {"attention.sink_share"}),
        ({"attention"}, {"causal": True}, HEADS - {"attention.head_share[next]"} | {"attention.sink_share"}),
        ({"attention"}, {"causal": False}, HEADS - {"attention.head_share[sink]"} | {"attention.sink_share"}),
        ({"attention", "lime"}, {}, HEADS | LIME | {"attention.sink_share", "attention.agreement"}),
        ({"attention_rollout"}, {}, set()),
        ({"attention_rollout", "faithfulness"}, {}, OF_SHOWN | {"attention_rollout.faithfulness"}),
        (
            {"occlusion", "head_ablation"},
            {},
            {"occlusion.largest_effect", "head_ablation.mattering_share", "head_ablation.agreement[occlusion]"},
        ),
        ({"activations"}, {}, {"activations.dead_share", "activations.outlier_share"}),
        ({"perplexity"}, {}, {f"perplexity.{n}" for n in ("corpus", "mean", "median", "bits_per_byte", "word")}),
        ({"pseudo_perplexity"}, {}, {f"pseudo_perplexity.{n}" for n in ("corpus", "mean", "median")}),
        ({"nobody"}, {"labels": ("no", "yes")}, set()),
    ],
)
def test_the_names_that_a_run_can_give_follow_from_what_is_known_of_it(probes, known, expected):
    assert names(Prospect(frozenset(probes), **known), {}) == expected | {"coverage.failed_share"}


def test_columns_of_two_to_twelve_values_have_every_name_but_that_of_the_coverage():
    columns = {"one": ["a", "a"], "two": ["a", "b"], "many": [str(i) for i in range(13)]}
    found = names(Prospect(frozenset({"pseudo_perplexity"})), columns)
    sliced = {name for name in found if "{" in name}
    assert sliced == {f"pseudo_perplexity.{n}{{two={v}}}" for n in ("corpus", "mean", "median") for v in "ab"}


def shown_first(prospect, **setting):
    """The numbers of page one, in their order, of those that such a run can give."""
    return [name for name in _usual(Setting(**setting)) if name in names(prospect, {})]


def test_page_one_of_a_classifier_has_the_surprise_of_a_reference_model_in_its_middle():
    prospect = Prospect(CLASSIFIER, ("no", "yes"))
    assert shown_first(prospect, references={"perplexity": "a-language-model"}) == [
        *("accuracy", "calibration_error", "lime.fidelity", "perplexity.bits_per_byte", "attention.sink_share"),
        *("mean_entropy", "perplexity.corpus", "lime.low_fidelity_share"),
    ]


def test_page_one_of_a_model_that_generates_has_its_own_perplexity_before_explanations():
    candidates = Prospect(CLASSIFIER, ("no", "yes"), candidates=True)
    assert shown_first(candidates, kind="generator") == [
        *("accuracy", "perplexity.corpus", "perplexity.bits_per_byte", "lime.fidelity", "attention.sink_share"),
        "mean_entropy",
    ]
    assert shown_first(Prospect(CLASSIFIER, candidates=True), kind="generator") == [
        *("perplexity.corpus", "perplexity.bits_per_byte", "lime.fidelity", "attention.sink_share"),
        "generation.mean_logprob",
    ]


def test_page_one_of_a_masked_model_begins_with_its_pseudo_perplexity():
    prospect = Prospect(frozenset({"attention", "perplexity", "pseudo_perplexity"}))
    assert shown_first(prospect, kind="masked") == [
        *("pseudo_perplexity.corpus", "pseudo_perplexity.median", "attention.sink_share", "perplexity.bits_per_byte")
    ]


def test_the_pseudo_perplexity_of_a_reference_model_is_on_page_one_only_where_a_check_is_about_it():
    prospect, references = Prospect(ALL, ("no", "yes")), {"perplexity": "a", "pseudo_perplexity": "b"}
    assert not any(name.startswith("pseudo") for name in shown_first(prospect, references=references))


def test_a_number_that_was_not_measured_leaves_its_place_on_page_one_to_the_next():
    bare = summarise(with_rows(evidence(), lime={}, attention={}, perplexity={}), context())
    assert [number.name for number in bare.key_numbers] == ["accuracy", "calibration_error", "mean_entropy"]


def test_an_interval_ends_where_the_quantity_does():
    share = Quantity(name="x", title="X", unit="share")
    made = share.number(estimate(0.9, -0.1, 1.2, 12), "How.")
    assert (made.low, made.value, made.high) == (0.0, 0.9, 1.0)
    perplexity = Quantity(name="x", title="X", unit="perplexity", low=1.0, high=math.inf)
    made = perplexity.number(estimate(0.5, -0.3, 2.0, 12), "How.")
    assert (made.low, made.nats.low, made.nats.high) == (1.0, 0.0, 2.0)
    beyond = share.number(estimate(1.5, 0.5, 2.5, 12), "How.")  # its limits are not what was declared
    assert (beyond.low, beyond.high) == (0.5, 2.5)


def test_a_number_is_made_on_the_scale_of_its_unit():
    family = Quantity(name="x.share", title="Share, {label}", unit="share")
    made = family.number(estimate(0.5, 0.25, 0.75, 8), "How.", "a[b]")
    assert (made.name, made.title, made.value, made.n, made.nats) == ("x.share[a[b]]", "Share, a[b]", 0.5, 8, None)
    assert family.number(estimate(0.5, None, None, 1), "How.", "a", "Other").title == "Other"
    perplexity = Quantity(name="x", title="X", unit="perplexity").number(estimate(math.log(8), 0.0, 800.0, 8), "How.")
    assert (perplexity.value, perplexity.low, perplexity.high) == (pytest.approx(8), 1.0, None)
    assert perplexity.nats.high == 800.0


def test_a_quantity_knows_its_own_numbers_from_others_that_begin_alike():
    recall = quantities()["recall"]
    assert all(map(recall.is_of, ("recall", "recall[a]", "recall{a=b}", "recall[{x}]{a=b}")))
    assert not any(map(recall.is_of, ("recalls", "recall.other", "recall_low[a]")))
    assert quantity_of("recall[f1]{accuracy=macro_f1}") is recall
    assert quantity_of("nobody[recall]") is None


def of_labels(n):
    """Documents and answers of a classifier with so many labels, in two parts of the corpus."""
    labels = tuple(f"l{k}" for k in range(n))
    documents = tuple(Document(f"d{i}", "x", labels=(labels[i % n],), metadata={"half": str(i % 2)}) for i in range(80))
    even = (1 / n,) * n
    rows = {d.id: Prediction(d.id, labels, even, even, d.labels, 1.0, 3, False) for d in documents}
    return Evidence(documents, {"prediction": rows})


@pytest.mark.parametrize("n", [2, MOST_LABELS, MOST_LABELS + 1, 9])
def test_a_family_of_more_than_four_labels_is_not_compared_label_by_label(n):
    rows = summarise(of_labels(n), context(asked={"prediction": 80})).slices
    compared = [base_name(number) for number in rows[0].numbers]
    recalls = [f"recall[l{k}]" for k in range(n)] if n <= MOST_LABELS else []
    assert compared == ["accuracy", "macro_f1", *recalls, "mean_entropy"]


@pytest.mark.parametrize(("n", "compared"), [(MOST_LABELS, MOST_LABELS), (MOST_LABELS + 1, 0)])
def test_so_is_a_family_of_a_third_party_while_its_other_numbers_are_compared(registered, n, compared):
    kinds = tuple(f"kind {i}" for i in range(n))
    registered(length=LengthSummary(*kinds))
    whole = evidence()
    found = summarise(with_rows(whole, length=lengths(whole.documents, kinds)), context())
    own = [base_name(number) for number in found.slices[0].numbers if number.name.startswith("length.")]
    assert own == ["length.characters", *(f"length.share[{kind}]" for kind in kinds[:compared])]
    assert sum(number.name.startswith("length.share[") for number in found.numbers) == 3 * n
