"""The section on the global surrogate: what it says where it may, and that it prints no weight where it may not."""

import random
import re

import pytest

from auditor.findings import summarise
from auditor.findings.statistics import sparse_regression
from auditor.report import render_html
from auditor.report.contract import Sources
from auditor.report.sections import global_surrogate
from tests.findings.planted_words import PLANTED, drawn_bags, evidence_of, linear
from tests.findings.worked_example import context

pytestmark = pytest.mark.usefixtures("no_embedded_fonts")


@pytest.fixture(autouse=True)
def _few_resamples(monkeypatch):
    monkeypatch.setattr(sparse_regression, "RESAMPLES", 40)


def sources_of(evidence, **values):
    asked = {"prediction": len(evidence.documents), "global_surrogate": len(evidence.documents)}
    return Sources(summarise(evidence, context(asked=asked, checks={}, **values)), evidence)


def planted(n=120):
    bags = [(*bag, "the") if i % 2 else bag for i, bag in enumerate(drawn_bags(n))]
    return evidence_of(bags, [(0.0, linear(bag, {**PLANTED, "the": 2.0})) for bag in bags])


def test_the_answer_says_what_words_alone_explain_and_names_the_strongest():
    section = global_surrogate.compose(sources_of(planted()))
    assert re.fullmatch(
        r"A simple model of the words alone follows the model’s answers to texts that it was not fitted to with R² "
        r"0\.9\d+ \(.*\), and gives the same label in a share of [01]\.\d+ of them; the most frequent label alone "
        r"would in 0\.\d+\. Of content words “word00” speaks most for “positive”\. Of content words “word01” speaks "
        r"most against “positive”\.",
        section.answer,
    )
    content, function = section.content["words"]
    assert [row.word for row in content.groups[0].rows] == sorted(PLANTED, key=lambda word: -abs(PLANTED[word]))
    assert [row.word for row in function.groups[0].rows] == ["the"]
    assert content.groups[0].against == "negative"


def test_a_page_without_fidelity_prints_no_weight():
    rng = random.Random(1)
    sources = sources_of(evidence_of(drawn_bags(60), [(0.0, rng.gauss(0, 2)) for _ in range(60)]))
    section = global_surrogate.compose(sources)
    assert section.answer.startswith("Nothing is concluded: on texts that it was not fitted to")
    assert section.content["words"] == []
    page = render_html(sources.findings, sources.evidence)
    body = re.search(r'<section id="global-surrogate".*?</section>', page, re.DOTALL)[0]
    assert "Nothing is concluded" in body
    assert "word0" not in body


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        (planted(20), "Not measurable: 20 documents have an answer and words, and a surrogate needs 50."),
        (evidence_of(drawn_bags(60), [(0.0, 1.0)] * 60), "Not measurable: the model gives the same answer to every "),
        (
            evidence_of([(f"w{i}",) for i in range(60)], [(0.0, i - 30.0) for i in range(60)]),
            "Not measurable: no word stands in 3 documents or more.",
        ),
    ],
)
def test_what_cannot_be_measured_is_said_with_its_reason(evidence, said):
    assert global_surrogate.compose(sources_of(evidence)).answer.startswith(said)


def test_of_several_labels_a_table_has_each_and_only_those_told_from_the_mean_have_words():
    rng, bags = random.Random(3), drawn_bags(200, 3)
    logits = [(linear(bag, {"word00": 4.0}), rng.gauss(0, 2)) for bag in bags]
    evidence = evidence_of(bags, logits, ("zero", "noise"), multi_label=True)
    section = global_surrogate.compose(sources_of(evidence, multi_label=True))
    labels = section.content["tables"][1][0]
    assert [(row[0], row[4]) for row in labels.rows] == [("zero", "1"), ("noise", "–")]
    assert labels.muted == {1}
    assert [group.label for group in section.content["words"][0].groups] == ["zero"]


def test_parts_of_the_corpus_have_no_surrogate_of_their_own():
    evidence = planted(60)
    documents = tuple(type(d)(d.id, d.text, metadata={"half": "ab"[i % 2]}) for i, d in enumerate(evidence.documents))
    findings = sources_of(type(evidence)(documents, evidence.rows)).findings
    numbers = {number.name: number for number in findings.numbers}
    assert numbers["global_surrogate.fidelity"].value is not None
    assert numbers["global_surrogate.fidelity{half=a}"].value is None
    assert numbers["mean_entropy{half=a}"].value is not None
