"""A chapter that a third party wrote for its own probe, found by its entry point."""

import dataclasses

import pytest
from invented_runs import tiny

from auditor.errors import InstallationError, RenderError
from auditor.findings.contract.types import Coverage
from auditor.report import Look, render_html
from auditor.report.page.templates import UserTemplates
from auditor.terminal import doctor

pytestmark = pytest.mark.usefixtures("no_embedded_fonts")
MODULE = """
from auditor.report.contract import Chapter, Section

def compose(sources):
    longest = max(row["characters"] for row in sources.evidence.of("length").values())
    answer = f"At most {longest} characters."
    return Section("mine", "Lengths", "How long are the texts?", answer, "", "", TEMPLATE, {"longest": longest})

CHAPTER = Chapter(probe="length", title="Lengths", compose=compose)
BROKEN = Chapter(probe="length", title="Lengths", compose=lambda sources: sources.evidence.of("length")["nobody"])
ODD = Chapter(probe="length", title="Lengths", compose=lambda sources: None)
OF_ANOTHER = Chapter(probe="width", title="Widths", compose=compose)
"""
EXTENDING = '{% extends "section.html.j2" %}{% block content %}<p class="longest">{{ longest }}</p>{% endblock %}'
WHO = "chapter of the probe length (auditor_length.chapter:{attribute}, brought by auditor-length)"


@pytest.fixture
def third_party(install):
    """Installs a package with a chapter, and makes a run with facts of its probe."""

    def make(template, attribute="CHAPTER", **files):
        texts = {"__init__.py": "", "chapter.py": f"TEMPLATE = {template!r}\n{MODULE}"}
        texts |= {f"{name}.html.j2": text for name, text in files.items()}
        entry = {"auditor.chapters": {"length": f"auditor_length.chapter:{attribute}"}}
        install(entry, {f"auditor_length/{name}": text for name, text in texts.items()})
        return measured()

    return make


def with_facts(evidence, rows):
    return dataclasses.replace(evidence, rows={**evidence.rows, "length": rows})


def measured():
    findings, evidence = tiny()
    covered = Coverage(probe="length", corpus=1, asked=1, measured=1, failed=0, truncated=0, failures=())
    facts = {document.id: {"document_id": document.id, "characters": 1234} for document in evidence.documents}
    return findings.model_copy(update={"coverage": (*findings.coverage, covered)}), with_facts(evidence, facts)


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
    own = UserTemplates("mine", (("probes/length/length.html.j2", "<section id='probe-length'>mine</section>"),))
    assert "<section id='probe-length'>mine</section>" in render_html(findings, evidence, Look(templates=own))
    shown = findings.presentation.model_copy(update={"sections": ("length",)})
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
    page = render_html(findings, with_facts(evidence, rows))
    assert "field 6" in page
    assert "field 7" not in page
    assert "5 more fields of each document are in the evidence of the run." in page
    assert "The first 40 of 50 rows; report.html and the evidence of the run have all." in page
    few = {name: {"document_id": name, "one": 1} for name in rows}
    assert "more field" not in render_html(findings, with_facts(evidence, few))


@pytest.mark.parametrize(
    ("attribute", "said"),
    [
        ("BROKEN", "KeyError: 'nobody'"),
        ("ODD", "TypeError: expected a Section, found a NoneType"),
        ("NOTHING", "AttributeError: module 'auditor_length.chapter' has no attribute 'NOTHING'"),
        ("MODULE_NOT.THERE", "AttributeError: module 'auditor_length.chapter' has no attribute 'MODULE_NOT'"),
        ("TEMPLATE", "expected a Chapter of the probe length, found 'str'"),
        ("compose", "expected a Chapter of the probe length, found 'function'"),
        ("OF_ANOTHER", "expected a Chapter of the probe length, found 'width'"),
    ],
)
def test_a_chapter_that_is_none_or_fails_is_named_with_who_brings_it(third_party, attribute, said):
    with pytest.raises(RenderError) as caught:
        render_html(*third_party("length.html.j2", attribute, length=EXTENDING))
    assert str(caught.value) == f"{WHO.format(attribute=attribute)}: {said}"


def test_a_chapter_whose_module_cannot_be_imported_is_named_with_who_brings_it(install):
    broken = {"auditor_length/__init__.py": "", "auditor_length/chapter.py": "import a_package_that_is_not_there"}
    install({"auditor.chapters": {"length": "auditor_length.chapter:CHAPTER"}}, broken)
    with pytest.raises(RenderError) as caught:
        render_html(*measured())
    said = "ModuleNotFoundError: No module named 'a_package_that_is_not_there'"
    assert str(caught.value) == f"{WHO.format(attribute='CHAPTER')}: {said}"


def test_a_chapter_for_a_probe_that_has_one_is_refused_and_not_taken_in_its_stead(install, tmp_path):
    install({"auditor.chapters": {"perplexity": "auditor_length.chapter:CHAPTER"}}, {})
    said = r"auditor\.chapters: 'perplexity' is registered by .*auditor_length\.chapter:CHAPTER.*uninstall one"
    with pytest.raises(InstallationError, match=said):
        render_html(*measured())
    assert [line.state for line in doctor.examine(tmp_path) if line.subject == "auditor"] == ["missing"]


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("nothing.html.j2", "template nothing.html.j2 not found"),
        ("{{ longest.__class__ }}", "access to attribute '__class__' of 'int' object is unsafe."),
        ("{{ shortest }}", "'shortest' is undefined"),
        ("\n{{ longest / 0 }}", "line 2: division by zero"),
        ("{{ longest|safe }}", "No filter named 'safe'"),
    ],
)
def test_a_fault_of_its_template_names_it(third_party, template, said):
    with pytest.raises(RenderError) as caught:
        render_html(*third_party(template, length=EXTENDING))
    assert "the probe length" in str(caught.value) or "nothing.html.j2" in str(caught.value)
    assert said in str(caught.value)
