"""Renders all runs of an audit as one HTML file, a line per night, with links to their reports.

One file like report.html: styles, fonts and script are inside and allowed by their hashes, and there are no requests.
It lies in the folder of the audit, beside those of its runs, or elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

import auditor
from auditor.findings.history import Gap, History, Night, Point, Trend
from auditor.languages import HTML_TAGS, N_, Language, plural, say
from auditor.report.drawing import formats
from auditor.report.drawing.trends import trend_line
from auditor.report.page import html, templates

MOST_TRENDS = 12
"""Numbers that are drawn: those with a check, or where there is none the first ones."""
_VERDICTS = {
    "pass": ("pass", N_("Pass")),
    "pass with conditions": ("watch", N_("Pass with conditions")),
    "fail": ("fail", N_("Fail")),
}
_NO_VERDICT = ("not judged", N_("Not established"))


@dataclass(frozen=True, slots=True)
class Cell:
    """A number of one night."""

    text: str
    value: str
    """By which it is sorted; empty where there is none."""
    is_bad: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One night."""

    run_id: str
    created: str
    when: str
    tone: str
    verdict: str
    cells: tuple[Cell, ...]

    @property
    def is_bad(self) -> bool:
        """Whether the verdict, or any of its numbers, is."""
        return self.tone == "fail" or any(cell.is_bad for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Line:
    """A number over all nights."""

    title: str
    name: str
    last: str
    bound: str
    drawing: Markup
    since: str
    """Since when it is bad; empty where it is not."""


def render(made: History, title: str, language: Language, folder: str) -> str:
    """The page; links to runs begin with the folder.

    Raises:
        RenderError: a template is missing or broken, or uses an unknown name.
    """
    body, last = _body(made, title, folder), made.nights[-1]
    heading = say("{title}: all runs", title=title)
    navigation = templates.fill("history_navigation.html.j2")
    sheets = html.styles(say("All runs").upper() + Markup("").join([heading, navigation, body]))
    script = Markup(templates.scripts())
    return str(
        templates.fill(
            "history.html.j2",
            title=heading,
            headline=last.headline,
            run=last.run_id,
            navigation=navigation,
            bodies=[body],
            styles=sheets,
            script=script,
            policy=html.policy(sheets, script),
            version=auditor.__version__,
            lang=HTML_TAGS[language],
            created=formats.instant(last.created).strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
    )


def _body(made: History, title: str, folder: str) -> Markup:
    trends, last = (made.checked or made.trends)[:MOST_TRENDS], made.nights[-1]
    return templates.fill(
        "history_page.html.j2",
        title=title,
        folder=folder,
        last=_row(last, len(made.nights) - 1, trends),
        headline=last.headline,
        lines=[_line(trend) for trend in trends],
        gaps=[_gap(gap) for gap in made.gaps],
        heads=[_in_nats(trend.title, trend) for trend in trends],
        rows=[_row(night, i, trends) for i, night in reversed(list(enumerate(made.nights)))],
        n_nights=len(made.nights),
        run=formats.middle(last.run_id, 40),
    )


def _row(night: Night, i: int, trends: Sequence[Trend]) -> Row:
    cells = tuple(_cell(trend, trend.points[i]) for trend in trends)
    tone, word = _VERDICTS.get(night.verdict, _NO_VERDICT)
    return Row(night.run_id, night.created, formats.moment(night.created), tone, say(word), cells)


def _cell(trend: Trend, point: Point) -> Cell:
    text = formats.quantity(point.value, trend.unit, suffix=False)
    return Cell(text, "" if point.value is None else repr(point.value), point.is_bad)


def _line(trend: Trend) -> Line:
    last = trend.points[-1].value if trend.points else None
    bound = formats.quantity(trend.bound, trend.unit)
    asked = {
        "at_least": say("at least {bound}", bound=bound),
        "at_most": say("at most {bound}", bound=bound),
    }
    first = trend.first_bad
    since = say("bad since {day}", day=formats.day(first.created)) if first else ""
    title, shown = _in_nats(formats.middle(trend.title, 60), trend), formats.quantity(last, trend.unit)
    return Line(title, trend.name, shown, asked.get(trend.direction or "", ""), trend_line(trend), since)


def _in_nats(title: str, trend: Trend) -> str:
    """A title over values without their unit: a perplexity is kept by its logarithm, and must not be taken for it."""
    return say("{number}, nats", number=title) if trend.unit == "nats" else title


def _gap(gap: Gap) -> str:
    return plural(
        gap.n_missing,
        "About {n} night is missing between {before} and {after}.",
        "About {n} nights are missing between {before} and {after}.",
        before=formats.day(gap.after),
        after=formats.day(gap.before),
    )
