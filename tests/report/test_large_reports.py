"""A corpus that is too large for one page: what stays, where the rest is, and what does not grow."""

import io
import json
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from invented_findings import with_analysis
from invented_large import HOSTILE, of_many
from invented_runs import language_model

from auditor.findings import abridgement, read, sliceable, write
from auditor.findings.abridgement import document_rows
from auditor.findings.analyses import scored_tokens
from auditor.findings.analyses.scored_tokens import nats_by_slice
from auditor.records.types import Perplexity
from auditor.report import render_html, render_pages
from auditor.report.sections import documents

pytestmark = pytest.mark.usefixtures("no_embedded_fonts")
N = 400


@pytest.fixture
def small_limits(monkeypatch):
    """Limits that four hundred documents are beyond."""
    for name, value in (("MOST_ROWS", 300), ("SHOWN", 50), ("FAILED", 4), ("WRONG", 20)):
        monkeypatch.setattr(abridgement, name, value)


@pytest.fixture
def pages(small_limits):  # noqa: ARG001  (a fixture cannot be marked)
    return render_pages(*of_many(N))


def rows_of(page):
    """The JSON in documents.html, as cells by column."""
    data = json.loads(re.search(r'<script type="application/json" id="documents">(.*?)</script>', page)[1])
    return {
        column["title"]: [
            column["choices"][cell]["text"] if "choices" in column else cell[0] if isinstance(cell, list) else cell
            for cell in column["cells"]
        ]
        for column in data["columns"]
    }


def test_a_page_with_few_documents_has_no_files_beside_it():
    findings, evidence = of_many(60)
    made = render_pages(findings, evidence)
    assert made.documents == {}
    assert made.findings is findings
    assert made.html == render_html(findings, evidence)


def test_a_page_beyond_its_size_leaves_most_documents_to_the_files_beside_it(monkeypatch):
    findings, evidence = of_many(N)
    whole = render_html(findings, evidence)
    monkeypatch.setattr(abridgement, "SHOWN", 50)
    monkeypatch.setattr(documents, "MOST_BYTES", len(whole.encode()))
    assert render_pages(findings, evidence).html == whole
    monkeypatch.setattr(documents, "MOST_BYTES", len(whole.encode()) - 1)
    made = render_pages(findings, evidence)
    assert set(made.documents) == {"documents.html", "documents.parquet"}
    assert len(made.html.encode()) < 0.8 * len(whole.encode())
    assert len(made.findings.documents) == 50
    assert made.findings.n_documents == N


def test_few_documents_stay_on_a_page_that_is_large_for_another_reason(monkeypatch):
    monkeypatch.setattr(documents, "MOST_BYTES", 1000)
    assert render_pages(*of_many(60)).documents == {}


@pytest.mark.exhaustive
def test_by_default_a_page_of_four_thousand_documents_is_below_two_megabytes():
    made = render_pages(*of_many(4000))
    assert set(made.documents) == {"documents.html", "documents.parquet"}
    assert len(made.html.encode()) < documents.MOST_BYTES


@pytest.mark.usefixtures("small_limits")
def test_the_page_keeps_what_the_report_shows_what_failed_and_the_surest_errors():
    findings, evidence = of_many(N)
    kept = {row.document_id for row in findings.documents}
    answered = findings.analyses["prediction"]
    shown = {e.document_id for e in (*answered.confident_errors, *answered.least_certain)}
    assert shown <= kept
    listed = {name for row in findings.coverage for name, *_ in row.failures}
    assert listed <= kept
    wrong = documents.wrong_documents(findings, evidence)
    by_certainty = sorted(wrong, key=lambda name: (-max(evidence.of("prediction")[name].probabilities), name))
    assert set(by_certainty[:20]) <= kept
    assert "doc-1" in kept
    assert len(kept) == 50
    order = [int(row.document_id.removeprefix("doc-")) for row in findings.documents]
    assert order == sorted(order)


def test_the_page_says_how_many_it_has_of_how_many_and_leads_to_all_of_them(pages):
    assert '<a href="documents.html">All 400 documents</a>' in pages.html
    assert "50 of 400 documents, chosen as stated below." in pages.html
    assert "The table of all 400 documents would make report.html larger than 2 MB" in pages.html
    assert "up to 4 that a probe could not measure, up to 20 wrong answers, the surest first" in pages.html
    assert "400 documents; for 8 of them a probe failed." in pages.html
    assert ">400 documents" in pages.html  # on page one


