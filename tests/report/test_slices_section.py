"""The section on slices: every number of every group with n and interval, and what could be found."""

import re
from html import unescape

from invented_classifier import classifier
from invented_runs import candidates

from auditor.findings.contract.types import SliceRow
from auditor.findings.slicing.slices import compare_rows
from auditor.report.contract import Sources
from auditor.report.drawing import formats
from auditor.report.page import templates
from auditor.report.page.html import Numbering
from auditor.report.sections import slices


def words(html):
    return " ".join(unescape(re.sub(r"<title>.*?</title>|<[^>]+>", " ", html)).split())


def page(run):
    section = slices.compose(Sources(*run))
    return str(templates.fill(section.template, section=section, numbering=Numbering(), **section.content))


def test_every_number_of_every_group_is_printed_with_n_and_interval():
    findings, _ = classifier()
    text = words(page(classifier()))
    for row in findings.slices:
        for number in row.numbers:
            value, interval = re.escape(formats.value(number)), re.escape(formats.interval(number))
            few = "– " if number.n < 30 else ""
            cells = rf"{row.column} {row.value} {few}{formats.count(number.n)} (?:[▲▼] )?{value} {interval}"
            assert re.search(cells, text), number.name


def test_each_panel_begins_with_the_whole_corpus_and_shares_its_axis():
    findings, evidence = classifier()
    panels = slices.compose(Sources(findings, evidence)).content["chunks"][0]
    assert [panel.title for panel in panels] == [
        *("Accuracy", "Explanation fidelity R²", "Perplexity, median", "Calibration error")
    ]
    assert {panel.rows[0].tone for panel in panels} == {"whole"}
    assert all(len(panel.rows) == 6 for panel in panels)


def test_groups_that_stand_apart_are_signed_and_small_ones_are_muted():
    panels = slices.compose(Sources(*classifier())).content["chunks"][0]
    rows = {(panel.title, row.group): (row.sign, row.tone) for panel in panels for row in panel.rows}
    assert rows["Perplexity, median", "language en"] == ("▼", "apart")  # 11.4 to 15.6, all documents 18.4
    assert rows["Perplexity, median", "language ar"] == ("", "muted")  # apart too, but eight documents
    assert rows["Accuracy", "length short"] == ("", "")


def test_the_answer_counts_the_comparisons_that_were_corrected_for():
    section = slices.compose(Sources(*classifier()))
    assert section.answer == (
        "Accuracy: none of the 2 groups that can be judged stands apart; a difference of 0.20 would have been found in "
        "80% of cases. 1 of 8 comparisons sets a group apart from the whole corpus, corrected for how many there are: "
        "Perplexity, median, language en 14.2 (11.4–15.6)."
    )
    assert section.limits.startswith("8 comparisons were made and corrected for: where nothing differs, any of them")


def test_beside_a_group_stands_its_p_or_the_difference_that_would_have_been_found():
    panels = slices.compose(Sources(*classifier())).content["chunks"][0]
    shown = {(panel.title, row.group): row.difference for panel in panels for row in panel.rows}
    made = {one.name: one for row in classifier()[0].slices for one in row.comparisons}
    assert shown["Accuracy", "length short"] == f"< {made['accuracy{length=short}'].detectable:.2f}"
    assert shown["Perplexity, median", "language en"].startswith("p ")
    assert shown["Perplexity, median", "language ar"] == ""
    assert shown["Accuracy", "All documents"] == ""


def with_numbers(name, *values):
    """A run with a group of 40 documents for each (value, low, high) of a number that is 0.9 over all documents."""
    findings, evidence = classifier()
    whole = next(number for number in findings.numbers if number.name == "accuracy")
    whole = whole.model_copy(update={"name": name, "title": name, "value": 0.9, "low": 0.88, "high": 0.92, "n": 400})
    rows = []
    for i, (value, low, high) in enumerate(values):
        own = {"name": f"{name}{{kind={i}}}", "title": f"{name}, kind {i}", "n": 40}
        number = whole.model_copy(update={**own, "value": value, "low": low, "high": high})
        rows.append(SliceRow(column="kind", value=str(i), n=40, numbers=(number,), judged=True))
    update = {"numbers": (whole,), "slices": tuple(compare_rows(rows, [whole])), "n_comparisons": len(rows)}
    return findings.model_copy(update=update), evidence


