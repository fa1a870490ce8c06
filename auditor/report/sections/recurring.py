"""Which words, over the corpus, push where: the global view of the section on LIME.

One row per word, grouped by the label it was looked at for, all intervals on one axis around zero. Explanations with R²
below 0.5 are left out. A word is listed only where its interval excludes zero; of many words looked at, one in twenty
does so by chance, so the group says how many were looked at and how many were told from zero, listed or not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby

from markupsafe import Markup

from auditor.findings.analyses.explanations import LOW_FIDELITY, ExplanationFindings, faithful
from auditor.findings.analyses.words import LEAST_DOCUMENTS, GlobalWord, recurring_words, told_apart
from auditor.findings.wording.digits import digits_beside
from auditor.findings.wording.sentences import bound
from auditor.languages import plural, say
from auditor.languages.numbers import paragraph
from auditor.records.explanations import Explanation
from auditor.report.contract import Sources
from auditor.report.drawing import formats, marks

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


def view(sources: Sources, analysis: ExplanationFindings, probe: str) -> View:
    """The words of the findings, grouped by label."""
    axis = _axis(analysis)
    explained = [e for e in sources.evidence.measured(probe, Explanation).values() if e.targets]
    used = faithful(explained)
    groups = tuple(
        _group(label, [e for e in used if e.targets[0].label == label], list(words), axis)
        for label, words in groupby(sorted(analysis.global_words, key=_label), key=_label)
    )
    on_paper = _on_paper(groups)
    return View(
        caption=_caption(analysis, len(explained) - len(used)),
        axis=marks.axis_labels(axis),
        groups=groups,
        n_words=len(analysis.global_words),
        paper_groups=on_paper,
        paper_words=sum(len(group.rows) for group in groups[:on_paper]),
    )


def _label(word: GlobalWord) -> str:
    return word.label


def _on_paper(groups: Sequence[Group]) -> int:
    """How many labels come to the rows of a page."""
    before = accumulate((len(group.rows) for group in groups), initial=0)
    return sum(n < _PAPER_ROWS for n, _ in zip(before, groups, strict=False))


def _axis(analysis: ExplanationFindings) -> marks.Axis:
    numbers = [word.mean_weight for word in analysis.global_words]
    ends = [end for n in numbers for end in (n.low, n.high, n.value) if end is not None]
    return marks.shared_axis(ends, zero=True, width=_AXIS, unit=analysis.unit)


def _caption(analysis: ExplanationFindings, n_left_out: int) -> str:
    reading = say(
        "Mean weight over the documents that have the word, toward their most probable label: the tick is the mean, "
        "the line its 95% interval; right of zero supports, left opposes."
    )
    without = plural(
        n_left_out,
        "{n} document is left out, whose explanation has R² below {limit}.",
        "{n} documents are left out, whose explanations have R² below {limit}.",
        limit=bound(LOW_FIDELITY),
    )
    reading = paragraph([reading, without if n_left_out else ""])
    word = max(analysis.global_words, key=lambda w: abs(w.mean_weight.value or 0.0))
    names = {"word": formats.excerpt(word.text, 30), "label": formats.middle(word.label, 40)}
    if not word.mean_weight.value:
        return reading
    if word.mean_weight.value > 0:
        strongest = say("Words that recur: “{word}” supports “{label}” most.", **names)
    else:
        strongest = say("Words that recur: “{word}” opposes “{label}” most.", **names)
    return paragraph([strongest, reading])


def _group(label: str, explained: list[Explanation], words: list[GlobalWord], axis: marks.Axis) -> Group:
    recurring = recurring_words(explained)
    sentence = plural(
        len(recurring),
        "{n} word looked at, found in {least} or more of {documents}; {told_apart}; about {chance} would by chance "
        "alone",
        "{n} words looked at, each found in {least} or more of {documents}; {told_apart}; about {chance} would by "
        "chance alone",
        least=LEAST_DOCUMENTS,
        documents=plural(len(explained), "{n} document", "{n} documents"),
        told_apart=_told_apart(len(told_apart(recurring)), len(words)),
        chance=formats.decimal(_CHANCE * len(recurring), 1),
    )
    return Group(formats.middle(label, 40), sentence, tuple(_row(word, axis) for word in words))


def _told_apart(n: int, listed: int) -> str:
    if n <= listed:
        return plural(n, "the interval of {n} excludes zero", "the intervals of {n} exclude zero")
    return plural(
        n,
        "the interval of {n} excludes zero, the {listed} largest listed",
        "the intervals of {n} exclude zero, the {listed} largest listed",
        listed=formats.count(listed),
    )


def _row(word: GlobalWord, axis: marks.Axis) -> Row:
    number = word.mean_weight
    clear = number.low is not None and number.high is not None and (number.low > 0 or number.high < 0)
    tone = ("supports" if (number.value or 0) > 0 else "opposes") if clear else "unclear"
    digits = digits_beside(number, 0.0)
    mean, interval = formats.value(number, digits), formats.interval(number, digits)
    title = say("{value}, interval {interval}", value=mean, interval=interval)
    return Row(
        word=formats.middle(word.text, 40),
        documents=formats.count(word.n_documents),
        mark=marks.interval(axis, number.low, number.value, number.high, tone=tone, title=title, height=15),
        mean=mean,
        interval=interval,
        supports=formats.percent(word.share_supporting),
    )
