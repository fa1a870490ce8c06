"""The table of all documents: what comes first, what paper leaves out, and how the tokens are counted."""

import re
from html import unescape

import pytest
from invented_classifier import classifier
from invented_runs import language_model

from auditor.report.contract import Sources
from auditor.report.page import templates
from auditor.report.page.html import Numbering
from auditor.report.sections import documents
from auditor.report.sections.documents import wrong_documents


def section_of(run, **metadata):
    """The section, with more columns of the corpus."""
    findings, evidence = run
    rows = tuple(row.model_copy(update={"metadata": {**row.metadata, **metadata}}) for row in findings.documents)
    return documents.compose(Sources(findings.model_copy(update={"documents": rows}), evidence))


def page(section):
    return str(templates.fill(section.template, section=section, numbering=Numbering(), **section.content))


def words(html):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def heads(html):
    return re.findall(r'<th scope="col"(?: class="([^"]*)")?>([^<]*)</th>', html)


def ordered(section):
    return [cell.value or cell.text for cell in section.content["parts"][0].cells]


def test_documents_of_which_something_has_to_be_said_come_first_each_kind_in_the_order_of_the_corpus():
    findings, evidence = classifier()
    refused = findings.documents[40].document_id
    graded = [
        row.model_copy(update={"values": {**row.values, "grade": 2.0 if row.document_id == refused else 0.0}})
        for row in findings.documents
    ]
    findings = findings.model_copy(update={"documents": tuple(graded)})
    section = section_of((findings, evidence))
    ids = ordered(section)
    failed = [row.document_id for row in findings.documents if row.failed]
    wrong = [i for i in (row.document_id for row in findings.documents) if i in wrong_documents(findings, evidence)]
    wrong = [name for name in wrong if name not in failed]
    chosen = {name for choice in findings.worst for name, _ in choice.documents}
    chosen = [row.document_id for row in findings.documents if row.document_id in chosen]
    first = list(dict.fromkeys([*failed, *wrong, refused, *chosen]))
    assert len(failed) > 0 < len(wrong)
    assert ids[: len(first)] == first
    assert ids[len(first) :] == [row.document_id for row in findings.documents if row.document_id not in first]
    assert section.content["paper_rows"] == len(first) < 40, "paper leaves out the others"
    assert f"On paper stand {len(first)} of 60" in section.limits
    words = [
        cell.text for part in section.content["parts"] if part.column.title == "Explanation" for cell in part.cells
    ]
    assert (words.count("Do not cite"), words.count("Rely"), len(words)) == (1, 59, 60)


def test_a_short_table_is_printed_whole_and_a_long_one_has_some_rows_where_nothing_has_to_be_said():
    findings, evidence = classifier()
    bare = findings.model_copy(update={"worst": (), "documents": findings.documents[:30]})
    assert documents.compose(Sources(bare, evidence)).content["paper_rows"] == 30
    fine = [
        row.model_copy(update={"failed": ()})
        for row in findings.documents
        if row.document_id not in wrong_documents(findings, evidence)
    ]
    quiet = findings.model_copy(update={"worst": (), "documents": tuple(fine)})
    assert len(fine) > 40
    assert documents.compose(Sources(quiet, evidence)).content["paper_rows"] == 10


def test_without_errors_nothing_is_said_of_their_sign():
    section = section_of(language_model())
    assert section.content["caption"].startswith("All documents, those of which something has to be said first. ")
    assert "✗" not in section.content["caption"]


def test_the_screen_has_every_column_of_the_corpus_and_paper_names_those_it_leaves_out():
    html = page(section_of(classifier(), source="web", year="2026"))
    kinds = {title: kind for kind, title in heads(html)}
    assert [kinds[name] for name in ("language", "length", "source", "year")] == [
        *("corpus", "corpus"),
        *("corpus screen", "corpus screen"),
    ]
    rows = html.count("<tr") - 1
    assert len(re.findall(r'<td class="corpus screen"[^>]*>web</td>', html)) == rows
    assert "2 more columns, source and year, are in report.html and the attached findings.json." in words(html)


def test_where_all_columns_fit_paper_leaves_out_none():
    html = page(section_of(classifier()))
    assert "screen" not in {name for kind, _ in heads(html) for name in kind.split()}
    assert "more column" not in words(html)
    assert "wide" not in re.search(r'<div class="(scroll documents[^"]*)"', html).group(1)


def test_tokens_stand_with_the_audited_models_numbers_and_say_whose_they_are():
    section = section_of(classifier())
    titles = [part.column.title for part in section.content["parts"]]
    assert titles.index("Tokens") < titles.index("Perplexity")
    assert "Tokens as the audited model counts them." in section.content["caption"]


@pytest.mark.parametrize("make", [classifier, language_model])
def test_the_caption_explains_only_columns_that_are_there(make):
    section = section_of(make())
    titles = {part.column.title for part in section.content["parts"]}
    for title, said in (("Entropy", "Entropy in nats."), ("R²", "R² is the fidelity"), ("Tokens", "Tokens as")):
        assert (title in titles) == (said in section.content["caption"])


def test_what_was_not_measurable_stands_beside_what_failed_in_one_column():
    section = section_of(classifier())
    text = words(page(section))
    assert section.answer == ("60 documents; for 1 of them a probe failed. 1 holds nothing for some probe to measure.")
    assert section.content["parts"][-1].column.title == "Not measured"
    assert section.content["parts"][-1].entries == ("LIME", "LIME (not measurable)", "perplexity", "prediction")
    assert "LIME (not measurable)" in text
