"""Which words recur as reasons over the corpus?

For each label, over the documents whose most probable label it is: a word is a segment's text without surrounding white
space and case (casefold); its weight in a document is the sum of its segments' weights toward the label, over the
segments the surrogate may use (weights that are 0 by feature selection are not measurements). Of the words in at least
three such documents, those whose Student's t interval of the mean weight excludes zero are ranked by |mean|.

So many words are looked at that some intervals exclude zero by chance: the protocol of each says how many.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from auditor.findings.contract.finding import Finding
from auditor.findings.contract.numbers import number, of_label
from auditor.findings.contract.types import Number, Unit
from auditor.findings.statistics.intervals import Estimate, student
from auditor.languages import plural, say
from auditor.records.explanations import Explanation

LEAST_DOCUMENTS = 3
WORDS_PER_LABEL = 12


class GlobalWord(Finding):
    """A segment that recurs over the corpus, and where it pushes."""

    text: str
    label: str
    n_documents: int
    mean_weight: Number
    share_supporting: float


def rank_words(explanations: Sequence[Explanation], probe: str, method: str) -> tuple[GlobalWord, ...]:
    """Up to twelve words per label, labels by name, words by size of the mean weight.

    Args:
        explanations: Of one method, that are to be relied on.
        probe: The probe that they are of, which the names of the numbers begin with.
        method: What it is called in a sentence.
    """
    unit: Unit = "log-probability" if any(e.unit == "log-probability" for e in explanations) else "probability"
    by_label: dict[str, list[Explanation]] = defaultdict(list)
    for explanation in explanations:
        by_label[explanation.targets[0].label].append(explanation)
    return tuple(
        word
        for label in sorted(by_label)
        for word in _rank_for_label(_Series(probe, method, label, unit), by_label[label])
    )


def weights_of_words(explanation: Explanation) -> dict[str, float]:
    """Word → summed weight toward the most probable label, of the segments the surrogate may use."""
    target = explanation.targets[0]
    weights: dict[str, float] = defaultdict(float)
    for segment, weight, selected in zip(explanation.segments, target.weights, target.selected, strict=True):
        word = segment.text.strip().casefold()
        if selected and word:
            weights[word] += weight
    return weights


@dataclass(frozen=True, slots=True)
class _Series:
    """What all words of one label share."""

    probe: str
    method: str
    label: str
    unit: Unit


def _rank_for_label(series: _Series, explanations: Sequence[Explanation]) -> list[GlobalWord]:
    recurring = recurring_words(explanations)
    means = told_apart(recurring)
    ranked = sorted(means, key=lambda word: (-abs(means[word].value or 0.0), word))[:WORDS_PER_LABEL]
    return [_word(series, word, recurring[word], means[word], len(recurring)) for word in ranked]


def recurring_words(explanations: Iterable[Explanation]) -> dict[str, list[float]]:
    """Word → its weight in each document that has it, of the words that enough documents have."""
    weights: dict[str, list[float]] = defaultdict(list)
    for explanation in explanations:
        for word, weight in weights_of_words(explanation).items():
            weights[word].append(weight)
    return {word: values for word, values in weights.items() if len(values) >= LEAST_DOCUMENTS}


def told_apart(recurring: Mapping[str, list[float]]) -> dict[str, Estimate]:
    """Word → mean weight, of the words whose interval excludes zero."""
    means = {word: student(values) for word, values in recurring.items()}
    return {word: mean for word, mean in means.items() if _excludes_zero(mean)}


def _excludes_zero(mean: Estimate) -> bool:
    return mean.low is not None and mean.high is not None and (mean.low > 0 or mean.high < 0)


def _word(series: _Series, word: str, weights: list[float], mean: Estimate, n_words: int) -> GlobalWord:
    protocol = plural(
        n_words,
        "Mean {method} weight toward {label} over the documents that have the word and whose most probable label is "
        "{label}; 95% interval by Student's t; the only word looked at for this label",
        "Mean {method} weight toward {label} over the documents that have the word and whose most probable label is "
        "{label}; 95% interval by Student's t; one of {n} words looked at for this label",
        method=series.method,
        label=series.label,
    )
    name = of_label(of_label(f"{series.probe}.weight", series.label), word)
    return GlobalWord(
        text=word,
        label=series.label,
        n_documents=len(weights),
        mean_weight=number(name, say("Weight of {word}", word=word), mean, series.unit, protocol),
        share_supporting=sum(weight > 0 for weight in weights) / len(weights),
    )
