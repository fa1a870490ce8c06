"""Renders the comparison of two runs as one HTML file like report.html: styles, fonts and script are inside."""

from markupsafe import Markup

import auditor
from auditor.findings.comparing.nights import Night
from auditor.findings.comparing.types import RunComparison
from auditor.languages import HTML_TAGS, N_, plural, say
from auditor.report.contract import Section
from auditor.report.drawing import formats
from auditor.report.page import html, templates
from auditor.report.sections import comparison as sections

_VERDICTS = {
    "worse": ("fail", N_("Worse")),
    "not worse": ("pass", N_("No worsening found")),
    "not established": ("not judged", N_("Not established")),
}


def render(comparison: RunComparison, before: Night, after: Night) -> str:
    """The page.

    Raises:
        RenderError: a template is missing or broken, or uses an unknown name.
    """
    bodies, composed = laid_out(comparison, before, after)
    navigation = templates.fill("navigation.html.j2", sections=composed)
    title = say("{title}: what changed", title=comparison.after.title)
    presentation = comparison.presentation
    kicker = [say("Comparison of two runs"), presentation.organisation or "", presentation.classification or ""]
    sheets = html.styles("".join(kicker).upper() + Markup("").join([title, navigation, *bodies]))
    sheets[0] += Markup(templates.read("comparison.css"))
    script = Markup(templates.scripts())
    return str(
        templates.fill(
            "comparison.html.j2",
            comparison=comparison,
            title=title,
            navigation=navigation,
            bodies=bodies,
            styles=sheets,
            script=script,
            policy=html.policy(sheets, script),
            version=auditor.__version__,
            lang=HTML_TAGS[comparison.presentation.language],
            created=formats.instant(comparison.after.created).strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
    )


def laid_out(comparison: RunComparison, before: Night, after: Night) -> tuple[list[Markup], list[Section]]:
    """The parts of the page in their order, and the sections that stand behind the first.

    Raises:
        RenderError: a template is broken, or uses an unknown name.
    """
    composed, numbering = sections.compose(comparison, before, after), html.Numbering()
    return [_front(comparison), *(html.filled(section, numbering) for section in composed)], composed


def _front(comparison: RunComparison) -> Markup:
    tone, verdict = _VERDICTS[comparison.result]
    sides = (comparison.before, N_("Before: run {run}, {day}")), (comparison.after, N_("After: run {run}, {day}"))
    facts = [say(text, run=formats.middle(s.run_id, 40), day=formats.day(s.created)) for s, text in sides]
    n = comparison.documents.n_paired
    return templates.fill(
        "comparison_front.html.j2",
        comparison=comparison,
        presentation=comparison.presentation,
        facts=[*facts, plural(n, "{n} document in both", "{n} documents in both")],
        tone=tone,
        verdict=say(verdict),
        circumstances=sections.circumstances(comparison),
    )
