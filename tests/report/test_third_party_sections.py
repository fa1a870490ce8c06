"""A section that a third party wrote for its own probe, found by its entry point."""

import dataclasses
import sys
from importlib.metadata import EntryPoint

import pytest
from invented_runs import tiny

from auditor.errors import RenderError
from auditor.findings.types import Coverage
from auditor.report import Look, render_html
from auditor.report.page import templates
from auditor.report.page.templates import UserTemplates

MODULE = """
from auditor.report.sections.contract import Section

def compose(sources):
    longest = max(row["characters"] for row in sources.evidence.others["length"].values())
    answer = f"At most {longest} characters."
    return Section("mine", "Lengths", "How long are the texts?", answer, "", "", TEMPLATE, {"longest": longest})

def broken(sources):
    return sources.evidence.others["length"]["nobody"]

def odd(sources):
    return None
"""
EXTENDING = '{% extends "section.html.j2" %}{% block content %}<p class="longest">{{ longest }}</p>{% endblock %}'


@pytest.fixture
def third_party(tmp_path, monkeypatch):
    """Makes a package with a section, and a run with facts of its probe."""

    def make(template, attribute="compose", **files):
        package = tmp_path / "auditor_length"
        package.mkdir()
        (package / "__init__.py").write_text("", encoding="utf-8")
        (package / "section.py").write_text(f"TEMPLATE = {template!r}\n{MODULE}", encoding="utf-8")
        for name, text in files.items():
            (package / f"{name}.html.j2").write_text(text, encoding="utf-8")
        monkeypatch.syspath_prepend(str(tmp_path))
        for name in ("auditor_length", "auditor_length.section"):
            monkeypatch.delitem(sys.modules, name, raising=False)
        entry = EntryPoint("length", f"auditor_length.section:{attribute}", "auditor.sections")
        monkeypatch.setattr("auditor.report.page.third_party.entry_points", lambda **_: [entry])
        templates.environment.cache_clear()
        return measured()

    yield make
    templates.environment.cache_clear()


def measured():
    findings, evidence = tiny()
    covered = Coverage(probe="length", corpus=1, asked=1, measured=1, failed=0, truncated=0, failures=())
    facts = {document.id: {"document_id": document.id, "characters": 1234} for document in evidence.documents}
    return (
        findings.model_copy(update={"coverage": (*findings.coverage, covered)}),
        dataclasses.replace(evidence, others={**evidence.others, "length": facts}),
    )


def test_its_template_lies_beside_its_module(third_party):
    page = render_html(*third_party("length.html.j2", length=EXTENDING))
    assert '<section id="probe-length" class="part">' in page
    assert '<p class="longest">1234</p>' in page
    assert '<a href="#probe-length">Lengths</a>' in page
    assert "What the probe length found, by document." not in page


def test_its_template_may_be_text(third_party):
    assert '<p class="longest">1234</p>' in render_html(*third_party(EXTENDING))


def test_its_templates_may_use_their_neighbours(third_party):
    including = EXTENDING.replace("{{ longest }}", '{% include "probes/length/part.html.j2" %}')
    page = render_html(*third_party("length.html.j2", length=including, part="<b>{{ longest }}</b>"))
    assert '<p class="longest"><b>1234</b></p>' in page


def test_it_can_be_overridden_and_chosen_like_any_other(third_party):
    findings, evidence = third_party("length.html.j2", length=EXTENDING)
    user_templates = UserTemplates(
        "mine", (("probes/length/length.html.j2", "<section id='probe-length'>mine</section>"),)
    )
    assert "<section id='probe-length'>mine</section>" in render_html(
        findings, evidence, Look(templates=user_templates)
    )
    shown = findings.presentation.model_copy(update={"sections": ("probe-length",)})
    page = render_html(findings.model_copy(update={"presentation": shown}), evidence)
    assert page.index('<section id="probe-length"') < page.index('<section id="provenance"')
    assert '<section id="methods"' not in page


def test_without_it_the_probe_has_a_plain_table():
    page = render_html(*measured())
    assert '<section id="probe-length" class="part">' in page
    assert "1234" in page


def test_a_plain_table_says_what_it_leaves_out_and_where_that_is():
    findings, evidence = measured()
    fields = {f"field {i}": i for i in range(11)} | {"list": [1, 2]}
    rows = {f"d{i}": {"document_id": f"d{i}", **fields} for i in range(50)}
    page = render_html(findings, dataclasses.replace(evidence, others={"length": rows}))
    assert "field 6" in page
    assert "field 7" not in page
    assert "5 more fields of each document are in the evidence of the run." in page
    assert "The first 40 of 50 rows; report.html and the evidence of the run have all." in page
    few = {name: {"document_id": name, "one": 1} for name in rows}
    assert "more field" not in render_html(findings, dataclasses.replace(evidence, others={"length": few}))


@pytest.mark.parametrize(
    ("template", "attribute", "said"),
    [
        ("length.html.j2", "broken", "KeyError: 'nobody'"),
        ("length.html.j2", "odd", "TypeError: expected a Section, found a NoneType"),
        ("length.html.j2", "nothing", "AttributeError: "),
        ("nothing.html.j2", "compose", "template nothing.html.j2 not found"),
        ("{{ longest.__class__ }}", "compose", "access to attribute '__class__' of 'int' object is unsafe."),
        ("{{ shortest }}", "compose", "'shortest' is undefined"),
        ("\n{{ longest / 0 }}", "compose", "line 2: division by zero"),
        ("{{ longest|safe }}", "compose", "No filter named 'safe'"),
    ],
)
def test_its_failure_names_it(third_party, template, attribute, said):
    with pytest.raises(RenderError) as caught:
        render_html(*third_party(template, attribute, length=EXTENDING))
    assert "the probe length" in str(caught.value) or "nothing.html.j2" in str(caught.value)
    assert said in str(caught.value)
