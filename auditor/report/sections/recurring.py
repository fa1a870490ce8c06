"""Which words, over the corpus, push where: the global view of the section on LIME.

Two tables on one axis around zero, a group of rows for each label: content words first, those told from zero before
those that are not, which are pale; then, smaller, the function words told from zero. Explanations with R² below 0.5 are
left out. Of many words looked at, one interval in twenty excludes zero by chance, so every group says how many were
looked at and how many were told from zero, listed or not.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from markupsafe import Markup

from auditor.findings.analyses.explanations import LOW_FIDELITY, ExplanationFindings
from auditor.findings.analyses.global_words import GlobalWord, RecurringWords, WordClass
from auditor.findings.analyses.words import LEAST_DOCUMENTS
from auditor.findings.wording.digits import digits_beside
from auditor.findings.wording.sentences import bound
from auditor.languages import plural, say
from auditor.languages.numbers import paragraph
from auditor.report.drawing import formats, marks

_AXIS = 262
"""Width of the axis in CSS pixels: 69 mm."""
_PAPER_ROWS = 40
"""Words of a table on paper, more only to finish a label; the HTML has all."""
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
    same_sign: str
    muted: bool
    """Whether its interval includes zero."""


@dataclass(frozen=True, slots=True)
class Group:
    """The words looked at for one label."""

    label: str
    against: str
    """The other of two labels; empty with more."""
    looked_at: str
    """How many words, in how many documents, and what chance would do."""
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class View:
    """One table: content words or function words."""

    kind: str
    caption: str
    wording: "Wording"
    axis: Markup
    groups: tuple[Group, ...]
    n_words: int
    paper_groups: int
    """Labels on paper."""
    paper_words: int


@dataclass(frozen=True, slots=True)
class Wording:
    """What the tables say; translated."""

    content: str
    """Caption of the content words."""
    function: str
    documents: str
    """Head of the column of documents."""
    weight: str
    same_sign: str
    looked_at: Callable[[RecurringWords, WordClass], str]
    """Of a label: how many words, and what chance would do."""


def view(analysis: ExplanationFindings) -> list[View]:
    """The tables of the findings: content words, and function words where any was looked at."""
    wording = Wording(
        content=_caption(analysis),
        function=paragraph([say("Function words, those told from zero."), of_function_words()]),
        documents=say("Texts"),
        weight=say("Mean"),
        same_sign=say("Same sign"),
        looked_at=_looked_at,
    )
    return tables(analysis.recurring, analysis.unit, wording)


def tables(recurring: Sequence[RecurringWords], unit: str, wording: Wording) -> list[View]:
    """Content words and function words, on one axis; a table for which no word was looked at is left out."""
    axis = _axis([word for of_label in recurring for word in of_label.words], unit)
    content = [(of_label, of_label.content) for of_label in recurring if of_label.content.n_words]
    function = [(of_label, of_label.function) for of_label in recurring if of_label.function.n_words]
    kinds = (("content", wording.content, content), ("function", wording.function, function))
    return [_table(kind, caption, listed, axis, wording) for kind, caption, listed in kinds if listed]


def _table(
    kind: str, caption: str, listed: Sequence[tuple[RecurringWords, WordClass]], axis: marks.Axis, wording: Wording
) -> View:
    groups = tuple(_group(of_label, words, axis, wording) for of_label, words in listed)
    on_paper = _on_paper(groups)
    return View(
        kind=kind,
        caption=caption,
        wording=wording,
        axis=marks.axis_labels(axis),
        groups=groups,
        n_words=sum(len(group.rows) for group in groups),
        paper_groups=on_paper,
        paper_words=sum(len(group.rows) for group in groups[:on_paper]),
    )


def _on_paper(groups: Sequence[Group]) -> int:
    """How many labels come to the rows of a page."""
    before = accumulate((max(1, len(group.rows)) for group in groups), initial=0)
    return sum(n < _PAPER_ROWS for n, _ in zip(before, groups, strict=False))


def _axis(words: Sequence[GlobalWord], unit: str) -> marks.Axis:
    """Wide enough for the words told from zero; longer intervals of the others run out of it."""
    shown = [word.weight for word in words if word.told_apart] or [word.weight for word in words]
    ends = [end for weight in shown for end in (weight.low, weight.high)] + [word.weight.value for word in words]
    known = [end for end in ends if end is not None]
    return marks.shared_axis(known, zero=True, width=_AXIS, unit=unit)


def _caption(analysis: ExplanationFindings) -> str:
    reading = say(
        "Mean weight over the documents that have the word: the tick is the mean, the line its 95% interval; right of "
        "zero supports, left opposes. Pale words are not told from zero; a line that ends at the edge goes on. Same "
        "sign: the share of the documents whose weight has the sign that most of them have."
    )
    low = analysis.low_fidelity_share
    n_left_out = round((low.value or 0.0) * low.n)
    without = plural(
        n_left_out,
        "{n} document is left out, whose explanation has R² below {limit}.",
        "{n} documents are left out, whose explanations have R² below {limit}.",
        limit=bound(LOW_FIDELITY),
    )
    return paragraph([*_strongest(analysis), reading, without if n_left_out else ""])


def _strongest(analysis: ExplanationFindings) -> Iterator[str]:
    """Which content word pushes most, of those told from zero."""
    told = [(of_label, word) for of_label in analysis.recurring for word in of_label.content.words if word.told_apart]
    if not told:
        yield say("No content word that recurs is told from zero.")
        return
    of_label, word = max(told, key=lambda pair: abs(pair[1].weight.value or 0.0))
    names = {"word": formats.excerpt(word.text, 30), "label": formats.middle(of_label.label, 40)}
    if (word.weight.value or 0.0) > 0:
        yield say("Words that recur: “{word}” supports “{label}” most.", **names)
    else:
        yield say("Words that recur: “{word}” opposes “{label}” most.", **names)


def of_function_words() -> str:
    """Which words these are."""
    return say(
        "Articles, pronouns, prepositions, conjunctions, auxiliaries and particles of English and Chinese; of other "
        "languages every word is among the content words, and so are negations. One that pushes to one side is worth a "
        "look: it says little by itself."
    )


def _group(of_label: RecurringWords, words: WordClass, axis: marks.Axis, wording: Wording) -> Group:
    rows = tuple(_row(word, axis) for word in words.words)
    label, against = formats.middle(of_label.label, 40), formats.middle(of_label.against, 40)
    return Group(label, against, wording.looked_at(of_label, words), rows)


def _looked_at(of_label: RecurringWords, words: WordClass) -> str:
    return plural(
        words.n_words,
        "{n} word looked at, found in {least} or more of {documents}; {told_apart}; about {chance} would by chance "
        "alone",
        "{n} words looked at, each found in {least} or more of {documents}; {told_apart}; about {chance} would by "
        "chance alone",
        least=LEAST_DOCUMENTS,
        documents=plural(of_label.n_documents, "{n} document", "{n} documents"),
        told_apart=told_apart(words),
        chance=formats.decimal(_CHANCE * words.n_words, 1),
    )


def told_apart(words: WordClass) -> str:
    """How many intervals exclude zero, and how many of these words are listed."""
    n, listed = words.n_told_apart, sum(word.told_apart for word in words.words)
    if n <= listed:
        return plural(n, "the interval of {n} excludes zero", "the intervals of {n} exclude zero")
    return plural(
        n,
        "the interval of {n} excludes zero, the {listed} largest listed",
        "the intervals of {n} exclude zero, the {listed} largest listed",
        listed=formats.count(listed),
    )


def _row(word: GlobalWord, axis: marks.Axis) -> Row:
    number = word.weight
    tone = ("supports" if (number.value or 0) > 0 else "opposes") if word.told_apart else "unclear"
    digits = digits_beside(number, 0.0)
    mean = formats.quantity(number.value, number.unit, digits, suffix=False)
    interval = formats.interval(number, digits)
    title = say("{value}, interval {interval}", value=mean, interval=interval)
    return Row(
        word=formats.middle(word.text, 40),
        documents=formats.count(word.n_documents),
        mark=marks.interval(axis, number.low, number.value, number.high, tone=tone, title=title, height=15),
        mean=mean,
        interval=interval,
        same_sign=formats.percent(word.same_sign),
        muted=not word.told_apart,
    )