@pytest.mark.usefixtures("small_limits")
def test_the_files_beside_the_page_hold_every_document_and_agree():
    findings, evidence = of_many(N)
    files = render_pages(findings, evidence).documents
    rows = list(document_rows(findings, evidence))
    assert [row.document_id for row in rows] == [document.id for document in evidence.documents]
    table = pq.read_table(io.BytesIO(files["documents.parquet"]))
    assert table.column("document_id").to_pylist() == [row.document_id for row in rows]
    assert table.column("probability").to_pylist() == [row.values["probability"] for row in rows]
    assert table.column("failed").to_pylist() == [list(row.failed) for row in rows]
    shown = rows_of(files["documents.html"].decode())
    assert shown["Document"] == [row.document_id for row in rows]
    assert shown["source"] == [row.metadata["source"] for row in rows]
    assert shown["Failed"] == ["prediction" if row.failed else "" for row in rows]
    probabilities = [row.values["probability"] for row in rows]
    assert shown["Prob."] == [None if p is None else f"{p:.2f}" for p in probabilities]


@pytest.mark.usefixtures("small_limits")
def test_an_abridged_row_is_the_row_of_the_whole_table():
    findings, evidence = of_many(N)
    by_id = {row.document_id: row for row in document_rows(findings, evidence)}
    assert all(by_id[row.document_id] == row for row in findings.documents)


def test_the_columns_of_the_parquet_file_are_typed(pages):
    schema = pq.read_schema(io.BytesIO(pages.documents["documents.parquet"]))
    kinds = {name: schema.field(name).type for name in schema.names}
    assert kinds["document_id"] == pa.string()
    assert kinds["reference"] == kinds["predicted"] == kinds["failed"] == pa.list_(pa.string())
    assert {kinds[name] for name in ("probability", "entropy", "fidelity", "bits_per_byte")} == {pa.float64()}
    assert kinds["n_tokens"] == pa.int64()
    assert kinds["metadata.source"] == kinds["metadata.half"] == pa.string()


@pytest.mark.usefixtures("small_limits")
def test_the_same_findings_give_the_same_bytes():
    first, second = (render_pages(*of_many(N)) for _ in range(2))
    assert first.documents == second.documents
    assert first.html == second.html


@pytest.mark.usefixtures("small_limits")
def test_findings_and_page_are_no_larger_with_twice_the_documents():
    sizes = []
    for n in (N, 2 * N):
        made = render_pages(*of_many(n))
        sizes.append((len(write(made.findings)), len(made.html)))
    assert all(second < 1.02 * first for first, second in zip(*sizes, strict=True))


def test_strips_keep_a_thousand_values_in_the_findings_and_all_of_them_on_the_page(monkeypatch):
    findings, evidence = language_model()
    read = evidence.measured("perplexity", Perplexity)
    exact = nats_by_slice(evidence.documents, read, sliceable(evidence.documents))
    findings = with_analysis(findings, "perplexity", nats_by_slice=exact)
    whole = render_html(findings, evidence)
    monkeypatch.setattr(abridgement, "SHOWN", 10)
    monkeypatch.setattr(scored_tokens, "POINTS", 3)
    short = abridgement.abridge(findings, evidence)
    for column, values in short.analyses["perplexity"].nats_by_slice.items():
        for value, kept in values.items():
            everything = exact[column][value]
            assert len(kept) == min(3, len(everything))
            assert (kept[0], kept[-1]) == (everything[0], everything[-1])
    strips = re.compile(r'<section id="perplexity".*?</section>', re.DOTALL)
    assert strips.search(render_html(short, evidence))[0] == strips.search(whole)[0]


@pytest.mark.usefixtures("small_limits")
def test_abridged_findings_are_read_back():
    findings, _ = of_many(N)
    assert read(write(findings)) == findings
    assert findings.documents_left_out == N - 50


@pytest.mark.usefixtures("small_limits")
def test_no_text_of_the_corpus_ends_the_script_that_holds_the_rows():
    page = render_pages(*of_many(N, hostile=True)).documents["documents.html"].decode()
    assert page.count("<script") == page.count("</script>") == 2
    full = json.loads(re.search(r'id="documents">(.*?)</script>', page)[1])["columns"][0]["cells"][0]
    assert full[0].startswith("doc-0</s…(")
    assert full[1] == f"doc-0{HOSTILE}".replace("\u202e", "[U+202E]")


def test_the_page_of_all_documents_allows_its_own_style_and_script_and_nothing_else(pages):
    page = pages.documents["documents.html"].decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1].replace("&#39;", "'")
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert not re.search(r'(?:src|href)="(?!report\.html|documents\.parquet|#)', page)


def test_who_runs_no_scripts_is_led_to_the_parquet_file(pages):
    said = re.search(r"<noscript>(.*?)</noscript>", pages.documents["documents.html"].decode(), re.DOTALL)[1]
    assert "documents.parquet, beside this file, has all of them" in said


@pytest.mark.usefixtures("small_limits")
def test_the_page_of_all_documents_speaks_the_language_of_the_report():
    page = render_pages(*of_many(N, language="zh")).documents["documents.html"].decode()
    assert '<html lang="zh' in page
    assert "第 {first} 至 {last} 行，共 {all} 行" in page
    assert "All documents" not in page
