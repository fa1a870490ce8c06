"""The reports that every check looks at: the example of the repository, invented runs, and hostile ones."""

import logging
from dataclasses import dataclass
from pathlib import Path

import hostile_audits
from audits_of_texts import audit_of, write_corpus
from invented_branding import branded, presented
from invented_classifier import classifier
from invented_runs import empty, language_model, tiny

from auditor.findings import write
from auditor.findings.contract.evidence import Evidence
from auditor.findings.contract.types import Findings
from auditor.report import read_said, render_html, render_pdf

EXAMPLE = Path(__file__).parents[2] / "reports" / "example"
CONFIG = 'title = "Prüfung 审计"\n'.encode()
SENTENCES = {
    "english": "The acting is not bad at all, and “the quiet ending” is genuinely moving.",
    "greek": "Η ταινία είναι εξαιρετική",
    "russian": "Очень трогательный фильм",
    "chinese": "这部电影一点都不好看，只有配乐还行。",
    "japanese": "とてもよいえいがでした",
    "arabic": "الفيلم طويل جدا لكن التمثيل كان رائعا",
    "hebrew": "הסרט ארוך מדי",
    "hindi": "फिल्म अच्छी है",
    "thai": "หนังเรื่องนี้สนุกมาก",
    "emoji": "Loved it 😀👍 — would watch again! 🎬",
    "symbols": "5 ≥ 3 → ∑ ✓ ½ €",
}


@dataclass(frozen=True)
class Report:
    """One report on disk."""

    name: str
    folder: Path

    @property
    def html(self) -> Path:
        return self.folder / "report.html"

    @property
    def pdf(self) -> Path:
        return self.folder / "report.pdf"

    @property
    def findings(self) -> Path:
        return self.folder / "findings.json"

    @property
    def attachments(self) -> dict[str, bytes]:
        """What was put into the PDF."""
        return {"findings.json": self.findings.read_bytes(), "audit.toml": CONFIG}

    @property
    def warnings(self) -> Path:
        """What WeasyPrint logged; the example has none, it was written by a command."""
        return self.folder / "warnings.txt"


def scripts(folder):
    """A document in each script that the fonts have, in the sections that show documents."""
    rows = [{"id": name, "text": text, "label": "good", "language": name} for name, text in SENTENCES.items()]
    run = audit_of(write_corpus(folder / "scripts.jsonl", rows), labels=("good", "bad"), turn=0, title="Scripts")
    return presented(run, sections=("prediction", "lime", "attention", "perplexity", "slices", "documents"))


def many(_):
    """A page of two hundred documents."""
    findings, evidence = classifier()
    documents = (findings.documents * 4)[:200]
    renamed = tuple(row.model_copy(update={"document_id": f"{i}-{row.document_id}"}) for i, row in enumerate(documents))
    return findings.model_copy(update={"documents": renamed}), evidence


INVENTED = {
    "classifier": lambda _: branded(classifier(), "en"),
    "chinese": lambda _: branded(classifier(), "zh"),
    "language-model": lambda _: language_model(),
    "tiny": lambda _: tiny(),
    "scripts": scripts,
    "hostile-chooser": hostile_audits.chooser,
}
PAGES = {
    "empty": lambda _: empty(),
    "hostile-classifier": hostile_audits.classifier,
    "hostile-generator": hostile_audits.generator,
    "many": many,
}
"""For the screen alone."""
PRINTED = ("example", *INVENTED)
ALL = (*PRINTED, *PAGES)


def find(once, name):
    """A report by its name: that of the repository, or one that is rendered once."""
    return Report(name, EXAMPLE if name == "example" else once(name, lambda folder: make(name, folder)))


def make(name, folder):
    """Render a report into a folder: findings, page, and what WeasyPrint warns of."""
    report = Report(name, folder)
    findings, evidence = (INVENTED | PAGES)[name](folder)
    report.findings.write_bytes(write(findings))
    html = render_html(findings, evidence)
    report.html.write_text(html, encoding="utf-8")
    if name in INVENTED:
        report.warnings.write_text("\n".join(printed(report, findings, evidence, html)), encoding="utf-8")


def printed(report: Report, findings: Findings, evidence: Evidence, html: str) -> list[str]:
    """Write the PDF; returns the warnings."""
    messages: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: messages.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("weasyprint").addHandler(handler)
    try:
        said = read_said(findings, evidence)
        report.pdf.write_bytes(render_pdf(html, findings, report.attachments, said=said))
    finally:
        logging.getLogger("weasyprint").removeHandler(handler)
    return messages
