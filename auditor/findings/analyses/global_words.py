"""Words with what they do over a corpus: how findings.json lists them, content words and function words apart."""

from collections.abc import Iterable, Sequence

from auditor.findings.contract.finding import Finding
from auditor.findings.contract.types import Number


class GlobalWord(Finding):
    """A word, and where it pushes over the corpus."""

    text: str
    n_documents: int
    weight: Number
    same_sign: float
    """Share of these documents, or of the resamples of a fit, with the sign that most of them have."""

    @property
    def told_apart(self) -> bool:
        """Whether the interval of the weight excludes zero."""
        low, high = self.weight.low, self.weight.high
        return low is not None and high is not None and (low > 0 or high < 0)


class WordClass(Finding):
    """Content words or function words."""

    n_words: int
    """Looked at."""
    n_told_apart: int
    """Of which the interval excludes zero."""
    words: tuple[GlobalWord, ...]
    """Those told from zero first, by size of the weight."""

    @classmethod
    def of(cls, words: Iterable[GlobalWord], most: int, *, with_unclear: bool = False) -> "WordClass":
        """The class of these words.

        Args:
            words: All that were looked at.
            most: How many are listed.
            with_unclear: Whether those follow that are not told from zero, the nearest to it first.
        """
        looked_at = list(words)
        told = sorted((w for w in looked_at if w.told_apart), key=lambda w: (-_size(w.weight), w.text))
        others = sorted((w for w in looked_at if not w.told_apart), key=lambda w: (-_nearness(w.weight), w.text))
        listed = [*told, *(others if with_unclear else [])][:most]
        return cls(n_words=len(looked_at), n_told_apart=len(told), words=tuple(listed))


class RecurringWords(Finding):
    """The words that were looked at for one label."""

    label: str
    against: str
    """The other of two labels, toward which weights have the opposite sign; empty with more labels."""
    n_documents: int
    content: WordClass
    function: WordClass

    @property
    def words(self) -> tuple[GlobalWord, ...]:
        """All that are listed."""
        return (*self.content.words, *self.function.words)


def same_sign(weights: Sequence[float]) -> float:
    """The share of the weights with the sign that most of them have."""
    return max(sum(weight > 0 for weight in weights), sum(weight < 0 for weight in weights)) / len(weights)


def _size(weight: Number) -> float:
    return abs(weight.value or 0.0)


def _nearness(weight: Number) -> float:
    """How many half-widths of its interval a weight lies from zero."""
    if weight.low is None or weight.high is None or weight.high == weight.low:
        return 0.0
    return 2 * _size(weight) / (weight.high - weight.low)
