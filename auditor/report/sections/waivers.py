"""Failures that somebody answers for until a day, and what became of each waiver."""

from auditor.findings.contract.types import Waiver
from auditor.findings.judgement.pointers import WAIVERS
from auditor.findings.judgement.waivers import SEVERITIES, STATES
from auditor.languages import plural, say
from auditor.report.contract import Column, Section, Sources, Table
from auditor.report.drawing import formats


def compose(sources: Sources) -> Section:
    """The section."""
    waivers = sources.findings.waivers
    return Section(
        id=WAIVERS,
        title=say("Waivers"),
        question=say("Which failures does somebody answer for, and until when?"),
        answer=plural(
            sum(one.state == "applied" for one in waivers),
            "{n} failure is waived, of {all} waivers.",
            "{n} failures are waived, of {all} waivers.",
            all=formats.count(len(waivers)),
        ),
        method=say(
            "A waiver names a finding by its id, which is the same in every run, an owner, a last day and a reason. It "
            "is held against the day on which the run began, in UTC."
        ),
        limits=say("A waiver decides who answers for a failure; it makes no number better."),
        template="sections/tables.html.j2",
        content={"tables": [(_table(waivers), "compact")]},
    )


def _table(waivers: tuple[Waiver, ...]) -> Table:
    columns = (
        Column(say("Finding"), "id", 26),
        Column(say("Owner"), "corpus", 16),
        Column(say("Until"), width=12),
        Column(say("Reason"), "corpus"),
        Column(say("State"), width=14),
    )
    rows = tuple(
        (
            formats.middle(one.finding, 60),
            formats.excerpt(one.owner, 60),
            one.expires,
            formats.excerpt(one.reason, 300),
            say(STATES[one.state]),
        )
        for one in sorted(waivers, key=lambda one: SEVERITIES[one.state] != "fail")
    )
    return Table(say("Waivers of this run; those that have expired or match nothing fail it."), columns, rows)
