"""Which phrases of two words do more together than their words do alone?

Of two words that stand side by side an explanation may say what each does without the other (a, b) and what both do
together (t), toward its label (`auditor.records.explanations.Pair`). Over the documents that have the phrase, toward
one label (of two labels as in `auditor.findings.analyses.words`), with s the sign of the mean of t,

    excess   s·t − max(s·(a + b), s·a, s·b)   in each document: beyond what adding up says, and beyond either word

A phrase beats its words where at least three documents have it and the Student's t intervals of the mean of t and of
the mean excess both exclude zero, the latter above it. The maximum errs against the phrase. "Not good" does, where
"good" alone speaks for a label and both together against it; a phrase of which one word is enough does not. Two
function words make no phrase.

Pairs that several explanations of one document give to equal words (segments not merged) are averaged within it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from auditor.findings.analyses.function_words import is_function_word
from auditor.findings.analyses.global_words import same_sign
from auditor.findings.contract.finding import Finding
from auditor.findings.contract.numbers import number, of_label
from auditor.findings.contract.types import Number, Unit
from auditor.findings.statistics.intervals import Estimate, student
from auditor.languages import say
from auditor.records.explanations import Explanation

LEAST_DOCUMENTS: Final = 3
MOST = 12
"""Phrases listed for each label."""
_WITHOUT_SPACES = 0x2E80
"""From this code point on words stand beside each other: Han, kana, hangul."""

Effects = tuple[float, float, float]
"""What the first word does alone, the second alone, and both together."""


class Phrase(Finding):
    """Two words that do more together than alone."""

    text: str
    n_documents: int
    together: Number
    """Mean over these documents."""
    first_alone: float
    second_alone: float
    """Means of what each word does without the other."""
    same_sign: float
    """Share of these documents in which both together have the sign that most of them have."""


class Phrases(Finding):
    """The phrases that were looked at for one label."""

    label: str
    n_documents: int
    """That have any pair of words."""
    n_phrases: int
    """In at least three of them."""
    phrases: tuple[Phrase, ...]
    """Those that beat their words, by size."""


def phrases(explanations: Sequence[Explanation], probe: str, both: Sequence[str] = ()) -> tuple[Phrases, ...]:
    """The phrases of each label, labels by name; labels without any pair of words are left out.

    Args:
        explanations: Of one method, that are to be relied on.
        probe: Which the names of the numbers begin with.
        both: The labels of a model that gives one of two; empty with more of them, or several at a time.
    """
    by_label: dict[str, list[Explanation]] = defaultdict(list)
    for explanation in explanations:
        if explanation.pairs:
            by_label[both[1] if both else explanation.targets[0].label].append(explanation)
    return tuple(_of_label(label, by_label[label], probe) for label in sorted(by_label))


def _of_label(label: str, explanations: Sequence[Explanation], probe: str) -> Phrases:
    effects: dict[str, list[Effects]] = defaultdict(list)
    for explanation in explanations:
        sign = 1 if explanation.targets[0].label == label else -1
        for text, several in _effects(explanation, sign):
            effects[text].append(several)
    looked_at = {text: np.array(several) for text, several in effects.items() if len(several) >= LEAST_DOCUMENTS}
    unit: Unit = "log-probability" if explanations[0].unit == "log-probability" else "probability"
    name = of_label(f"{probe}.phrase", label)
    beating = [
        _phrase(text, several, of_label(name, text), unit)
        for text, several in looked_at.items()
        if beats_its_words(several)
    ]
    ranked = sorted(beating, key=lambda phrase: (-abs(phrase.together.value or 0.0), phrase.text))
    return Phrases(label=label, n_documents=len(explanations), n_phrases=len(looked_at), phrases=tuple(ranked[:MOST]))


def _effects(explanation: Explanation, sign: int) -> Iterable[tuple[str, Effects]]:
    """Phrase → what it does in one document."""
    words = [segment.text.strip().casefold() for segment in explanation.segments]
    of_phrase: dict[str, list[Effects]] = defaultdict(list)
    for pair in explanation.pairs:
        first, second = words[pair.first], words[pair.second]
        if first and second and not (is_function_word(first) and is_function_word(second)):
            of_phrase[joined(first, second)].append((pair.first_alone, pair.second_alone, pair.together))
    for text, several in of_phrase.items():
        first_alone, second_alone, together = (sign * np.mean(several, axis=0)).tolist()
        yield text, (first_alone, second_alone, together)


def joined(first: str, second: str) -> str:
    """Two words as they stand side by side."""
    close = ord(first[-1]) >= _WITHOUT_SPACES and ord(second[0]) >= _WITHOUT_SPACES
    return first + second if close else f"{first} {second}"


def beats_its_words(effects: np.ndarray) -> bool:
    """Whether (n, 3) effects are told from zero together, and from what the words do alone."""
    first, second, together = effects.T
    mean = student(together.tolist())
    if not _excludes_zero(mean):
        return False
    sign = np.sign(together.mean())
    alone = np.maximum.reduce([sign * (first + second), sign * first, sign * second])
    excess = student((sign * together - alone).tolist())
    return excess.low is not None and excess.low > 0


def _excludes_zero(mean: Estimate) -> bool:
    return mean.low is not None and mean.high is not None and (mean.low > 0 or mean.high < 0)


def _phrase(text: str, effects: np.ndarray, name: str, unit: Unit) -> Phrase:
    first, second, together = effects.T
    protocol = say("Mean over the documents that have both words side by side; 95% interval by Student's t")
    title = say("Weight of {word}", word=text)
    return Phrase(
        text=text,
        n_documents=len(effects),
        together=number(name, title, student(together.tolist()), unit, protocol),
        first_alone=float(first.mean()),
        second_alone=float(second.mean()),
        same_sign=same_sign(together.tolist()),
    )
