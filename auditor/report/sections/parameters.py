"""What each parameter was set to, and what that came to in this run: part of the page on methods.

A parameter that was left to its default, or to `auto`, is resolved as far as the chapter of its probe knows it
(`auditor.report.contract.Chapter.parameters`); the rest is printed as it was set.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from auditor.findings.types import Findings
from auditor.languages import plural, say
from auditor.report.chapters import chapter_of, chapters
from auditor.report.contract import Meaning, Parameter
from auditor.report.drawing import formats
<<<<<<< HEAD
=======
from auditor.report.sections.explanations import SEGMENTS

_SCORED = {"perplexity": "perplexity", "pseudo_perplexity": "pseudo_perplexity"}
"""Probe → field of the findings that knows its model and context."""
_TITLES = {
    "prediction": N_("Predictions"),
    "lime": N_("LIME"),
    "attention": N_("Attention"),
    "perplexity": N_("Perplexity"),
    "pseudo_perplexity": N_("Pseudo-perplexity"),
}
_FIXED = {
    ("lime", "kernel_width"): N_("σ of the kernel π"),
    ("lime", "top_labels"): N_("labels explained, the most probable first; this report shows the first"),
}
_KEPT = {
    "cards": N_("variants and answers kept with the evidence: of documents that may be shown in this report"),
    "all": N_("variants and answers kept with the evidence: of every document"),
    "none": N_("variants and answers not kept with the evidence"),
}
>>>>>>> house


@dataclass(frozen=True, slots=True)
class Row:
    """One parameter."""

    name: str
    value: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Group:
    """The parameters of one probe, or of the whole run."""

    title: str
    rows: tuple[Row, ...]


def groups(findings: Findings) -> tuple[Group, ...]:
    """The run's own parameters, then those of each probe."""
    whole = Group(say("Whole run"), tuple(_run(findings)))
    probes = [
        Group(_title(probe), tuple(_row(findings, probe, name, values) for name in values))
        for probe, values in sorted(findings.parameters.items(), key=lambda item: _order(item[0]))
    ]
    return tuple(group for group in (whole, *probes) if group.rows)


def _order(probe: str) -> int:
    return list(chapters()).index(probe) if probe in chapters() else len(chapters())


def _title(probe: str) -> str:
    chapter = chapter_of(probe)
    return say(chapter.name or chapter.title) if chapter else formats.middle(probe, 60)


def _run(findings: Findings) -> list[Row]:
    rows = []
    if seed := findings.provenance.get("Seed"):
        meaning = say("of samples of documents, of perturbations (with each document’s text) and of bootstraps")
        rows.append(Row("seed", formats.middle(seed, 60), meaning))
    if dtype := findings.model.get("Data type"):
        rows.append(Row("dtype", formats.middle(dtype, 60), formats.middle(findings.model.get("Statistics", ""), 120)))
    return rows


def _row(findings: Findings, probe: str, name: str, values: Mapping[str, str]) -> Row:
    parameter = Parameter(findings, probe, values[name], values)
    printed = say("not set") if parameter.is_unset else formats.middle(parameter.value, 400)
    return Row(formats.middle(name, 60), printed, _meaning(parameter, name))


def _meaning(parameter: Parameter, name: str) -> str:
    chapter = chapter_of(parameter.probe)
    meaning: Meaning = (chapter.parameters.get(name) if chapter else None) or _OF_ANY.get(name, "")
    if callable(meaning):
        return meaning(parameter)
    return say(meaning) if meaning else ""


def _limit(parameter: Parameter) -> str:
    coverage = next((c for c in parameter.findings.coverage if c.probe == parameter.probe), None)
    if coverage is None:
        return ""
    if coverage.asked >= coverage.corpus:
        return plural(coverage.asked, "all of the corpus: {n} document", "all of the corpus: {n} documents")
    return say(
        "{asked} of {documents}, a sample drawn by the seed",
        asked=formats.count(coverage.asked),
        documents=plural(coverage.corpus, "{n} document", "{n} documents"),
    )


def _model(parameter: Parameter) -> str:
    return say("the audited model") if parameter.is_unset else say("a reference model, not the audited one")


<<<<<<< HEAD
_OF_ANY: Mapping[str, Meaning] = {"limit": _limit, "model": _model}
"""Parameters that probes have in common."""
=======
def _only_auto(meaning: str) -> Callable[[_Setting], str]:
    def resolve(setting: _Setting) -> str:
        return say(meaning) if setting.siblings.get("n_samples") == "auto" else say("not used: n_samples is a number")

    return resolve


def _segmenter(setting: _Setting) -> str:
    if setting.findings.explanations is None:
        return ""
    return formats.listed(
        say(
            "{segments} ({documents})",
            segments=translated(SEGMENTS.get(name, name)),
            documents=plural(n, "{n} document", "{n} documents"),
        )
        for name, n in setting.findings.explanations.segmenters.items()
    )


def _bow(setting: _Setting) -> str:
    if setting.value == "True":
        return say("a word is one segment, at all places where it stands")
    return say("each place of a word is a segment of its own")


def _num_features(setting: _Setting) -> str:
    if setting.is_unset:
        return say("every segment has a weight")
    return say("only so many segments of a document have a weight")


def _keep(setting: _Setting) -> str:
    return say(_KEPT[setting.value]) if setting.value in _KEPT else ""


def _model(setting: _Setting) -> str:
    return say("the audited model") if setting.is_unset else say("a reference model, not the audited one")


def _context_length(setting: _Setting) -> str:
    found = getattr(setting.findings, _SCORED[setting.probe]) if setting.probe in _SCORED else None
    return "" if found is None else plural(found.context_length, "{n} token", "{n} tokens")


def _stride(setting: _Setting) -> str:
    found = setting.findings.perplexity
    return "" if found is None else plural(found.stride, "{n} token", "{n} tokens")


_RESOLVERS: dict[tuple[str, str], Callable[[_Setting], str]] = {
    ("", "limit"): _limit,
    ("", "model"): _model,
    ("", "context_length"): _context_length,
    ("perplexity", "stride"): _stride,
    ("lime", "n_samples"): _n_samples,
    ("lime", "tolerance"): _only_auto(N_("share of the largest weight that the widest 95% interval has to fall below")),
    ("lime", "max_samples"): _only_auto(N_("the most variants of one document")),
    ("lime", "segmenter"): _segmenter,
    ("lime", "bow"): _bow,
    ("lime", "num_features"): _num_features,
    ("lime", "keep"): _keep,
}
"""(Probe, parameter) → what it came to; of any probe where the first is empty."""
>>>>>>> house
