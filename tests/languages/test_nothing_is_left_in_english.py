"""Every word that the report itself says is a message: what remains of a page when its messages are taken away."""

import re
import string
from html.parser import HTMLParser

import foreign_runs
import pytest
from matplotlib.text import Text

from auditor import findings, languages, report
from auditor.report.branding import fonts
from auditor.report.page import templates
from auditor.report.regulations import FRAMEWORKS, STATEMENTS

SPOKEN_ATTRIBUTES = ("alt", "title", "aria-label", "placeholder", "summary")
INLINE = {"a", "abbr", "b", "bdi", "code", "em", "i", "mark", "math", "small", "span", "strong", "sub", "sup", "wbr"}
ALLOWED = {
    "names and abbreviations": {"LIME", "SHA", "UTC", "PDF", "HTML", "JSON", "BCa", "ECE"},
    "functions and indices in formulas": {"exp", "ln", "log", "max", "min", "arg", "ij", "PPL", "PLL", "PPPL"},
    "numbers and files": {"findings", "json", "sha256", "plan"},
    "settings": {"cpu", "float32", "dtype", "seed"},
}
_WORD = re.compile(r"[A-Za-z]{2,}[0-9]*")
_MESSAGE = re.compile(r"⟦[^⟦⟧]*⟧")
_MACHINES = re.compile(r"\{\w+\}|findings\.json sha256:\S+ run \S+|\b[0-9a-f]{16,}\b")
"""What a script fills in, the text of the QR code, hashes."""


class Pseudo:
    """A language in which every literal stretch of a known message stands in brackets, and nothing else does."""

    def __init__(self, messages):
        self.known = messages
        self.texts = {message if isinstance(message, str) else message[0] for message in messages}

    def gettext(self, message):
        return _bracketed(message) if message in self.texts else message

    def ngettext(self, one, several, n):
        return _bracketed(one if n == 1 else several) if (one, several) in self.known else one


def _bracketed(message):
    parts = string.Formatter().parse(message)
    return "".join(
        (f"⟦{text.replace('{', '{{').replace('}', '}}')}⟧" if text else "") + ("" if name is None else f"{{{name}}}")
        for text, name, _, _ in parts
    )


class Page(HTMLParser):
    """What of a page's texts no message has said, by block; scripts and styles say nothing."""

    def __init__(self, html):
        super().__init__()
        self.muted, self.block, self.buffer, self.texts = 0, "", [], []
        self.feed(html)
        self._close()

    def handle_starttag(self, tag, attributes):
        self.muted += tag in ("script", "style")
        self.texts += [(f"<{tag} {name}>", value) for name, value in attributes if _is_spoken(name) and value]
        if tag not in INLINE:
            self._close()
            self.block = tag

    def handle_endtag(self, tag):
        self.muted -= tag in ("script", "style")
        if tag not in INLINE:
            self._close()

    def handle_data(self, data):
        if not self.muted:
            self.buffer.append(data)

    def _close(self):
        """A message may span the elements inside a block, as formulas in prose do, but never two blocks."""
        if self.buffer:
            self.texts.append((f"<{self.block}>", "\u2063".join(self.buffer)))
        self.buffer = []


def _is_spoken(attribute):
    return attribute in SPOKEN_ATTRIBUTES or attribute.startswith("data-")


@pytest.fixture
def spoken(monkeypatch, messages):
    pseudo = Pseudo(messages)
    monkeypatch.setattr(languages, "_catalogue", lambda _: pseudo)


@pytest.fixture
def drawn(monkeypatch):
    """The texts that figures draw."""
    texts = []
    plain = Text.set_text

    def set_text(self, text):
        texts.append(str(text or ""))
        plain(self, text)

    monkeypatch.setattr(Text, "set_text", set_text)
    return texts


def _names(results):
    """Names of numbers, probes and parameters: what a config says, and therefore never translated."""
    names = [number.name for number in results.numbers]
    families = {re.sub(r"\[.*?\]", "[…]", re.sub(r"\{.*\}", "", name)) for name in names}
    values = {text for table in results.parameters.values() for pair in table.items() for text in pair}
    kinds = {kind for row in results.coverage for _, kind, _ in row.failures}
    checks = {check.name for check in results.checks}
    frameworks = {text for one in FRAMEWORKS for text in (one.source, *(item.reference for item in one.items))}
    untranslated = {results.task, results.format, *results.parameters, *foreign_runs.LIBRARIES, *fonts.families()}
    untranslated |= {*STATEMENTS, "within-word"}
    return {*names, *families, *values, *kinds, *checks, *frameworks, *untranslated}


def _left_in_english(text, names):
    rest = _MACHINES.sub("", _MESSAGE.sub("⟧", text).replace("\u2063", "⟧"))
    pieces = [piece.strip(' \n·:;,“”/="…') for piece in re.split("[⟧、]", rest)]
    pieces = [piece for piece in pieces if piece not in names and piece.strip("().") not in names]
    return set(_WORD.findall(" ".join(pieces))) - set().union(*ALLOWED.values())


@pytest.mark.usefixtures("spoken", "no_embedded_fonts")
@pytest.mark.parametrize("run", foreign_runs.RUNS)
def test_nothing_on_a_page_is_left_in_english(run, drawn):
    evidence, context = foreign_runs.RUNS[run]()
    found = findings.summarise(evidence, context)
    html = report.render_html(found, evidence)
    names = _names(found)
    texts = [*Page(html).texts, *(("<figure>", text) for text in drawn)]
    left = {(place, text.strip()) for place, text in texts if _left_in_english(text, names)}
    assert sorted(left) == []


def test_style_sheets_print_no_words():
    sheets = [path.read_text(encoding="utf-8") for path in templates.folder().rglob("*.css")]
    values = [value for sheet in sheets for value in re.findall(r'content:((?:"[^"]*"|[^";}])*)', sheet)]
    printed = [text for value in values for text in re.findall(r'"([^"]*)"', value) if _WORD.search(text)]
    assert printed == []