def test_the_answer_says_first_which_groups_are_answered_worse_and_which_better():
    run = with_numbers("accuracy", (0.6, 0.5, 0.7), (0.99, 0.98, 1.0), (0.91, 0.86, 0.95))
    assert slices.compose(Sources(*run)).answer.startswith(
        "Accuracy: 2 of the 3 groups that can be judged stand apart from the 0.900 of all documents: "
        "▼ kind 0 0.60 (0.50–0.70) and ▲ kind 1 0.990 (0.980–1.000). 2 of 3 comparisons set"
    )


def test_groups_that_stand_apart_are_named_farthest_first_by_the_width_of_their_interval():
    found = with_numbers("lime.fidelity", (0.5, 0.2, 0.8), (0.7, 0.69, 0.71), (0.6, 0.5, 0.7))
    answer = slices.compose(Sources(*found)).answer
    assert re.findall(r"fidelity, kind (\d)", answer) == ["1", "2", "0"]  # 20, 3 and 1.3 half-widths


def test_a_dash_tells_what_is_not_judged_without_colour():
    text = words(page(classifier()))
    assert "– before n, and grey: fewer than 30 documents, not judged." in text


def test_numbers_beyond_those_listed_are_counted(monkeypatch):
    html = page(candidates())
    assert "more number" not in html
    monkeypatch.setattr(slices, "_MOST_OTHERS", 2)
    findings, _ = candidates()
    drawn = {number.name for row in findings.slices for number in row.numbers}
    n = sum(x.name.endswith("}") and x.name not in drawn and x.value is not None for x in findings.numbers)
    html = page(candidates())
    assert f"{n - 2} more numbers of the groups are in findings.json." in html
    assert "are in the attached findings.json; report.html has the first 2." in html


def test_groups_that_are_all_too_small_are_described_and_not_judged():
    section = slices.compose(Sources(*candidates()))
    assert section.answer == "There are too few groups with enough documents to compare."
    assert section.limits == "Groups and numbers with fewer than 30 documents are listed, not judged."


def test_numbers_without_a_panel_are_on_screen_and_named_on_paper():
    html = page(candidates())
    screen = words("".join(re.findall("<!--screen-->(.*?)<!--/screen-->", html, re.DOTALL)))
    assert "Precision, yes, half 0" in screen
    paper = words(re.sub("<!--screen-->.*?<!--/screen-->", "", html, flags=re.DOTALL))
    assert "Precision, yes" not in paper
    assert "The other numbers of each group, such as precision and F1" in paper


def test_many_groups_are_drawn_column_by_column_and_the_rest_counted():
    findings, evidence = classifier()
    own = findings.slices[0]
    rows = tuple(
        SliceRow(column=f"c{i // 10}", value=str(i), n=40, numbers=own.numbers, judged=True) for i in range(100)
    )
    content = slices.compose(Sources(findings.model_copy(update={"slices": rows}), evidence)).content
    sizes = [len(panels[0].rows) - 1 for panels in content["chunks"]]
    assert max(sizes) <= slices.MOST_ROWS
    assert sum(sizes) + content["left_out"] == 100


def test_a_column_of_more_groups_than_one_drawing_holds_is_cut():
    findings, evidence = classifier()
    numbers = findings.slices[0].numbers
    rows = tuple(SliceRow(column="c", value=str(i), n=40, numbers=numbers, judged=True) for i in range(60))
    content = slices.compose(Sources(findings.model_copy(update={"slices": rows}), evidence)).content
    assert [len(panels[0].rows) - 1 for panels in content["chunks"]] == [24, 24, 12]
    drawn = [row.group for panels in content["chunks"] for row in panels[0].rows if row.tone != "whole"]
    assert drawn == [f"c {i}" for i in range(60)]
