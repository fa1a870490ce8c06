"""Templates of the reader: they take the place of the report's in a sandbox, and every fault has a file and a line."""

import hashlib
import re

import pytest
from invented_runs import hostile, tiny

from auditor.errors import RenderError
from auditor.report import Look, render_html
from auditor.report.page import overrides, templates
from auditor.report.page.templates import Inline, UserTemplates

LIME = """{% extends "builtin/sections/lime.html.j2" %}
{% block content %}{{ super() }}<p class="own">Read on.</p>{% endblock %}
"""


def folder_of(path, files):
    for name, text in files.items():
        path.joinpath(name).parent.mkdir(parents=True, exist_ok=True)
        path.joinpath(name).write_text(text, encoding="utf-8")
    return path


def refused(path, files):
    with pytest.raises(RenderError) as caught:
        overrides.read(folder_of(path, files))
    return str(caught.value).replace(f"{path}/", "").splitlines()


def filled(text, **values):
    return str(templates.fill(Inline("a test", text), **values))


def broken(text, **values):
    with pytest.raises(RenderError) as caught:
        filled(text, **values)
    return str(caught.value)


def test_a_block_of_a_section_is_replaced_and_the_rest_is_the_reports(tmp_path, classifier_run):
    user_templates = overrides.read(folder_of(tmp_path, {"sections/lime.html.j2": LIME}))
    page = render_html(*classifier_run, Look(templates=user_templates))
    assert page.count('<p class="own">Read on.</p>') == 1
    assert page.count("<section ") == render_html(*classifier_run).count("<section ")


def test_a_template_of_the_same_name_takes_the_whole_place(tmp_path):
    user_templates = overrides.read(
        folder_of(tmp_path, {"front.html.j2": "<h1>{{ findings.title }}</h1>{{ formats.count(1200) }}"})
    )
    page = render_html(*tiny(), Look(templates=user_templates))
    assert re.search(r'<main id="main">\s*<h1>[^<]+</h1>1,200\s*<section', page)


def test_macros_and_partials_of_the_reader_are_used(tmp_path):
    files = {
        "front.html.j2": '{% extends "builtin/front.html.j2" %}'
        '{% block conclusion %}{% include "mine.html.j2" %}{% endblock %}',
        "mine.html.j2": '{% import "builtin/macros.html.j2" as m with context %}{{ m.result("pass") }}',
    }
    page = render_html(*tiny(), Look(templates=overrides.read(folder_of(tmp_path, files))))
    assert 'class="result pass"' in page


def test_the_style_sheet_of_the_reader_comes_last_and_is_under_the_policy(tmp_path):
    user_templates = overrides.read(folder_of(tmp_path, {"user.css": "h1 { color: #123456; }\n"}))
    page = render_html(*tiny(), Look(templates=user_templates))
    first = re.search(r"<style>(.*?)</style>", page, re.DOTALL)[1]
    assert first.endswith("h1 { color: #123456; }\n")
    assert page != render_html(*tiny())


def test_a_look_holds_for_one_rendering(tmp_path):
    before = render_html(*tiny())
    user_templates = overrides.read(folder_of(tmp_path, {"front.html.j2": "<h1>{{ findings.title }}</h1>"}))
    assert render_html(*tiny(), Look(templates=user_templates)) != before
    assert render_html(*tiny()) == before


def test_the_same_templates_give_the_same_bytes_wherever_they_lie(tmp_path):
    pages = set()
    for place in ("a", "b"):
        user_templates = overrides.read(
            folder_of(tmp_path / place, {"sections/lime.html.j2": LIME, "user.css": "p{margin:0}"})
        )
        pages.add(render_html(*tiny(), Look(templates=user_templates)))
        pages.add(render_html(*tiny(), Look(templates=UserTemplates("plan.json", user_templates.files))))
    assert len(pages) == 1


