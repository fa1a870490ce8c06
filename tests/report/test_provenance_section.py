import base64
import hashlib
import io
from dataclasses import replace

import pytest
import segno
from invented_classifier import classifier
from invented_findings import without
from invented_runs import hostile, language_model, tiny

from auditor.findings import summarise, write
from auditor.languages import speaking
from auditor.report.contract import Sources
from auditor.report.sections import glossary, provenance
from tests.findings import worked_example


def compose(run, **values):
    findings, evidence = run
    return provenance.compose(Sources(findings.model_copy(update=values), evidence)).content


def entries(content):
    return {key: value for one in content["lists"] for key, value in one.entries}


def test_the_digest_is_that_of_the_file_beside_the_report():
    findings, _ = tiny()
    assert compose(tiny())["code"].digest == hashlib.sha256(write(findings)).hexdigest()


def test_the_code_holds_the_digest_and_the_run_and_says_so_in_words():
    code = compose(tiny())["code"]
    text = f"findings.json sha256:{code.digest} run {tiny()[0].run_id}"
    expected = io.BytesIO()
    segno.make(text, error="m", micro=False).save(expected, kind="svg", border=3, dark="#1b1f24", light="#ffffff")
    drawn = base64.b64decode(code.url.removeprefix("data:image/svg+xml;base64,"))
    path = expected.getvalue().split(b'd="')[2].split(b'"')[0]
    assert path in drawn
    assert code.alt == f"QR code with the text: {text}"


def test_a_run_id_of_any_length_fits_the_code():
    assert compose(tiny(), run_id="r" * 5000)["code"].url.startswith("data:")
    assert compose(hostile())["code"].url.startswith("data:")


def test_everything_that_identifies_the_run_is_listed_once():
    run = {"Run": "r-1", "Plan, SHA-256": "ab" * 32, "Command": "auditor run", "Seed": "7", "torch": "2.13.0"}
    content = compose(tiny(), run_id="r-1", plan_id="ab" * 32, provenance=run)
    keys = [key for one in content["lists"] for key, _ in one.entries]
    found = entries(content)
    assert len(keys) == len(set(keys))
    assert (found["Run"], found["Plan, SHA-256"], found["Command"], found["Seed"]) == tuple(run.values())[:4]
    versions = content["lists"][-1]
    assert versions.title == "Versions"
    assert versions.entries == (("torch", "2.13.0"),)


def test_a_key_with_braces_is_a_key_like_any_other():
    assert entries(compose(tiny(), corpus={"{{7*7}} {name}": "x"}))["{{7*7}} {name}"] == "x"


def test_coverage_counts_what_became_of_the_documents():
    assert compose(tiny())["coverage"].rows == (
        ("prediction", "2", "2", "1", "0", "1"),
        ("attention", "not measured: the model does not show its attention"),
    )
    table = compose(classifier())["coverage"]
    assert table.columns[-1].title == "Not measurable"
    assert ("LIME", "60", "60", "57", "1", "2", "1") in table.rows


def test_what_is_not_measurable_is_listed_apart_from_the_failures():
    content = compose(classifier())
    assert [row[:3] for row in content["not_measurable"].rows] == [("LIME", "en-0057", "no-segments")]
    assert "no-segments" not in {row[2] for row in content["failures"].rows}
    assert [row[:3] for row in compose(language_model())["not_measurable"].rows] == [
        ("attention", "speech-03", "one-token")
    ]
    assert compose(tiny())["not_measurable"] is None


def test_coverage_says_which_share_of_the_documents_failed():
    findings, evidence = classifier()
    number = next(number for number in findings.numbers if number.name == "coverage.failed_share")
    caption = compose((findings, evidence))["coverage"].caption
    said = "Of 180 documents asked about, a share of 0.020 (0.006–0.050) could not be measured by at least one probe."
    assert number.n == 180
    assert caption.endswith(said)
    assert compose((findings, evidence), numbers=())["coverage"].caption.endswith("what became of them.")


def test_failures_beyond_those_kept_are_counted():
    findings, evidence = tiny()
    coverage, _ = findings.coverage
    table = compose((findings, evidence), coverage=(coverage.model_copy(update={"failed": 9}),))["failures"]
    assert table.caption == "9 measurements failed; the first 1 are listed."


def glossary_of(run, **values):
    findings, evidence = run
    section = glossary.compose(Sources(findings.model_copy(update=values), evidence))
    return [entry.term for entry in section.content["entries"]]


def summarised_glossary(evidence, **settings):
    return glossary_of((summarise(evidence, worked_example.context(**settings)), evidence))


def test_the_glossary_has_only_words_of_probes_that_ran():
    every = glossary_of(classifier())
    assert {"LIME", "Attention sink", "Perplexity", "Calibration error", "Kendall’s τ"} <= set(every)
    assert "Perplexity" not in glossary_of(without(classifier(), "perplexity"))
    assert "Surrogate" not in glossary_of(without(classifier(), "lime"))
    assert "Attention head" not in glossary_of(tiny())


def test_terms_of_scores_are_explained_only_where_there_are_labels():
    labelled = worked_example.evidence()
    bare = replace(labelled, documents=tuple(replace(document, labels=()) for document in labelled.documents))
    assert {"F1", "Accuracy"} <= set(summarised_glossary(labelled))
    assert not {"F1", "Accuracy"} & set(summarised_glossary(bare))
    assert "Label" in summarised_glossary(bare)
    assert "Exact match" not in summarised_glossary(labelled)
    assert "Exact match" in summarised_glossary(labelled, multi_label=True)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_glossary_explains_each_term_once(language):
    with speaking(language):
        terms = glossary_of(classifier())
    assert len(terms) == len(set(terms))
