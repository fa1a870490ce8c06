"""The sections on trust and on occlusion: grades and their rule, losses by method, cards that must not be cited."""

import re
from dataclasses import replace
from html import unescape

import pytest

from auditor.findings import Bound, summarise
from auditor.findings.analyses import grades
from auditor.languages.numbers import shortest
from auditor.records.explanations import Attainable, Integral, Shapley
from auditor.report import render_html
from auditor.report.chapters import chapters
from auditor.report.contract import Sources
from auditor.report.sections import faithfulness
from auditor.report.sections.occlusion import CHAPTER
from tests.findings.acted_upon import REFUSED, SURE, acted, bare, both
from tests.findings.worked_example import context, with_rows

pytestmark = pytest.mark.usefixtures("no_embedded_fonts")


def run(*rows):
    asked = {**context().asked, "occlusion": 10, "faithfulness": 10}
    checks = {"explanations.reliable_share": Bound(at_least=0.6), "lime.faithfulness": Bound(at_least=0.1)}
    evidence = acted(*rows)
    return summarise(evidence, context(asked=asked, checks=checks)), evidence


def words(markup):
    return " ".join(unescape(re.sub(r"<(style|title)>.*?</\1>|<[^>]+>", " ", markup, flags=re.DOTALL)).split())


def section_of(page, name):
    return re.search(rf'<section id="{name}".*?</section>', page, re.DOTALL)[0]


def wobbling(i):
    """So that means have an interval."""
    return {"comprehensiveness": tuple(lost + i / 100 for lost in (0.2, 0.3, 0.4, 0.9))}


# Besides the last three, the worked example's fourth and fifth have too low a fidelity.
ROWS = tuple(both(i, lime={**(SURE if i < 7 else REFUSED), **wobbling(i)}) for i in range(10))


def test_the_answer_counts_the_grades_of_the_first_method_and_names_the_best():
    section = faithfulness.compose(Sources(*run(*ROWS)))
    assert re.fullmatch(
        r"Of 10 explanations by LIME, 5 may be relied upon and 0 with care; 5 must not be cited, and 0 have nothing to "
        r"cite\. Most beyond chance is lost without the words of LIME: 0\.395 \(0\.3\d+–0\.4\d+\) more than in a "
        r"random order\.",
        section.answer,
    )


def test_the_rule_is_printed_as_it_is_applied():
    rule = faithfulness.compose(Sources(*run(*ROWS))).content["tables"][1][0]
    printed = {cell for row in rule.rows for cell in row[1:]}
    for limits in (grades.DROP, grades.SAID, grades.FIDELITY, grades.HALVES):
        assert {f"≥ {shortest(limits.rely)}", f"< {shortest(limits.cite)}"} <= printed
    assert {"≤ 5%", "> 20%"} <= printed
    assert shortest(grades.LEAST_MOVED) in rule.caption


def test_every_method_has_a_row_and_the_random_order_stands_last():
    shares, _, losses, pairs, _ = (table for table, _ in faithfulness.compose(Sources(*run(*ROWS))).content["tables"])
    assert [row[0] for row in shares.rows] == ["LIME", "occlusion"]
    assert shares.rows[0][1:] == ("10", "5 (50%)", "0 (0%)", "5 (50%)", "0 (0%)")
    assert [row[0] for row in losses.rows] == ["LIME", "occlusion", "random order"]
    assert (losses.rows[0][1], losses.rows[2][1]) == ("0.495", "0.10")
    assert losses.rows[2][-3:] == ("", "", ""), "a random order has no random sets beside it"
    assert pairs.rows == (("LIME and occlusion", "10", "1.00", "1.00", "1.000", "0.365", "1.000"),)


def test_a_ranking_no_better_than_chance_is_said_to_be_none():
    flat = {"comprehensiveness": (0.0, 0.1, 0.1, 0.2)}
    rows = [both(i, lime={**SURE, **flat}) for i in range(10)]
    rows = [row.__class__(row.document_id, row.unit, 60, row.removals[:1]) for row in rows]
    answer = faithfulness.compose(Sources(*run(*rows))).answer
    assert answer.endswith("No method’s ranking is told apart from a random one.")


def test_cards_have_their_grade_and_those_not_to_be_cited_mark_nothing():
    findings, evidence = run(*(both(i, lime=SURE if i else REFUSED) for i in range(10)))
    page = render_html(findings, evidence)
    cards = dict(
        re.findall(r'<article class="card" id="(lime-\d+)".*?(?=</article>)', page, re.DOTALL)
        and [
            (match[1], match[0])
            for match in re.finditer(r'<article class="card" id="(lime-\d+)".*?</article>', page, re.DOTALL)
        ]
    )
    assert "lime-0" in cards, "the confident error d00 is shown"
    assert '<b class="grade">Do not cite</b>' in cards["lime-0"]
    assert "<mark" not in cards["lime-0"]
    assert 'class="muted"' in cards["lime-0"]
    relied = cards["lime-1"]
    assert '<b class="grade">Rely</b>' in relied
    assert "<mark" in relied
    ungraded = next(card for name, card in cards.items() if int(name.split("-")[1]) > 9)
    assert 'class="grade"' not in ungraded
    assert "<mark" in ungraded