def test_every_fault_of_a_folder_is_named_at_once_with_file_and_line(tmp_path):
    files = {
        "sections/limes.html.j2": "x",
        "report.html.j2": "x",
        "front.html.j2": "<h1>\n{% if %}</h1>",
        "glossary.html.j2": '{% extends "builtin/nothing.html.j2" %}',
        "sections/glossary.html.j2": '\n<p style="color:red" onclick="x()">\n<img src="https://x.org/a.png" alt="a">',
        "sections/methods.html.j2": '{{ "a"|safe }}',
        "sections/attention.html.j2": "\n{{ findngs.title }}<script>\nx</script>",
        "sections/slices.html.j2": '\n\n<{{ "script" }}><a href="javascript:x">a</a>',
        "sections/tables.html.j2": "{% autoescape false %}{{ findings.title }}{% endautoescape %}",
        "user.css": '@import "a.css";\nh1 { background: url(http://x.org/a.png) }\np { background: url("b.png") }',
        "logo.svg": "<svg/>",
    }
    assert refused(tmp_path, files) == ["logo.svg: expected templates (.html.j2) and user.css, nothing else"]
    (tmp_path / "logo.svg").unlink()
    lines = refused(tmp_path, {})
    assert lines[0].startswith("front.html.j2, line 2: Expected an expression, got 'end of statement block'")
    assert lines[1].startswith(
        "glossary.html.j2: takes the place of no template, and none of yours uses it; did you mean"
    )
    assert lines[2:] == [
        "glossary.html.j2: uses builtin/nothing.html.j2, which is neither there nor in builtin/",
        "report.html.j2: the frame of the page carries its security policy and cannot be replaced",
        "sections/attention.html.j2, line 2: there is no findngs; did you mean findings?",
        "sections/attention.html.j2, line 2: <script> has no place in a report; rules go into user.css",
        "sections/glossary.html.j2, line 2: the page's policy drops style attributes; "
        "give a class and a rule in user.css",
        "sections/glossary.html.j2, line 2: the page's policy drops the attribute onclick",
        "sections/glossary.html.j2, line 3: src: nothing is fetched; expected data:, found 'https://x.org/a.png'",
        "sections/limes.html.j2: takes the place of no template, and none of yours uses it; did you mean "
        "sections/lime.html.j2?",
        "sections/methods.html.j2, line 1: No filter named 'safe'.",
        "sections/slices.html.j2, line 3: the name of a tag must be written out",
        "sections/slices.html.j2, line 3: href: expected #section or https://, found 'javascript:x'",
        "sections/tables.html.j2, line 1: escaping cannot be switched off",
        "user.css, line 1: @import is not read; write the rules here",
        "user.css, line 2: nothing is fetched: expected url(data:…), found 'http://x.org/a.png'",
        "user.css, line 3: nothing is fetched: expected url(data:…), found 'b.png'",
    ]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("h1 { filter: blur(2px) }", "user.css: WeasyPrint: Ignored `filter: blur(2px) ` at 1:6, unknown property."),
        ("h1 { colr: red }", "user.css: WeasyPrint: Ignored `colr: red ` at 1:6, unknown property."),
        ("h1 { color: red } }", "user.css, line 1: not CSS: "),
        ("a::after { content: '</style>' }", "user.css, line 1: a style sheet of a page cannot hold <"),
    ],
)
def test_a_rule_that_would_be_dropped_is_a_fault(tmp_path, rule, said):
    (line,) = refused(tmp_path, {"user.css": rule})
    assert line.startswith(said)


