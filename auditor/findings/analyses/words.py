"""Which words recur as reasons over the corpus?

A word is a segment's text without surrounding white space and case (casefold); its weight in a document is the sum of
its segments' weights toward the most probable label, over the segments the surrogate may use (weights that are 0 by
feature selection are not measurements).

    several labels   for each label, over the documents whose most probable label it is
    two labels       of which one is given: p and 1 − p, so that a weight toward one is its negative toward the other;
                     all documents together, toward the second label of the model

Looked at are the words in at least three such documents, content words and function words apart
(`auditor.findings.analyses.function_words`), each with

    mean         of its weights, with Student's t interval; told from zero where that excludes it
    same sign    the share of its documents whose weight has the sign that most of them have; a weight of 0 has none

So many words are looked at that some intervals exclude zero by chance: the protocol of each says how many.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from auditor.findings.analyses.function_words import is_function_word
from auditor.findings.analyses.global_words import GlobalWord, RecurringWords, WordClass, same_sign
from auditor.findings.contract.numbers import number, of_label
from auditor.findings.contract.types import Unit
from auditor.findings.statistics.intervals import student
from auditor.languages import plural, say
from auditor.records.explanations import Explanation

LEAST_DOCUMENTS = 3
MOST_CONTENT, MOST_FUNCTION = 12, 8
"""Words listed for each label."""


@dataclass(frozen=True, slots=True)
class Method:
    """Whose explanations they are."""

    probe: str
    """Which the names of the numbers begin with."""
    title: str
    """What it is called in a sentence."""


def recurring_words(
    explanations: Sequence[Explanation], method: Method, both: Sequence[str] = ()
) -> tuple[RecurringWords, ...]:
    """The words that recur, labels by name; labels with no word in enough documents are left out.

    Args:
        explanations: Of one method, that are to be relied on.
        method: Which.
        both: The labels of a model that gives one of two; empty with more of them, or several at a time.
    """
    unit: Unit = "log-probability" if any(e.unit == "log-probability" for e in explanations) else "probability"
    by_label: dict[str, list[Explanation]] = defaultdict(list)
    for explanation in explanations:
        by_label[both[1] if both else explanation.targets[0].label].append(explanation)
    against = both[0] if both else ""
    of_word = (_Toward(method, label, against, unit).words(by_label[label]) for label in sorted(by_label))
    return tuple(words for words in of_word if words.content.n_words or words.function.n_words)


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
class _Toward:
    """What all words of one label share."""

    method: Method
    label: str
    against: str
    unit: Unit

    def words(self, explanations: Sequence[Explanation]) -> RecurringWords:
        weights = self._weights(explanations)
        content = {word: of_word for word, of_word in weights.items() if not is_function_word(word)}
        function = {word: of_word for word, of_word in weights.items() if word not in content}
        return RecurringWords(
            label=self.label,
            against=self.against,
            n_documents=len(explanations),
            content=WordClass.of(self._words(content), MOST_CONTENT, with_unclear=True),
            function=WordClass.of(self._words(function), MOST_FUNCTION),
        )

    def _weights(self, explanations: Iterable[Explanation]) -> dict[str, list[float]]:
        """Word → its weight in each document that has it, of the words that enough documents have."""
        weights: dict[str, list[float]] = defaultdict(list)
        for explanation in explanations:
            sign = 1 if explanation.targets[0].label == self.label else -1
            for word, weight in weights_of_words(explanation).items():
                weights[word].append(sign * weight)
        return {word: values for word, values in weights.items() if len(values) >= LEAST_DOCUMENTS}

    def _words(self, weights: Mapping[str, list[float]]) -> list[GlobalWord]:
        return [self._word(word, values, len(weights)) for word, values in weights.items()]

    def _word(self, word: str, weights: Sequence[float], n_words: int) -> GlobalWord:
        mean = student(weights)
        name = of_label(of_label(f"{self.method.probe}.weight", self.label), word)
        return GlobalWord(
            text=word,
            n_documents=len(weights),
            weight=number(name, say("Weight of {word}", word=word), mean, self.unit, self._protocol(n_words)),
            same_sign=same_sign(weights),
        )

    def _protocol(self, n_words: int) -> str:
        names = {"method": self.method.title, "label": self.label}
        if self.against:
            return plural(
                n_words,
                "Mean {method} weight toward {label} over the documents that have the word, those whose most probable "
                "label is {against} with the opposite sign; 95% interval by Student's t; the only word of its kind "
                "looked at",
                "Mean {method} weight toward {label} over the documents that have the word, those whose most probable "
                "label is {against} with the opposite sign; 95% interval by Student's t; one of {n} words of its kind "
                "looked at",
                against=self.against,
                **names,
            )
        return plural(
            n_words,
            "Mean {method} weight toward {label} over the documents that have the word and whose most probable label "
            "is {label}; 95% interval by Student's t; the only word of its kind looked at for this label",
            "Mean {method} weight toward {label} over the documents that have the word and whose most probable label "
            "is {label}; 95% interval by Student's t; one of {n} words of its kind looked at for this label",
            **names,
        )
