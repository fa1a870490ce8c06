"""From evidence to findings: one function is the table of contents."""

from collections.abc import Mapping, Sequence

from auditor.findings import abridgement
from auditor.findings.analyses.agreement import agree_on
from auditor.findings.analyses.answers import pair
from auditor.findings.analyses.attention import describe_layers, summarise_attention
from auditor.findings.analyses.explanations import summarise_explanations
from auditor.findings.analyses.perplexity import summarise_perplexity
from auditor.findings.analyses.predictions import summarise_predictions
from auditor.findings.analyses.pseudo_perplexity import summarise_pseudo_perplexity
from auditor.findings.analyses.special_tokens import describe_special_tokens
from auditor.findings.evidence import Context, Evidence
from auditor.findings.judgement.checks import judge_all
from auditor.findings.judgement.coverage import cover, describe_limits, failed_share, list_documents
from auditor.findings.judgement.pointers import point
from auditor.findings.judgement.verdict import decide
from auditor.findings.parts import measure_parts, sliceable
from auditor.findings.slices import count_comparisons, slice_corpus
from auditor.findings.types import Check, Findings, Number, Result
from auditor.languages import speaking

KEY_NUMBERS = 5
_CLASSIFICATION = (
    "accuracy",
    "calibration_error",
    "lime.fidelity",
    "perplexity.bits_per_byte",
    "attention.sink_share",
    "mean_entropy",
    "perplexity.corpus",
    "lime.low_fidelity_share",
)
_GENERATION = (
    "accuracy",
    "perplexity.corpus",
    "perplexity.bits_per_byte",
    "lime.fidelity",
    "attention.sink_share",
    "generation.mean_logprob",
    "mean_entropy",
)
_FILL_MASK = (
    "pseudo_perplexity.corpus",
    "pseudo_perplexity.median",
    "attention.sink_share",
    "perplexity.bits_per_byte",
)
_KEY_NUMBERS = {"text-classification": _CLASSIFICATION, "text-generation": _GENERATION, "fill-mask": _FILL_MASK}

_WORST_FIRST: tuple[Result, ...] = ("fail", "watch", "not judged", "pass")


def summarise(evidence: Evidence, context: Context) -> Findings:
    """Everything that follows from the evidence: numbers, checks, verdict, and where to look, in words of the report.

    The same evidence, bounds, seed and language give the same findings, digit for digit.
    """
    with speaking(context.presentation.language):
        return _summarise(evidence, context)


def _summarise(evidence: Evidence, context: Context) -> Findings:
    seed, columns = context.seed, sliceable(evidence.documents)
    answers = pair(evidence, context.multi_label)
    explained = [explanation for _, explanation in evidence.measured(evidence.explanations)]
    coverage = cover(evidence, context)

    candidates = context.task == "text-generation"
    predictions, answer_numbers = summarise_predictions(answers, candidates=candidates, seed=seed)
    explanations, lime_numbers = summarise_explanations(explained, answers, seed)
    attention, attention_numbers = summarise_attention(
        [record for _, record in evidence.measured(evidence.attention)], agree_on(evidence, seed), seed
    )
    perplexity, perplexity_numbers = summarise_perplexity(
        tuple(evidence.measured(evidence.perplexity)),
        columns,
        "perplexity" in context.references,
        seed,
    )
    filled, filled_numbers = summarise_pseudo_perplexity(
        tuple(evidence.measured(evidence.pseudo_perplexity)),
        columns,
        "pseudo_perplexity" in context.references,
        seed,
    )
    whole = [*answer_numbers, *lime_numbers, *attention_numbers, *perplexity_numbers, *filled_numbers]
    parts = list(measure_parts(evidence, answers, whole, candidates=candidates, seed=seed))
    slices = slice_corpus(parts)
    numbers = [*whole, failed_share(evidence), *(number for part in parts for number in part.numbers)]
    by_name = {number.name: number for number in numbers}
    checks = judge_all(numbers, context.checks)
    found = Findings(
        title=context.title,
        task=context.task,
        run_id=context.run_id,
        plan_id=context.plan_id,
        created=context.created,
        presentation=context.presentation,
        model=dict(context.model),
        corpus=dict(context.corpus),
        provenance=dict(context.provenance),
        parameters={probe: dict(values) for probe, values in context.parameters.items()},
        verdict=decide(checks, coverage),
        checks=checks,
        key_numbers=_key_numbers(context.task, by_name, checks),
        pointers=point(checks, slices, coverage, answers, predictions, explanations, attention, by_name),
        coverage=coverage,
        notes=(
            *describe_special_tokens(evidence, context),
            *context.notes,
            *describe_layers(attention),
            *describe_limits(coverage),
        ),
        numbers=tuple(numbers),
        slices=slices,
        n_comparisons=count_comparisons(slices),
        predictions=predictions,
        explanations=explanations,
        attention=attention,
        perplexity=perplexity,
        pseudo_perplexity=filled,
        documents=(),
        computing=context.computing,
    )
    if len(evidence.documents) > abridgement.MOST_ROWS:
        return abridgement.abridge(found, evidence)
    return found.model_copy(update={"documents": list_documents(evidence, answers)})


def _key_numbers(task: str, numbers: Mapping[str, Number], checks: Sequence[Check]) -> tuple[Number, ...]:
    """The task's numbers that a check holds, the other required checks' from the worst on, then numbers unbound."""
    usual, checked = _KEY_NUMBERS[task], {check.name for check in checks}
    others = [check for check in checks if check.required and check.name not in usual]
    names = [name for name in usual if name in checked]
    names += [check.name for check in sorted(others, key=lambda check: _WORST_FIRST.index(check.result))]
    names += [name for name in usual if name not in checked]
    found = [numbers[name] for name in names if name in numbers and numbers[name].is_measured]
    return tuple(found[:KEY_NUMBERS])
