"""From evidence to findings: one function is the table of contents."""

from collections.abc import Iterator, Mapping, Sequence

from auditor.findings import abridgement
from auditor.findings.analyses.answers import is_labelled, pair
from auditor.findings.analyses.special_tokens import describe_special_tokens
from auditor.findings.analyses.worst_slice import choose_in_worst_slice
from auditor.findings.contract.context import Context
from auditor.findings.contract.evidence import Evidence
from auditor.findings.contract.finding import Finding
from auditor.findings.contract.registry import summaries
from auditor.findings.contract.summary import Setting, Whole
from auditor.findings.contract.types import (
    Check,
    Choice,
    Coverage,
    Findings,
    Number,
    Pointer,
    Result,
    SliceRow,
    Verdict,
)
from auditor.findings.judgement.checks import judge_all
from auditor.findings.judgement.conclusion import Decided, conclude
from auditor.findings.judgement.coverage import cover, describe_limits, failed_share, list_documents
from auditor.findings.judgement.pointers import point
from auditor.findings.judgement.verdict import decide
from auditor.findings.judgement.waivers import waived
from auditor.findings.slicing.parts import measure_parts, sliceable
from auditor.findings.slicing.slices import count_comparisons, slice_corpus
from auditor.languages import speaking

KEY_NUMBERS = 5
_WORST_FIRST: tuple[Result, ...] = ("fail", "watch", "not judged", "pass")


def summarise(evidence: Evidence, context: Context) -> Findings:
    """Everything that follows from the evidence: numbers, checks, verdict, and where to look, in words of the report.

    The same evidence, bounds, seed and language give the same findings, digit for digit.
    """
    with speaking(context.presentation.language):
        return _summarise(evidence, context)


def _summarise(evidence: Evidence, context: Context) -> Findings:
    setting = setting_of(evidence, context)
    analyses, whole = _conclude(evidence, setting)
    parts = list(measure_parts(evidence, setting, whole))
    slices, coverage = slice_corpus(parts, whole), cover(evidence, context)
    numbers = [*whole, failed_share(evidence), *(number for part in parts for number in part.numbers)]
    checks = judge_all(numbers, context.checks, context.baseline)
    waivers = waived(context.waivers, checks, context.baseline, context.created)
    drawn = Whole(evidence, setting, {number.name: number for number in numbers}, checks)
    verdict, conclusion, pointers = _page_one(coverage, slices, analyses, drawn, Decided(context.baseline, waivers))
    findings = Findings(
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
        verdict=verdict,
        checks=checks,
        waivers=waivers,
        key_numbers=_key_numbers(setting, drawn.numbers, checks),
        conclusion=conclusion,
        pointers=pointers,
        coverage=coverage,
        notes=_notes(evidence, context, analyses, coverage),
        numbers=tuple(numbers),
        slices=slices,
        n_comparisons=count_comparisons(slices),
        analyses=analyses,
        worst=tuple(_worst(evidence, setting, slices)),
        references=dict(context.references),
        computing=context.computing,
        structures=context.structures,
        self_checks=context.self_checks,
    )
    return _with_documents(findings, evidence, setting)


def _with_documents(findings: Findings, evidence: Evidence, setting: Setting) -> Findings:
    """The findings with the rows of all documents, or of those that stay on the page where there are too many."""
    if len(evidence.documents) > abridgement.MOST_ROWS:
        return abridgement.abridge(findings, evidence)
    answers = pair(evidence, setting.multi_label)
    return findings.model_copy(update={"documents": list_documents(evidence, answers, setting.references)})


def _page_one(
    coverage: Sequence[Coverage],
    slices: Sequence[SliceRow],
    analyses: Mapping[str, Finding],
    whole: Whole,
    decided: Decided,
) -> tuple[Verdict, tuple[Pointer, ...], tuple[Pointer, ...]]:
    """The verdict, what is concluded topic by topic, and where else to look."""
    verdict = decide(whole.checks, coverage, decided.waivers)
    concluded = conclude(verdict, whole.checks, coverage, slices, whole.setting.references, decided)
    pointed = point(coverage, analyses, whole)
    topics = (*concluded, *(one for one in pointed if one.topic))
    return verdict, topics, tuple(one for one in pointed if not one.topic)


def _notes(
    evidence: Evidence, context: Context, analyses: Mapping[str, Finding], coverage: Sequence[Coverage]
) -> tuple[str, ...]:
    """What page one must state: special tokens, what the plan noted, what summaries note, limits of the coverage."""
    of_summaries = [note for probe, analysis in analyses.items() for note in summaries()[probe].notes(analysis)]
    return (
        *describe_special_tokens(evidence, context),
        *context.notes,
        *of_summaries,
        *describe_limits(coverage),
    )


def setting_of(evidence: Evidence, context: Context) -> Setting:
    """How the findings of a whole corpus are drawn."""
    return Setting(
        seed=context.seed,
        multi_label=context.multi_label,
        kind=context.kind,
        labelled=is_labelled(evidence),
        columns=sliceable(evidence.documents),
        references=context.references,
    )


def _conclude(evidence: Evidence, setting: Setting) -> tuple[dict[str, Finding], list[Number]]:
    """Probe → findings, of the probes that measured something, and the numbers of the whole corpus of all of them."""
    conclusions = {probe: summary.summarise(evidence, setting) for probe, summary in summaries().items()}
    made = {probe: conclusion for probe, conclusion in conclusions.items() if conclusion is not None}
    numbers = [number for conclusion in made.values() for number in conclusion.numbers]
    return {probe: conclusion.findings for probe, conclusion in made.items()}, numbers


def _worst(evidence: Evidence, setting: Setting, slices: Sequence[SliceRow]) -> Iterator[Choice]:
    """The choices of all rules that found something."""
    choices = [
        choice.model_copy(update={"probe": probe})
        for probe, summary in summaries().items()
        for choice in summary.worst(evidence, setting)
    ]
    choices.append(choose_in_worst_slice(slices, evidence, setting))
    yield from (choice for choice in choices if choice.documents)


def _key_numbers(setting: Setting, numbers: Mapping[str, Number], checks: Sequence[Check]) -> tuple[Number, ...]:
    """The usual ones that a check holds, the other required checks' from the worst on, then usual ones unbound."""
    usual, checked = _usual(setting), {check.name for check in checks}
    others = [check for check in checks if check.required and check.name not in usual]
    names = [name for name in usual if name in checked]
    names += [check.name for check in sorted(others, key=lambda check: _WORST_FIRST.index(check.result))]
    names += [name for name in usual if name not in checked]
    key_numbers = [numbers[name] for name in names if name in numbers and numbers[name].is_measured]
    return tuple(key_numbers[:KEY_NUMBERS])


def _usual(setting: Setting) -> list[str]:
    """Names of the quantities that page one shows, by their rank."""
    ranks: dict[str, int] = {}
    for summary in summaries().values():
        for quantity in summary.quantities:
            rank = quantity.page_one.rank(setting.kind)
            if rank is not None:
                ranks[quantity.name] = rank
    return sorted(ranks, key=lambda name: ranks[name])