def test_rules_for_screens_need_not_be_known_to_weasyprint(tmp_path):
    sheet = "@media screen { h1 { filter: none } @media (max-width: 700px) { h1 { color: red } } }"
    assert overrides.read(folder_of(tmp_path, {"user.css": sheet})).files == (("user.css", sheet),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ ''.__class__.__mro__ }}", "access to attribute '__class__' of 'str' object is unsafe."),
        ("{{ ''|attr('__class__') }}", "access to attribute '__class__' of 'str' object is unsafe."),
        ("{{ say.__globals__ }}", "access to attribute '__globals__' of 'function' object is unsafe."),
        ("{{ '{0.__class__}'.format(1) }}", "access to attribute '__class__' of 'int' object is unsafe."),
        ("{{ findings.model_dump() }}", "access to attribute 'model_dump' of 'Findings' object is unsafe."),
        (
            "{{ findings.parse_file('/etc/passwd') }}",
            "access to attribute 'parse_file' of 'Findings' object is unsafe.",
        ),
        ("{{ formats.numbers }}", "has no attribute 'numbers'"),
        ("{{ ('x'|e).translate({120: '<b>'}) }}", "access to attribute 'translate' of 'Markup' object is unsafe."),
        ("{{ ''|safe }}", "No filter named 'safe'"),
        ("{{ [1, 2]|random }}", "No filter named 'random'"),
        ("{{ lipsum() }}", "'lipsum' is undefined"),
        ("{% autoescape false %}x{% endautoescape %}", "escaping cannot be switched off"),
        ("{% set _ = [].append(1) %}", "access to attribute 'append' of 'list' object is unsafe."),
        ("{{ range(10000000) }}", "Range too big"),
        ("{{ findings.titel }}", "has no attribute 'titel'; the template asks for a name that is not there"),
    ],
)
def test_no_template_reaches_into_python(text, said):
    message = broken(text, findings=tiny()[0])
    assert said in message
    assert message.startswith("a test, line 1: ")


@pytest.mark.parametrize(
    "text",
    [
        "{{ x }}",
        "{{ x|e }}",
        "{{ ('%s'|e) % x }}",
        "{{ ('{}'|e).format(x) }}",
        "{{ ('a'|e).join([x, x]) }}",
        "{{ x|replace('a', 'b') }}",
        "{{ ('a'|e)|replace('a', x) }}",
        "{{ x|tojson }}",
        "{{ x|indent }}",
        "{{ {'title': x}|xmlattr }}",
        "{% set y %}{{ x }}{% endset %}{{ y }}",
        "{% filter upper %}{{ x }}{% endfilter %}",
        "{{ (x|e).unescape() }}",
        "{{ (x|e)|striptags }}",
        "{% macro m(y) %}{{ y }}{% endmacro %}{{ m(x) }}",
        "{{ [x]|join('<') |e }}",
    ],
)
def test_no_expression_turns_text_into_markup(text):
    assert "<" not in filled(text, x='<script>alert("1")</script>').replace("<template>", "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "\n\n{{ findings.titel }}",
            "line 3: 'auditor.findings.contract.types.Findings object' has no attribute 'titel'",
        ),
        ("\n{{ findings.title.__class__ }}", "line 2: access to attribute '__class__' of 'str' object is unsafe."),
        ("\n{{ 1 / 0 }}", "line 2: division by zero"),
        ("\n{{ 1 + 'a' }}", "line 2: unsupported operand"),
    ],
)
def test_a_fault_while_rendering_names_the_readers_file_and_line(tmp_path, text, said):
    user_templates = overrides.read(folder_of(tmp_path, {"front.html.j2": text}))
    with pytest.raises(RenderError) as caught:
        render_html(*tiny(), Look(templates=user_templates))
    assert str(caught.value).startswith(f"{tmp_path}/front.html.j2, {said}")


def test_a_hostile_corpus_stays_text_in_templates_of_the_reader(tmp_path):
    findings, evidence = hostile()
    body = "<ul>{% for row in findings.documents %}<li>{{ row.document_id }}</li>{% endfor %}</ul>"
    user_templates = overrides.read(folder_of(tmp_path, {"front.html.j2": body}))
    findings = findings.model_copy(update={"title": "<script>x</script>"})
    page = render_html(findings, evidence, Look(templates=user_templates))
    list_ = page[page.index("<ul>") : page.index("</ul>")]
    assert set(re.findall(r"<(\w+)", list_)) <= {"ul", "li"}


def test_files_are_hashed_for_the_provenance_page(tmp_path):
    look = Look(templates=overrides.read(folder_of(tmp_path, {"user.css": "p{margin:0}"})))
    assert look.hashes == {"user.css": hashlib.sha256(b"p{margin:0}").hexdigest()}
