import pytest
from invented_classifier import classifier
from invented_findings import number
from invented_runs import empty, language_model

from auditor.report import sections
from auditor.report.contract import Section, Sources, Table, numbers_table
from auditor.report.sections import methods, parameters


def resolved(run, **values):
    """What the parameters of LIME came to, by name."""
    findings, _ = run
    given = findings.model_copy(update={"parameters": {"lime": values}})
    group = next(group for group in parameters.groups(given) if group.title == "LIME")
    return {row.name: (row.value, row.meaning) for row in group.rows}


def other(**content):
    return Section("lime", "Token explanations", "", "", "", "", "", content)


def test_what_was_left_to_its_default_is_printed_as_what_it_came_to():
    found = resolved(classifier(), limit="default", segmenter="auto", num_features="default", bow="True")
    assert found["limit"] == ("not set", "all of the corpus: 60 documents")
    assert found["segmenter"] == ("auto", "words (58 documents)")
    assert found["num_features"] == ("not set", "every segment has a weight")
    assert found["bow"][1] == "a word is one segment, at all places where it stands"


def test_a_parameter_that_played_no_part_says_so():
    assert (
        resolved(classifier(), n_samples="1000", tolerance="0.1")["tolerance"][1] == "not used: n_samples is a number"
    )
    assert "of the largest weight" in resolved(classifier(), n_samples="auto", tolerance="0.1")["tolerance"][1]


def test_a_parameter_nobody_knows_is_printed_as_it_was_set():
    assert resolved(classifier(), sharpness="7")["sharpness"] == ("7", "")


def test_a_probe_that_read_a_sample_says_how_large_it_was():
    findings, evidence = classifier()
    coverage = tuple(c.model_copy(update={"asked": 20}) if c.probe == "lime" else c for c in findings.coverage)
    found = resolved((findings.model_copy(update={"coverage": coverage}), evidence), limit="20")
    assert found["limit"] == ("20", "20 of 60 documents, a sample drawn by the seed")


def test_the_seed_and_the_data_type_head_the_parameters():
    findings, _ = classifier()
    facts = {
        "provenance": {"Seed": "7"},
        "model": {"Data type": "float16", "Statistics": "softmax and statistics in float32 or better"},
    }
    whole = parameters.groups(findings.model_copy(update=facts))[0]
    assert [(row.name, row.value) for row in whole.rows] == [("seed", "7"), ("dtype", "float16")]


def test_each_number_is_named_once_under_its_section():
    sources = Sources(*classifier())
    found = methods.compose(sources, sections.compose(sources)).content["names"]
    names = [name for row in found for name in row.names]
    assert len(names) == len(set(names))
    by_section = {row.section: row.names for row in found}
    assert "accuracy" in by_section["predictions"]
    assert "recall[…]" in by_section["predictions"]
    assert "attention.agreement" in by_section["attention"]
    assert all(name.startswith("lime.") for name in by_section["lime"])


def test_a_protocol_that_stands_beside_its_number_is_not_repeated():
    sources = Sources(*classifier())
    every = methods.compose(sources, []).content["protocols"]
    shown = other(numbers=numbers_table("", sources.named("lime.fidelity")))
    fewer = methods.compose(sources, [shown]).content["protocols"]
    assert {row[0] for row in every.rows} - {row[0] for row in fewer.rows} == {"lime.fidelity"}


@pytest.mark.parametrize("make", [classifier, language_model, empty])
def test_the_protocol_of_every_number_stands_somewhere(make):
    sources = Sources(*make())
    composed = sections.compose(sources)
    said = {
        cell
        for section in composed
        for value in section.content.values()
        if isinstance(value, Table)
        for row in value.rows
        for cell in row
    }
    whole = [n for name, n in sources.numbers.items() if "{" not in name]
    assert [n.name for n in whole if n.protocol not in said] == []


def test_a_family_whose_protocols_differ_in_the_middle_has_one_row():
    findings, evidence = classifier()
    pair = tuple(
        number(f"attention.head_share[{x}]", x, 0.5, 0.4, 0.6, protocol=f"Share of heads on {x}, of 48") for x in "ab"
    )
    found = methods.compose(Sources(findings.model_copy(update={"numbers": pair}), evidence), []).content["protocols"]
    assert found.rows == (("attention.head_share[…]", "Share of heads on …, of 48"),)


def test_symbols_in_the_prose_are_set_as_such_and_nothing_else_is_markup():
    parts = methods.compose(Sources(*classifier()), []).content["parts"]
    prose = {part.formulas: part.prose for part in parts}
    said = "<i>a</i><sub><i>ij</i></sub> is the weight of query <i>i</i>"
    assert said in prose["sections/formulas/attention.html.j2"]
    assert "*" not in "".join(prose.values())
    assert "&lt;" not in "".join(prose.values())


def test_a_language_model_has_the_formula_of_its_continuations():
    formulas = [part.formulas for part in methods.compose(Sources(*language_model()), []).content["parts"]]
    assert formulas == [f"sections/formulas/{n}.html.j2" for n in ("continuation", "lime", "attention", "perplexity")]
