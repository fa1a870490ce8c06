"""The report against the same report as a straightforward author writes it, and how its cost grows with its pages."""

import re
import sys
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from html import unescape
from pathlib import Path
from time import process_time
from typing import Any

from auditor import findings as conclusions
from auditor import report as reporting
from auditor.findings.contract.evidence import Evidence
from auditor.findings.contract.types import Example, Findings
from auditor.records.explanations import Explanation
from auditor.records.store import open_run
from auditor.records.types import Perplexity
from auditor.report.page import html, pdf
from auditor.running import context
from tests.benchmarks import naive_report
from tests.benchmarks.measuring import Spread, Work, in_turns, peak_memory
from tests.benchmarks.naive_report import Cell, Part
from tests.benchmarks.results import Row, Setting

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "reports" / "example"
CARDS = {20: 24, 60: 148, 200: 585}
"""Pages → documents shown, about."""
AT_MOST = 0.55
ARCHIVE = "pdf/a-3a"


def rows(setting: Setting) -> Iterator[Row]:
    """Ratio to the naive page, then CPU and memory of a page at three lengths; nothing in a quick run."""
    if setting.quick:
        return
    material = example()
    found = in_turns({"naive": lambda: render_naive(material), "ours": lambda: render_ours(material)}, 5)
    naive, ours = found["naive"].seconds, found["ours"].seconds
    remark = f"the naive page has {100 * shared_words(material):.0f}% of our words, and no tags"
    yield Row.limit("report of 200 documents", "naive HTML through WeasyPrint", naive, ours, AT_MOST, remark)
    for pages, cpu, memory in scaling(2):
        what = f"a page of a report of {pages} pages"
        yield Row.absolute(
            what, "itself", cpu.times(1000 / pages, "ms"), 1000, f"{memory.median / pages:.1f} MB a page"
        )


@dataclass(frozen=True)
class Material:
    """One run, and the words of our page taken apart beforehand for the naive one: that costs it nothing."""

    findings: Findings
    evidence: Evidence
    parts: tuple[Part, ...]


@cache
def example() -> Material:
    """The example of this repository, concluded from its evidence."""
    run = open_run(EXAMPLE, EXAMPLE.parent)
    evidence = context.read_evidence(run)
    return prepared(conclusions.summarise(evidence, context.context(run)), evidence)


def prepared(findings: Findings, evidence: Evidence) -> Material:
    """A run made ready for both contenders."""
    front, *sections = pdf.for_paper(html.render(findings, evidence), "").partition("<body")[2].split("<section id=")
    bodies = [("", front), *((section.split('"')[1], section) for section in sections)]
    return Material(findings, evidence, tuple(part for name, body in bodies for part in _parts(name, body)))


_PART = re.compile(
    r'<(?P<tag>article|table|h[123]|p|li|dt|dd|figcaption|div(?= class="head"))\b(?P<attributes>[^>]*)>(?P<inner>.*?)'
    r'</(?P=tag)>|<img src="(?P<image>[^"]*)" alt="QR',
    re.DOTALL,
)
_ROW = re.compile(r"<tr\b.*?</tr>", re.DOTALL)
_CELL = re.compile(r"<(t[hd])\b([^>]*)>(.*?)</\1>", re.DOTALL)


def _parts(section: str, body: str, document: str = "") -> Iterator[Part]:
    for found in _PART.finditer(re.sub(r"<(svg|nav)\b.*?</\1>", "", body, flags=re.DOTALL)):
        tag, attributes, inner = found["tag"], found["attributes"], found["inner"]
        if found["image"]:
            yield Part(section, "img", found["image"])
        elif tag == "article":
            yield from _parts(section, inner, unescape(re.findall(r"<bdi\b[^>]*>(.*?)</bdi>", inner)[0]))
        elif tag == "table":
            caption = "".join(re.findall(r"<caption\b[^>]*>(.*?)</caption>", inner, re.DOTALL))
            yield Part(section, tag, _bare(caption), tuple(map(_cells, _ROW.findall(inner))), document)
        else:
            is_passage = 'class="passage"' in attributes
            yield Part(section, "passage" if is_passage else tag, _bare(inner), (), document)


