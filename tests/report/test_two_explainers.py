"""Two probes of explanations in one report: each has its own section, numbers, slices, columns and cards."""

import io
import re
from html import unescape

import invented_twin
import pyarrow.parquet as pq
import pytest
from invented_twin import ENTRY_POINTS, EXPLAINED, both

from auditor.errors import InstallationError
from auditor.findings import read, summaries, write
from auditor.report import render_html
from auditor.report.page import documents_page

pytestmark = pytest.mark.usefixtures("no_embedded_fonts")


@pytest.fixture
def run(install):
    install(ENTRY_POINTS, {})
    return both()


@pytest.fixture
def page(run):
    return render_html(*run)


def words(markup):
    return " ".join(unescape(re.sub(r"<(style|title)>.*?</\1>|<[^>]+>", " ", markup, flags=re.DOTALL)).split())


def section(page, name):
    return re.search(rf'<section id="{name}".*?</section>', page, re.DOTALL)[0]


def cards(page, name):
    return re.findall(r'<article class="card" id="([^"]+)"', section(page, name))


def test_both_have_a_section_with_its_own_title_answer_and_anchors(page):
    assert re.findall(r'<section id="([\w-]+)"', page)[:4] == ["predictions", "lime", "probe-erasure", "attention"]
    assert "<h2>Token explanations</h2>" in section(page, "lime")
    assert "<h2>Erasure of words</h2>" in section(page, "probe-erasure")
    assert "LIME’s linear surrogate reproduces" in section(page, "lime")
    assert "erasure’s linear surrogate reproduces" in section(page, "probe-erasure")
    assert len(cards(page, "lime")) == len(cards(page, "probe-erasure")) == 6
    assert all(anchor.startswith("lime-") for anchor in cards(page, "lime"))
    assert all(anchor.startswith("probe-erasure-") for anchor in cards(page, "probe-erasure"))


def test_no_address_is_given_twice_and_none_leads_nowhere(page):
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)


def test_page_one_shows_the_check_on_the_number_of_the_second_and_leads_to_it(run, page):
    front = page.split("<section")[0]
    text = words(front)
    checks = {check.name: check for check in run[0].checks}
    assert checks["erasure.fidelity"].result == "fail"
    assert "Erasure fidelity 0.69 0.56–0.72 ≥ 0.99 34 ✗ fail" in text
    assert "LIME fidelity 0.87 0.65–0.92 ≥ 0.5 29 ✓ pass" in text
    assert re.search(r"Erasure fidelity is 0\.69.*? Erasure of words", text)


def test_each_is_counted_on_the_documents_that_it_explained(run):
    numbers = {number.name: number for number in run[0].numbers}
    assert (numbers["lime.fidelity"].n, numbers["erasure.fidelity"].n) == (29, EXPLAINED)
    coverage = {row.probe: row for row in run[0].coverage}
    assert (coverage["lime"].measured, coverage["lime"].failed) == (29, 1)
    assert (coverage["erasure"].measured, coverage["erasure"].failed) == (EXPLAINED, 0)


def test_slices_have_rows_of_both_with_titles_that_tell_them_apart(run, page):
    assert {"lime.fidelity{length=short}", "erasure.fidelity{length=short}"} <= {n.name for n in run[0].numbers}
    text = words(section(page, "slices"))
    for title in ("LIME fidelity", "Erasure fidelity", "Low-fidelity erasure"):
        assert f"{title} Group n Value" in text
    assert re.search(r"Erasure fidelity Group n Value .*? length short – 17 0\.69 ", text)


def test_the_table_of_documents_has_a_column_of_each_with_its_own_values(run, page):
    findings, evidence = run
    for row in findings.documents:
        for name, probe in (("fidelity", "lime"), ("erasure_fidelity", "erasure")):
            record = evidence.of(probe).get(row.document_id)
            expected = record.targets[0].surrogate.fidelity if hasattr(record, "targets") else None
            assert row.values[name] == expected, (row.document_id, name)
    text = words(section(page, "documents"))
    assert re.search(r"R² R² occl\. .*? d00 negative ✗ positive 0\.95 0\.20 0\.90 0\.70 ", text)
    assert "R² is the fidelity of the explanation. R² occl. is its own." in text


def test_the_parquet_file_of_all_documents_has_both_columns(run):
    table = pq.read_table(io.BytesIO(documents_page.render(*run)["documents.parquet"]))
    assert len(table.schema.names) == len(set(table.schema.names))
    assert table.column("fidelity").to_pylist()[:2] == pytest.approx([0.9, 0.901])
    assert table.column("erasure_fidelity").to_pylist()[:2] == pytest.approx([0.7, 0.701])


def test_words_are_marked_by_the_first_of_them(page):
    gallery = section(page, "failures")
    marked = {words(mark) for mark in re.findall(r"<mark.*?</mark>", gallery.split('class="card case"', 1)[1])}
    assert any(mark.startswith("not") for mark in marked), "a word of LIME's"
    assert not any(mark.startswith("was") for mark in marked), "a word of the twin's"
    own = re.findall(r"<mark.*?</mark>", section(page, "probe-erasure").split("<article", 1)[1])
    assert any(words(mark).startswith("was") for mark in own)


def test_the_gallery_says_which_of_them_was_weak_and_leads_to_both(page):
    gallery = section(page, "failures")
    text = words(gallery)
    assert "LIME: Explanations with the lowest R² 3 29" in text
    assert f"erasure: Explanations with the lowest R² 3 {EXPLAINED}" in text
    assert "LIME: The explanation is weak: R² 0.90" in text
    assert "erasure: The explanation is weak: R² 0.70" in text
    assert '<a class="see" href="#lime-0">LIME: Explanation</a>' in gallery
    assert '<a class="see" href="#probe-erasure-0">erasure: Explanation</a>' in gallery


def test_each_set_of_parameters_says_what_it_came_to(page):
    text = words(section(page, "methods"))
    assert "LIME n_samples 1000 at most 1,000 variants of a document" in text
    assert "Erasure n_samples 500" in text
    assert "Erasure of words erasure.fidelity" in text


def test_findings_with_both_are_read_back(run):
    assert read(write(run[0])) == run[0]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"section": "lime"}, "the section lime is declared by the summary of lime and by the summary of erasure"),
        (
            {"cells": ("fidelity",)},
            "the column fidelity is declared by the summary of lime and by the summary of erasure",
        ),
    ],
)
def test_what_would_overwrite_another_is_refused(install, monkeypatch, changes, said):
    for name, value in changes.items():
        monkeypatch.setattr(invented_twin.SUMMARY, name, value if name == "section" else _cells(*value))
    install(ENTRY_POINTS, {})
    with pytest.raises(InstallationError, match=re.escape(said)):
        summaries()


def _cells(name):
    return (invented_twin.fidelity_cell(name, "R²", ""),)


def test_alone_the_second_marks_the_words(install):
    install(ENTRY_POINTS, {})
    findings, evidence = both(lime=False)
    gallery = section(render_html(findings, evidence), "failures")
    marked = {words(mark) for mark in re.findall(r"<mark.*?</mark>", gallery.split('class="card case"', 1)[1])}
    assert any(mark.startswith("was") for mark in marked)
    assert not any(mark.startswith("not") for mark in marked)
    assert "erasure:" not in words(gallery), "one explainer needs no name"
