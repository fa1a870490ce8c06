"""What exactly was measured, with what?"""

import unicodedata
from collections.abc import Mapping, Sequence

from auditor.findings.types import Coverage
from auditor.report import formats
from auditor.report.sections.contract import Column, Section, Sources, Table


def compose(sources: Sources, missing: Sequence[str] = ()) -> Section:
    """The provenance page; `missing` are the characters of this report that no vendored font has."""
    findings = sources.findings
    run = {
        "Run": findings.run_id,
        "Plan": findings.plan_id,
        "Created": formats.moment(findings.created),
        "Task": findings.task,
        "Format": findings.format,
    }
    return Section(
        id="provenance",
        title="Provenance",
        question="What exactly was measured, with what?",
        answer=_answer(sources),
        method="Hashes are SHA-256. The same plan, on the same files, gives the same evidence and this same document.",
        limits="A hash shows that files are the same, not that they are good.",
        template="sections/provenance.html.j2",
        content={
            "lists": [
                (title, _entries(values))
                for title, values in (
                    ("Run", run),
                    ("Model", findings.model),
                    ("Corpus", findings.corpus),
                    ("Making", findings.provenance),
                )
                if values
            ],
            "notes": findings.notes,
            "failures": _failures(findings.coverage),
            "missing": _missing(missing) if missing else None,
        },
    )


def _answer(sources: Sources) -> str:
    findings = sources.findings
    model = findings.model.get("name", "the model")
    return f"Run {findings.run_id} of {model}, {formats.day(findings.created)}, by plan {findings.plan_id[:12]}."


def _entries(values: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(formats.middle(key, 60), formats.middle(value, 600)) for key, value in values.items()]


def _failures(coverage: Sequence[Coverage]) -> Table | None:
    rows = tuple(
        (c.probe, formats.middle(document_id, 40), kind, formats.excerpt(message, 240))
        for c in coverage
        for document_id, kind, message in c.failures
    )
    if not rows:
        return None
    failed = sum(c.failed for c in coverage)
    listed = f"; the first {len(rows)} are listed" if len(rows) < failed else ""
    columns = (
        Column("Probe", width=12),
        Column("Document", "id", 22),
        Column("Kind", width=16),
        Column("Message", "corpus"),
    )
    return Table(f"{formats.plural(failed, 'measurement')} failed{listed}.", columns, rows)


def _missing(characters: Sequence[str]) -> Table:
    columns = (Column("Character", "id", 16), Column("Name"))
    rows = tuple((f"U+{ord(c):04X}", unicodedata.name(c, "unnamed").capitalize()) for c in characters)
    caption = "Characters without a glyph in the fonts of this report; the PDF prints their code in brackets."
    return Table(caption, columns, rows)
