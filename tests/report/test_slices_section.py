"""The section on slices: every number of every group with n and interval, and what chance would do."""

import re
from html import unescape

from invented_classifier import classifier
from invented_runs import candidates

from auditor.findings.types import SliceRow
from auditor.report import formats, templates
from auditor.report.html import Numbering
from auditor.report.sections import slices
from auditor.report.sections.contract import Sources


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
            cells = rf"{row.column} {row.value} {formats.count(number.n)} (?:[▲▼] )?{value} {interval}"
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


def test_the_answer_counts_comparisons_and_expected_false_alarms():
    section = slices.compose(Sources(*classifier()))
    assert section.answer == (
        "1 of 8 comparisons sets a group apart from the whole corpus (by chance alone at most about 0.4): "
        "Perplexity, median, language en 14.2 (11.4–15.6)."
    )
    assert section.limits.startswith("8 comparisons were made without correction: at most about 0.4 would stand apart")


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
