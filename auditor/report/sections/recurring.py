"""Which words, over the corpus, push where: the global view of the section on LIME.

One row per word, grouped by the label it was looked at for, all intervals on one axis around zero. A word is listed
only where its interval excludes zero; of many words looked at, one in twenty does so by chance, and the group says how
many were looked at.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby

from markupsafe import Markup

from auditor.findings.types import ExplanationFindings, GlobalWord
from auditor.findings.words import LEAST_DOCUMENTS, weights_of_words
from auditor.languages import plural, say
from auditor.languages.numbers import paragraph
from auditor.records.types import Explanation, Failure
from auditor.report import formats, marks
from auditor.report.sections.contract import Sources

_AXIS = 262
"""Width of the axis in CSS pixels: 69 mm."""
_PAPER_ROWS = 40
"""Words on paper, more only to finish a label; the HTML has all."""
_CHANCE = 0.05
"""Share of 95 % intervals that exclude zero where there is nothing."""


@dataclass(frozen=True, slots=True)
class Row:
    """One word."""

    word: str
    documents: str
    mark: Markup
    mean: str
    interval: str
    supports: str


@dataclass(frozen=True, slots=True)
class Group:
    """The words looked at for one label."""

    label: str
    looked_at: str
    """How many words, in how many documents, and what chance would do."""
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class View:
    """The whole figure, which is a table."""

    caption: str
    axis: Markup
    groups: tuple[Group, ...]
    n_words: int
    paper_groups: int
    """Labels on paper."""
    paper_words: int


def view(sources: Sources, found: ExplanationFindings) -> View:
    """The words of the findings, grouped by label."""
    axis = _axis(found)
    explained = [e for e in sources.evidence.explanations.values() if not isinstance(e, Failure) and e.targets]
    groups = tuple(
        _group(label, [e for e in explained if e.targets[0].label == label], list(words), axis)
        for label, words in groupby(sorted(found.global_words, key=_label), key=_label)
    )
    on_paper = _on_paper(groups)
    return View(
        caption=_caption(found),
        axis=marks.axis_labels(axis),
        groups=groups,
        n_words=len(found.global_words),
        paper_groups=on_paper,
        paper_words=sum(len(group.rows) for group in groups[:on_paper]),
    )


def _label(word: GlobalWord) -> str:
    return word.label


def _on_paper(groups: Sequence[Group]) -> int:
    """How many labels come to the rows of a page."""
    before = accumulate((len(group.rows) for group in groups), initial=0)
    return sum(n < _PAPER_ROWS for n, _ in zip(before, groups, strict=False))


def _axis(found: ExplanationFindings) -> marks.Axis:
    numbers = [word.mean_weight for word in found.global_words]
    ends = [end for n in numbers for end in (n.low, n.high, n.value) if end is not None]
    return marks.shared_axis(ends, zero=True, width=_AXIS, unit=found.unit)


def _caption(found: ExplanationFindings) -> str:
    reading = say(
        "Mean weight over the documents that have the word, toward the predicted label: the tick is the mean, the line "
        "its 95% interval; right of zero supports, left opposes."
    )
    word = max(found.global_words, key=lambda w: abs(w.mean_weight.value or 0.0))
    names = {"word": formats.excerpt(word.text, 30), "label": formats.middle(word.label, 40)}
    if not word.mean_weight.value:
        return reading
    if word.mean_weight.value > 0:
        strongest = say("Words that recur: “{word}” supports “{label}” most.", **names)
    else:
        strongest = say("Words that recur: “{word}” opposes “{label}” most.", **names)
    return paragraph([strongest, reading])


def _group(label: str, explained: list[Explanation], words: list[GlobalWord], axis: marks.Axis) -> Group:
    looked_at = _recurring(explained)
    sentence = plural(
        looked_at,
        "{n} word looked at, found in {least} or more of {documents}; {shown} listed; about {chance} would be by "
        "chance alone",
        "{n} words looked at, each found in {least} or more of {documents}; {shown} listed; about {chance} would be by "
        "chance alone",
        least=LEAST_DOCUMENTS,
        documents=plural(len(explained), "{n} document", "{n} documents"),
        shown=formats.count(len(words)),
        chance=formats.decimal(_CHANCE * looked_at, 1),
    )
    return Group(formats.middle(label, 40), sentence, tuple(_row(word, axis) for word in words))


def _recurring(explained: list[Explanation]) -> int:
    """Words that enough of these documents have."""
    documents = Counter(word for explanation in explained for word in weights_of_words(explanation))
    return sum(n >= LEAST_DOCUMENTS for n in documents.values())


def _row(word: GlobalWord, axis: marks.Axis) -> Row:
    number = word.mean_weight
    clear = number.low is not None and number.high is not None and (number.low > 0 or number.high < 0)
    tone = ("supports" if (number.value or 0) > 0 else "opposes") if clear else "unclear"
    title = say("{value}, interval {interval}", value=formats.value(number), interval=formats.interval(number))
    return Row(
        word=formats.middle(word.text, 40),
        documents=formats.count(word.n_documents),
        mark=marks.interval(axis, number.low, number.value, number.high, tone=tone, title=title, height=15),
        mean=formats.value(number),
        interval=formats.interval(number),
        supports=formats.percent(word.share_supporting),
    )
