"""The sections of the report, in their order. `[report] sections` chooses among them."""

from collections.abc import Iterable, Iterator

from auditor.findings.registry import summary_of
from auditor.languages import say
from auditor.report.chapters import chapter_of, chosen_sections, section_id
from auditor.report.chapters import compose as compose_chapter
from auditor.report.contract import Section, Sources
from auditor.report.sections import documents, gallery, glossary, methods, plain, regulatory, slices


def compose(sources: Sources) -> list[Section]:
    """The chosen sections but provenance, which is composed last: it lists the characters the others could not print.

    Raises:
        RenderError: the section of a chapter cannot be composed.
    """
    chosen = chosen_sections(sources.findings)

    def kept(sections: Iterable[Section]) -> list[Section]:
        return [section for section in sections if chosen is None or section.id in chosen]

    evidence = kept(_of_evidence(sources))
    evidence += kept([methods.compose(sources, evidence)])
    words = kept([glossary.compose(sources)])
    sections = [*evidence, *kept([regulatory.compose(sources, [*evidence, *words])]), *words]
    return sections if chosen is None else sorted(sections, key=lambda section: chosen.index(section.id))


def _of_evidence(sources: Sources) -> Iterator[Section]:
    findings = sources.findings
    concluded = [probe for probe in findings.analyses if chapter_of(probe)]
    yield from (_of_probe(sources, probe) for probe in concluded)
    for coverage in findings.coverage:
        if not coverage.left_out and coverage.probe not in concluded:
            yield _of_probe(sources, coverage.probe)
    if findings.worst:
        yield gallery.compose(sources)
    if findings.slices:
        yield slices.compose(sources)
    yield documents.compose(sources)


def _of_probe(sources: Sources, probe: str) -> Section:
    """The section of its chapter; of a probe without one, or that has nothing to show, a plain table."""
    chapter = chapter_of(probe)
    coverage = next(row for row in sources.findings.coverage if row.probe == probe)
    is_concluded = probe in sources.findings.analyses or (coverage.measured and summary_of(probe) is None)
    if chapter and is_concluded:
        return compose_chapter(sources, chapter)
    return plain.compose(sources, coverage, section_id(probe), say(chapter.title) if chapter else "")
