"""What the code can say, every language can say, with the same values in it."""

import ast
import io
import re
import string
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

import auditor
from auditor.languages import LANGUAGES, catalogue, catalogue_path

FOREIGN = [language for language in LANGUAGES if language != "en"]
TREES = {
    path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(Path(auditor.__file__).parent.rglob("*.py"))
}


def _placeholders(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def _pairs(message):
    """English and its translation, form by form; a language without numbers of its own has one for both."""
    if isinstance(message.id, str):
        return [(message.id, message.string)]
    *ones, several = message.id
    forms = [message.string] if isinstance(message.string, str) else list(message.string)
    return [(several, form) for form in forms] if len(forms) == 1 else list(zip([*ones, several], forms, strict=True))


@pytest.mark.parametrize("language", FOREIGN)
def test_the_file_is_what_make_messages_writes(language):
    assert catalogue_path(language).read_bytes() == catalogue.renewed(language)


@pytest.mark.parametrize("language", FOREIGN)
def test_every_message_is_translated(language):
    assert catalogue.untranslated(language) == []


@pytest.mark.parametrize("language", FOREIGN)
def test_no_translation_is_doubtful_or_left_over(language):
    messages = catalogue.load(language)
    assert [message.id for message in messages if message.id and message.fuzzy] == []
    assert list(messages.obsolete) == []


@pytest.mark.parametrize("language", FOREIGN)
def test_a_translation_has_the_placeholders_of_its_message(language):
    different = [
        (english, foreign)
        for message in catalogue.load(language)
        if message.id and message.string
        for english, foreign in _pairs(message)
        if _placeholders(english) != _placeholders(foreign)
    ]
    assert different == []


@pytest.mark.parametrize("language", FOREIGN)
def test_a_translation_begins_and_ends_without_white_space_unless_its_message_does(language):
    different = [
        message.id
        for message in catalogue.load(language)
        if message.id and message.string
        for english, foreign in _pairs(message)
        if any(map(str.isalpha, english)) and (english != english.strip()) != (foreign != foreign.strip())
    ]
    assert different == []


@pytest.mark.parametrize("language", FOREIGN)
def test_only_abbreviations_and_bare_placeholders_are_the_same_in_every_language(language):
    same = {
        text for m in catalogue.load(language) if m.id and m.string for text, foreign in _pairs(m) if text == foreign
    }
    assert {text for text in same if re.search("[A-Za-z]{2,}", re.sub(r"\{\w+\}", "", text))} <= {
        "LIME",
        "SHAP",
        "SHA-256",
    }


def test_the_one_of_a_plural_says_nothing_that_the_several_does_not(messages):
    plurals = [message for message in messages if isinstance(message, tuple)]
    assert [one for one, several in plurals if not _placeholders(one) <= _placeholders(several)] == []


def _calls(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in catalogue.MARKS:
            places = catalogue.MARKS[node.func.id]
            yield node.func.id, [argument for i, argument in enumerate(node.args) if i in places]


def _is_text(argument):
    return isinstance(argument, ast.Constant) and isinstance(argument.value, str) and argument.value != ""


def _is_reference(argument):
    """A constant by name, an entry of one, or the field of something: texts that `N_` marks elsewhere."""
    return isinstance(argument, ast.Name | ast.Attribute | ast.Subscript)


@pytest.mark.parametrize("path", TREES, ids=lambda path: "/".join(path.parts[-3:]))
def test_messages_are_literal_texts(path):
    for name, arguments in _calls(TREES[path]):
        if name == "say":
            assert all(_is_text(a) or _is_reference(a) for a in arguments), [ast.unparse(a) for a in arguments]
        else:
            assert all(map(_is_text, arguments)), [ast.unparse(a) for a in arguments]


def _said_at_import(tree):
    """Calls of `say` and `plural` that run when the file is imported, before any language is chosen."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("say", "plural"):
            yield ast.unparse(node)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting += [*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)]
        elif not isinstance(node, ast.Lambda):
            waiting += ast.iter_child_nodes(node)


@pytest.mark.parametrize("path", TREES, ids=lambda path: "/".join(path.parts[-3:]))
def test_nothing_is_said_before_a_language_is_chosen(path):
    assert list(_said_at_import(TREES[path])) == []


def test_a_catalogue_survives_being_written_and_read(messages):
    written = read_po(io.BytesIO(catalogue.renewed("zh")), locale="zh")
    assert {message.id for message in written if message.id} == messages


def test_messages_of_code_are_gathered_wherever_they_stand():
    source = """
x = say("Outer {a}", a=plural(n, "{n} dog", "{n} dogs"), b=say("two " "parts"))
NAMES = {"a": N_("marked")}
progress.say("of another")
say(NAMES["a"])
"""
    messages = list(catalogue.in_code(source))
    assert sorted(messages, key=str) == [("{n} dog", "{n} dogs"), "Outer {a}", "marked", "two parts"]


def test_messages_of_templates_are_gathered_wherever_they_stand():
    source = """<p title="{{ say('Title') }}">{{ plural(3, "{n} dog", "{n} dogs", of=say("Inner")) }}</p>"""
    assert sorted(catalogue.in_template(source), key=str) == [("{n} dog", "{n} dogs"), "Inner", "Title"]
