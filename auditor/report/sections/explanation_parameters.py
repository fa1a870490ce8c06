"""What the parameters of a probe of explanations came to in a run."""

from collections.abc import Callable, Mapping

from auditor.findings.analyses.explanations import ExplanationFindings
from auditor.languages import N_, plural, say, translated
from auditor.report.contract import Meaning, Parameter
from auditor.report.drawing import formats

SEGMENTS = {
    "words": N_("words"),
    "characters": N_("characters"),
    "sentences": N_("sentences"),
    "tokens": N_("tokens"),
    "lime": N_("words as the package lime cuts them"),
}
_KEPT = {
    "cards": N_("variants and answers kept with the evidence: of documents that may be shown in this report"),
    "all": N_("variants and answers kept with the evidence: of every document"),
    "none": N_("variants and answers not kept with the evidence"),
}


def _n_samples(parameter: Parameter) -> str:
    analysis = parameter.findings.analysis(parameter.probe, ExplanationFindings)
    if analysis is None:
        return ""
    drawn = say("at most {most} variants of a document", most=formats.count(analysis.n_samples))
    computed = plural(analysis.n_evaluations, "{n} distinct text computed in all", "{n} distinct texts computed in all")
    return say("{drawn}; {computed}", drawn=drawn, computed=computed)


def _only_auto(meaning: str) -> Callable[[Parameter], str]:
    def resolve(parameter: Parameter) -> str:
        is_auto = parameter.siblings.get("n_samples") == "auto"
        return say(meaning) if is_auto else say("not used: n_samples is a number")

    return resolve


def segments(segmenters: Mapping[str, int]) -> str:
    """How documents were cut, and how many of them each way."""
    return formats.listed(
        say(
            "{segments} ({documents})",
            segments=translated(SEGMENTS.get(name, name)),
            documents=plural(n, "{n} document", "{n} documents"),
        )
        for name, n in segmenters.items()
    )


def _segmenter(parameter: Parameter) -> str:
    analysis = parameter.findings.analysis(parameter.probe, ExplanationFindings)
    return segments(analysis.segmenters) if analysis else ""


def _bow(parameter: Parameter) -> str:
    if parameter.value == "True":
        return say("a word is one segment, at all places where it stands")
    return say("each place of a word is a segment of its own")


def _num_features(parameter: Parameter) -> str:
    if parameter.is_unset:
        return say("every segment has a weight")
    return say("only so many segments of a document have a weight")


def _keep(parameter: Parameter) -> str:
    return say(_KEPT[parameter.value]) if parameter.value in _KEPT else ""


PARAMETERS: Mapping[str, Meaning] = {
    "kernel_width": N_("σ of the kernel π"),
    "top_labels": N_("labels explained, the most probable first; this report shows the first"),
    "n_samples": _n_samples,
    "tolerance": _only_auto(N_("share of the largest weight that the widest 95% interval has to fall below")),
    "max_samples": _only_auto(N_("the most variants of one document")),
    "segmenter": _segmenter,
    "bow": _bow,
    "num_features": _num_features,
    "keep": _keep,
}
"""Parameter → what it came to."""
