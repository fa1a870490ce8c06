"""The section on pseudo-perplexity: its numbers, its protocol, and what it must not be compared with."""

import re
from dataclasses import replace
from html import unescape
from math import exp

import pytest

from auditor.findings import summarise
from auditor.records.types import PseudoPerplexity, Span
from auditor.report import render_html
from auditor.report.contract import Sources
from auditor.report.drawing import formats
from auditor.report.sections import pseudo_perplexity
from tests.findings.worked_example import TEXT, context, evidence

VARIANTS = ("within-word", "original")


def run(variant="within-word", references=None):
    """The worked example, audited as a masked model; every word of its text is one token, the first two make one."""
    spans = tuple(Span(*m.span()) for m in re.finditer(r"\S+", TEXT))
    words = (0, 0, *range(1, len(spans) - 1))
    tokens = tuple(TEXT[s.start : s.stop] for s in spans)
    records = {
        document.id: PseudoPerplexity(
            document.id, "tiny-mlm", tokens, spans, words, (-1 - i / 8,) * len(spans), variant, 64
        )
        for i, document in enumerate(evidence().documents)
    }
    own = replace(evidence(), rows={**evidence().rows, "pseudo_perplexity": records})
    given = {"task": "fill-mask"} | ({"references": references} if references else {})
    return summarise(own, context(**given)), own


@pytest.fixture(scope="module")
def html():
    return render_html(*run())


def part(html, name):
    found = re.search(rf'<section id="{name}".*?</section>', html, re.DOTALL)
    assert found is not None
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", found[0])).split())


def test_the_section_prints_its_numbers_with_intervals_and_its_protocol(html):
    findings, _ = run()
    text, scored = part(html, "pseudo_perplexity"), findings.analyses["pseudo_perplexity"]
    for number in (scored.corpus, scored.median_document):
        assert f"{formats.value(number)} ({formats.interval(number)})" in text
    assert "Masked language model tiny-mlm (audited) Variant within-word Context length 64 tokens" in text
    assert "Of these in split words 80: where the variants differ" in text
    assert "length short" in text


def test_it_says_that_it_is_no_perplexity_and_has_no_bits_per_byte_of_its_own(html):
    text = part(html, "pseudo_perplexity")
    assert "must never be compared with the perplexity of a causal language model" in text
    assert "no bits per byte" in text
    assert "bits per byte" not in text.replace("no bits per byte", "").replace("bits per byte either", "").lower()


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_method_says_what_is_hidden(variant):
    section = pseudo_perplexity.compose(Sources(*run(variant)))
    assert ("Salazar" in section.method) == (variant == "original")
    assert ("Kauf" in section.method) == (variant == "within-word")


def test_a_reference_model_is_called_one():
    section = pseudo_perplexity.compose(Sources(*run(references={"pseudo_perplexity": "tiny-mlm"})))
    assert section.limits.startswith("The values are those of the reference model tiny-mlm")
    assert ("Masked language model", "tiny-mlm (reference)") in section.content["protocol"]


def test_cards_show_the_most_surprising_documents_with_a_bar_for_every_token(html):
    text = part(html, "pseudo_perplexity")
    assert "One of the 6 documents with the largest pseudo-perplexity" in text
    assert f"pseudo-perplexity {exp(1 + 39 / 8):.0f} · 6 tokens" in text


def test_methods_glossary_and_documents_speak_of_it(html):
    assert "PLL( W )" in part(html, "methods")
    assert "Pseudo-perplexity Exponential of the mean negative log-probability" in part(html, "glossary")
    assert part(html, "glossary").count("Surprise −log2") == 1
    assert "Pseudo-p." in part(html, "documents")


def test_without_the_probe_nothing_speaks_of_it():
    page = render_html(summarise(evidence(), context()), evidence())
    assert "seudo-p" not in page
