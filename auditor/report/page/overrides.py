"""Reads and checks a user's templates and style sheet, before anything is measured.

    front.html.j2             replaces the template of this name
    sections/lime.html.j2     {% extends "builtin/sections/lime.html.j2" %}{% block content %}…{% endblock %}
    user.css                  appended to the style sheets

What the page's Content-Security-Policy or WeasyPrint would drop silently is an error here, with file and line: scripts,
style attributes, external resources, and rules outside `@media screen` that WeasyPrint does not know. The frame of the
page (`report.html.j2`) has that policy and cannot be replaced.
"""

import difflib
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import jinja2
import tinycss2  # type: ignore[import-untyped]
from jinja2 import meta, nodes

from auditor.errors import PdfUnavailableError, RenderError
from auditor.report.page import pdf, templates
from auditor.report.page.sandbox import BUILTIN, Sandbox
from auditor.report.page.templates import USER_STYLES, UserTemplates

MOST_BYTES = 262_144
FRAMES = ("report.html.j2", "documents_page.html.j2", "documents_navigation.html.j2")
_IGNORED = (".md", ".txt")
_FORBIDDEN = {"script", "style", "link", "iframe", "object", "embed", "base", "form", "meta", "input", "button"}
_FETCHED = {"src", "srcset", "poster", "data", "background"}
_SAFE_LINKS = ("#", "http://", "https://", "mailto:")
_HOLE = "\ue000"
_STATEMENT = re.compile(r"\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_EXPRESSION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_HIDDEN_TAG = re.compile(r"<\s*/?\s*\{\{")


def read(folder: Path) -> UserTemplates:
    """The templates and the style sheet in a folder.

    Raises:
        RenderError: they cannot be used; one line for each reason: the file, where known the line, and what to do.
    """
    if not folder.is_dir():
        raise RenderError(f"{folder}: expected a folder of templates, found none")
    faults: list[str] = []
    files: list[tuple[str, str]] = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")):
        name = path.relative_to(folder).as_posix()
        if name == USER_STYLES or name.endswith(".html.j2"):
            faults += _reading_faults(path)
            files.append((name, "" if faults else path.read_text(encoding="utf-8")))
        elif path.suffix not in _IGNORED:
            faults.append(f"{path}: expected templates (.html.j2) and {USER_STYLES}, nothing else")
    user_templates = UserTemplates(str(folder), tuple(files))
    faults = faults or list(_faults(user_templates))
    if faults or not files:
        raise RenderError("\n".join(faults) or f"{folder}: expected templates (.html.j2) or {USER_STYLES}, found none")
    return user_templates


def _reading_faults(path: Path) -> Iterator[str]:
    try:
        if path.stat().st_size > MOST_BYTES:
            yield f"{path}: expected at most {MOST_BYTES // 1024} KB"
        path.read_text(encoding="utf-8")
    except UnicodeDecodeError as fault:
        yield f"{path}: not UTF-8 (byte {fault.start + 1}); convert the file to UTF-8"
    except OSError as fault:
        yield f"{path}: cannot be read: {fault.strerror}"


def _faults(user_templates: UserTemplates) -> Iterator[str]:
    """One message for every error in the files: `folder/user.css, line 3: …`."""
    sandbox = templates.environment(templates.folder(), user_templates)
    used = {name for file, text in user_templates.files if file != USER_STYLES for name in _references(sandbox, text)}
    for name, text in user_templates.files:
        path = f"{user_templates.folder}/{name}"
        if name == USER_STYLES:
            faults = list(_style_faults(text))
            yield from (f"{path}, line {line}: {fault}" for line, fault in faults)
            yield from (f"{path}: {warning}" for warning in ([] if faults else _css_warnings(text)))
        else:
            yield from _unused(name, path, used)
            yield from _template_faults(sandbox, name, path, text)


def _references(sandbox: Sandbox, text: str) -> set[str]:
    """The names of the templates that a template extends, includes or imports."""
    try:
        return {name for name in meta.find_referenced_templates(sandbox.parse(text)) if name}
    except jinja2.TemplateSyntaxError:
        return set()  # `_template_faults` reports it with its line


def _unused(name: str, path: str, used: set[str]) -> Iterator[str]:
    """A message for a template that would have no effect, or replaces a frame."""
    known = [builtin for builtin in _builtin() if builtin not in FRAMES]
    if name in FRAMES:
        yield f"{path}: the frame of the page carries its security policy and cannot be replaced"
    elif name not in known and name not in used and not name.startswith("probes/"):
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
        yield f"{path}: takes the place of no template, and none of yours uses it; {hint}"


def _builtin() -> list[str]:
    return sorted(p.relative_to(templates.folder()).as_posix() for p in templates.folder().rglob("*.html.j2"))


def _template_faults(sandbox: Sandbox, name: str, path: str, text: str) -> Iterator[str]:
    try:
        tree = sandbox.parse(text, name)
        sandbox.compile(text, name)  # parsing does not check that every filter exists
    except jinja2.TemplateSyntaxError as fault:
        yield f"{path}, line {fault.lineno}: {fault.message}"
        return
    for reference in meta.find_referenced_templates(tree):
        if reference and not _exists(sandbox, reference):
            yield f"{path}: uses {reference}, which is neither there nor in {BUILTIN}/"
    yield from (f"{path}, line {line}: {fault}" for line, fault in _name_faults(sandbox, tree))
    yield from (f"{path}, line {line}: {fault}" for line, fault in _markup_faults(text))


def _name_faults(sandbox: Sandbox, tree: nodes.Template) -> Iterator[tuple[int, str]]:
    """Line and message for every variable that no template of the report uses."""
    known = _known_names(sandbox)
    for name in sorted(meta.find_undeclared_variables(tree) - known):
        line = next((node.lineno for node in tree.find_all(nodes.Name) if node.name == name), 1)
        near = difflib.get_close_matches(name, known, n=1)
        yield line, f"there is no {name}" + (f"; did you mean {near[0]}?" if near else "")


def _known_names(sandbox: Sandbox) -> set[str]:
    """The variables that the report's templates use."""
    trees = [sandbox.parse((templates.folder() / name).read_text(encoding="utf-8")) for name in _builtin()]
    used = {node.name for tree in trees for node in tree.find_all(nodes.Name)}
    imported = {node.target for tree in trees for node in tree.find_all(nodes.Import)}
    return used | imported | set(sandbox.globals)


def _exists(sandbox: Sandbox, name: str) -> bool:
    try:
        sandbox.get_template(name)
    except jinja2.TemplateNotFound:
        return False
    except jinja2.TemplateSyntaxError:
        return True  # `_template_faults` reports it with its line
    return True


def _markup_faults(text: str) -> Iterator[tuple[int, str]]:
    """Line and message for all HTML that the page would drop or must not contain."""
    bare = _STATEMENT.sub(_blank, text)
    for hidden in _HIDDEN_TAG.finditer(bare):
        yield bare.count("\n", 0, hidden.start()) + 1, "the name of a tag must be written out"
    parser = _TagParser()
    parser.feed(_EXPRESSION.sub(lambda match: _HOLE + _blank(match), bare))
    parser.close()
    yield from parser.faults


def _blank(match: re.Match[str]) -> str:
    """The line ends of a match, so that line numbers stay."""
    return "\n" * match[0].count("\n")


class _TagParser(HTMLParser):
    """Collects line and message for faulty tags of a template, in which expressions of Jinja are `_HOLE`."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[tuple[int, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        line = self.getpos()[0]
        if tag in _FORBIDDEN:
            self.faults.append((line, f"<{tag}> has no place in a report; rules go into {USER_STYLES}"))
        for name, value in attrs:
            self.faults += [(line, fault) for fault in _attribute_faults(name, (value or "").strip())]


def _attribute_faults(name: str, value: str) -> Iterator[str]:
    if _HOLE in name:
        yield "the name of an attribute must be written out, and its value quoted"
    elif name == "style":
        yield f"the page's policy drops style attributes; give a class and a rule in {USER_STYLES}"
    elif name.startswith("on") or name == "srcdoc":
        yield f"the page's policy drops the attribute {name}"
    elif name in _FETCHED and not value.startswith(("data:", _HOLE)):
        yield f"{name}: nothing is fetched; expected data:, found {value[:60]!r}"
    elif name in ("href", "xlink:href", "action") and not value.startswith((*_SAFE_LINKS, _HOLE)):
        yield f"{name}: expected #section or https://, found {value[:60]!r}"


def _style_faults(text: str) -> Iterator[tuple[int, str]]:
    if "<" in text:
        yield text.count("\n", 0, text.index("<")) + 1, "a style sheet of a page cannot hold <"
    yield from _rule_faults(tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True))


def _css_warnings(text: str) -> list[str]:
    """A message for everything that WeasyPrint would drop; none where it cannot be loaded, for there is no PDF."""
    try:
        return [f"WeasyPrint: {warning} Rules for screens go into @media screen" for warning in pdf.css_warnings(text)]
    except PdfUnavailableError:
        return []


def _rule_faults(parts: list[tinycss2.ast.Node]) -> Iterator[tuple[int, str]]:
    for node in parts:
        yield from _node_faults(node)
        for children in ("prelude", "content", "arguments"):
            yield from _rule_faults(getattr(node, children, None) or [])


def _node_faults(node: tinycss2.ast.Node) -> Iterator[tuple[int, str]]:
    line = node.source_line
    if node.type == "error":
        yield line, f"not CSS: {node.message}"
    elif node.type == "at-rule" and node.lower_at_keyword in ("import", "charset", "namespace"):
        yield line, f"@{node.lower_at_keyword} is not read; write the rules here"
    elif node.type == "at-keyword" and node.lower_value == "import":
        yield line, "@import is not read; write the rules here"
    elif node.type == "function" and node.lower_name in ("url", "src", "image", "image-set"):
        address = next((str(part.value) for part in node.arguments if part.type == "string"), "")
        yield from _address_faults(line, address)
    elif node.type == "url":
        yield from _address_faults(line, node.value)


def _address_faults(line: int, address: str) -> Iterator[tuple[int, str]]:
    if not address.startswith("data:"):
        yield line, f"nothing is fetched: expected url(data:…), found {address[:60]!r}"