def test_documents_of_which_two_methods_say_little_alike_are_shown_as_either_marks_them():
    findings, evidence = run(*ROWS)
    section = section_of(render_html(findings, evidence), "faithfulness")
    cards = re.findall(r'<article class="card".*?</article>', section, re.DOTALL)
    assert len(cards) == 3
    assert "Where two methods say the least alike" in section
    assert [words(name) for name in re.findall(r'<p class="field">(.*?)</p>', cards[0])] == [
        "LIME · Rely",
        "occlusion · Rely",
    ]
    assert "correlation 1.00" in cards[0]
    assert cards[0].count("<mark") >= 2


def test_checks_on_trust_stand_on_page_one_and_lead_to_the_section():
    page = render_html(*run(*ROWS))
    front = words(page.split("<section")[0])
    assert re.search(r"Explanations to rely on 0\.5\d* 0\.\d+–0\.\d+ ≥ 0\.6 10", front)
    assert "Of 10 explanations by LIME 5 may be relied upon, and 5 must not be cited." in front
    assert 'href="#faithfulness"' in page
    assert "May the explanations be relied upon?" in words(section_of(page, "faithfulness"))


def test_occlusion_says_what_the_strongest_word_does_and_what_its_order_is_worth():
    rows = [both(i, occlusion=SURE) for i in range(10)]
    section = CHAPTER.compose(Sources(*run(*rows)))
    assert re.fullmatch(
        r"In 10 documents the largest weight of a word is 0\.40\d* \(.*\) in probability, on average\. Without the "
        r"words that it ranks first 0\.05\d* more of the answer is lost than in a random order\.",
        section.answer,
    )
    named = [row[0] for row in section.content["tables"][0][0].rows]
    assert named == ["Largest effect of one word", "Occlusion faithfulness"]


def test_without_a_probe_that_acts_nothing_is_known_of_trust():
    evidence = acted(*ROWS)
    alone = {name: rows for name, rows in evidence.rows.items() if name != "faithfulness"}
    asked = {**context().asked, "occlusion": 10}
    found = summarise(replace(evidence, rows=alone), context(asked=asked))
    answer = CHAPTER.compose(Sources(found, replace(evidence, rows=alone))).answer
    assert answer.endswith("so that nothing is known of how far they may be relied upon.")


def test_weights_of_another_unit_are_not_called_a_part_of_the_answer():
    explained = {f"d{i:02}": replace(bare(i), method="saliency") for i in range(10)}
    evidence = with_rows(acted(), saliency=explained)
    findings = summarise(evidence, context(asked={**context().asked, "occlusion": 10, "saliency": 10}))
    section = chapters()["saliency"].compose(Sources(findings, evidence))
    assert section.answer.startswith("10 documents are explained.")


def test_what_an_integral_misses_is_a_number_of_its_method():
    target = bare(0).targets[0]
    integral = Integral("pad", 0.5, 32, -0.002)
    explained = {
        f"d{i:02}": replace(bare(i), targets=(replace(target, integral=replace(integral, completeness_error=e)),))
        for i, e in enumerate((-0.002, 0.004))
    }
    evidence = with_rows(acted(), integrated_gradients=explained)
    findings = summarise(evidence, context(asked={**context().asked, "integrated_gradients": 2}))
    (error,) = [n for n in findings.numbers if n.name == "integrated_gradients.completeness_error"]
    assert (error.value, error.n) == (0.003, 2)


def test_shapley_values_say_how_they_were_computed_and_that_they_add_up():
    exact, drawn = Shapley("exact", 0, 64, (0.2,), (0.0,)), Shapley("permutation", 50, 1900, (0.2,), (1e-9,))
    explained = {f"d{i:02}": replace(bare(i), method="shap", shapley=(exact, drawn)[i > 6]) for i in range(8)}
    evidence = with_rows(acted(), shap=explained)
    findings = summarise(evidence, context(asked={**context().asked, "shap": 8}))
    section = chapters()["shap"].compose(Sources(findings, evidence))
    assert "In 7 documents every subset of the segments was tried: their values are exact." in section.method
    assert "In 1 document random orders were drawn: its values have a standard error." in section.method
    named = [row[0] for row in section.content["tables"][0][0].rows]
    assert named == ["Largest Shapley value", "SHAP, additivity error"]
    assert all(one.is_sampled == (i > 6) for i, one in enumerate(explained.values()))


BOUNDS = Attainable(False, (0.6, 0.6, 0.8, 1.0), (0.0, 0.0, 0.0, 0.0), (0.9,) * 4, (0.0,) * 4)


def test_what_is_attained_of_what_any_ranking_could_stands_beside_the_losses():
    rows = [both(i, lime={**SURE, **wobbling(i)}) for i in range(12)]
    few = [
        replace(row, removals=tuple(replace(one, attainable=BOUNDS) for one in row.removals)) if i > 0 else row
        for i, row in enumerate(rows)
    ]
    section = faithfulness.compose(Sources(*run(*few)))
    assert re.search(
        r"Between the worst ranking of the same words \(0\) and the best \(1\) that of LIME stands at 0\.6",
        section.answer,
    )
    assert "For 11 documents, drawn by their contents, the best and the worst ranking" in section.method
    assert "In 0 of them every subset was tried" in section.method
    table = section.content["tables"][3][0]
    assert [row[:2] for row in table.rows] == [("LIME", "11"), ("occlusion", "11"), ("random order", "11")]
    assert table.rows[1][2] == "0.200", "the same in all documents: no interval"
    without = faithfulness.compose(Sources(*run(*rows)))
    assert "best and the worst" not in without.method + without.answer
    assert len(without.content["tables"]) == len(section.content["tables"]) - 1