def _cells(row: str) -> tuple[Cell, ...]:
    """The cells of a row but its drawing."""
    cells = [cell for cell in _CELL.findall(row) if 'class="mark"' not in cell[1]]
    return tuple(Cell(tag, _bare(inner), 'class="number' in attributes) for tag, attributes, inner in cells)


def _bare(inner: str) -> str:
    """Words, and of their markup italics, bold and indices."""
    kept = re.sub(r"<(i|b|sub)\b[^>]*>", r"<\1>", re.sub(r"</?(?:span|mark|bdi)\b[^>]*>", "", inner))
    return re.sub(r"<(?!/?(?:i|b|sub)>)[^>]*>", " ", kept)


def naive_html(material: Material) -> str:
    """The page of the straightforward author."""
    return naive_report.page(material.findings, material.evidence, material.parts)


def render_naive(material: Material, variant: str | None = None) -> bytes:
    """HTML and PDF as that author makes them; `variant` asks WeasyPrint for tags and an archive's rules."""
    return bytes(pdf.load_weasyprint().HTML(string=naive_html(material)).write_pdf(pdf_variant=variant))


def render_ours(material: Material) -> bytes:
    """HTML and PDF as the audit makes them: tagged, PDF/A-3a and PDF/UA-1, same bytes every time."""
    page = reporting.render_html(material.findings, material.evidence)
    return reporting.render_pdf(page, material.findings, {})


def shared_words(material: Material) -> float:
    """The share of the words on our paper that the naive page has as well; repeated words count as often."""
    ours = _words(pdf.for_paper(html.render(material.findings, material.evidence), ""))
    return (ours & _words(naive_html(material))).total() / ours.total()


def _words(page: str) -> Counter[str]:
    body = re.sub(r"<(style|svg|sup|nav)\b.*?</\1>", " ", page.partition("<body")[2], flags=re.DOTALL)
    body = re.sub(r"</?(?:span|mark|bdi|b)\b[^>]*>", "", body)
    return Counter(re.findall(r"\w+", unescape(re.sub(r"<[^>]*>", " ", body))))


def scaling(rounds: int = 1) -> Iterator[tuple[int, Spread, Spread]]:
    """(pages, CPU seconds, MB at the peak) of invented runs of about 20, 60 and 200 pages, memory in a child each."""
    for cards in CARDS.values():
        material = _invented(cards)
        _timed(material)
        timed = [_timed(material) for _ in range(rounds)]
        yield timed[0][1], Spread(tuple(seconds for seconds, _ in timed)), peak_memory(_work, cards)


def _timed(material: tuple[Findings, Evidence]) -> tuple[float, int]:
    start = process_time()
    made = reporting.render_pdf(reporting.render_html(*material), material[0], {})
    return process_time() - start, _pages(made)


def _pages(made: bytes) -> int:
    streams = re.findall(rb"/FlateDecode/Length \d+>>\nstream\n(.*?)\nendstream", made, re.DOTALL)
    return max(int(n) for data in streams for n in re.findall(rb"/Type /Pages.*?/Count (\d+)", _inflated(data)))


def _inflated(data: bytes) -> bytes:
    try:
        return zlib.decompress(data)
    except zlib.error:
        return b""


def _work(cards: int) -> tuple[Work, Work]:
    large = _invented(cards)
    from invented_runs import tiny

    return lambda: _timed(tiny()), lambda: _timed(large)


def _invented(cards: int) -> tuple[Findings, Evidence]:
    """An invented classifier of which many documents are shown: LIME explains half of the cards."""
    sys.path.insert(0, str(ROOT / "tests" / "report"))
    from invented_classifier import classifier

    findings, evidence = classifier()
    shown = {
        "lime": ("examples", list(evidence.measured("lime", Explanation))),
        "perplexity": ("most_surprising", list(evidence.measured("perplexity", Perplexity))),
    }
    analyses = {probe: _shown(findings.analyses[probe], *of, cards) for probe, of in shown.items()}
    return findings.model_copy(update={"analyses": {**findings.analyses, **analyses}}), evidence


def _shown(found: Any, field: str, names: list[str], n: int) -> Any:
    repeated = (names * (1 + n // len(names)))[:n]
    return found.model_copy(update={field: tuple(Example(document_id=d, rule="in turn") for d in repeated)})
