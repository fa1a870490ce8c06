"""A report of perplexities that cannot be written: > 1e300, with their nats, in every place."""

import math
import random
import re
from dataclasses import replace
from html import unescape

import pytest
from invented import documents, perplexity
from invented_findings import check

from auditor.findings import Bound, Context, Evidence, summarise
from auditor.findings.contract.numbers import perplexity as perplexity_number
from auditor.findings.statistics.intervals import Estimate
from auditor.records.types import PseudoPerplexity
from auditor.report import render_html
from auditor.report.contract import with_interval
from auditor.report.drawing import formats, marks

N = 40
CONTEXT = Context(
    title="An absurd model",
    task="fill-mask",
    kind="masked",
    run_id="run-1",
    plan_id="0" * 64,
    created="2026-01-01T00:00:00Z",
    model={"Name": "tiny"},
    corpus={},
    provenance={},
    parameters={},
    checks={
        "perplexity.median": Bound(at_most=100.0),
        "pseudo_perplexity.corpus": Bound(at_most=1e200),
        "perplexity.bits_per_byte": Bound(at_most=3.0),
    },
    asked={"perplexity": N, "pseudo_perplexity": N},
)
pytestmark = pytest.mark.usefixtures("no_embedded_fonts")


def number(value, low=None, high=None):
    return perplexity_number("perplexity.corpus", "Corpus perplexity", Estimate(value, low, high, 40), "protocol")


@pytest.mark.parametrize(
    ("nats", "value", "interval", "sentence"),
    [
        (
            (805.3, 800.1, 812.4),
            "> 1e300 (805.30 nats)",
            "800.10–812.40 nats",
            "> 1e300 (805.30 nats; 800.10–812.40 nats)",
        ),
        ((805.3,), "> 1e300 (805.30 nats)", "–", "> 1e300 (805.30 nats)"),
        (
            (689.0, 670.0, 700.0),
            "1.7 × 10²⁹⁹ (689.00 nats)",
            "670.00–700.00 nats",
            "1.7 × 10²⁹⁹ (689.00 nats; 670.00–700.00 nats)",
        ),
        ((3.0, 2.9, 3.1), "20.1", "18.2–22.2", "20.1 (18.2–22.2)"),
    ],
)
def test_value_interval_and_both_in_a_sentence(nats, value, interval, sentence):
    found = number(*nats)
    assert (formats.value(found), formats.interval(found), with_interval(found)) == (value, interval, sentence)


@pytest.mark.parametrize(
    ("nats", "said"), [(None, "–"), (math.log(18.4), "18.4"), (690.0, "4.6 × 10²⁹⁹"), (805.34, "> 1e300 (805.3 nats)")]
)
def test_a_perplexity_of_a_document(nats, said):
    assert formats.perplexity(nats) == said


def test_the_mark_of_a_check_is_drawn_on_the_scale_of_its_comparison():
    found = number(805.3, 800.1, 812.4)
    drawn = str(marks.judged(check("perplexity.corpus", "Perplexity", 25.0, "fail", found, "at_most")))
    assert "&gt; 1e300 (805.30 nats), interval 800.10–812.40 nats, bound ≤ 25" in drawn
    ends = re.search(r'd="M([\d.]+) [\d.]+H([\d.]+)', drawn)
    assert float(ends[1]) < float(ends[2]), "the interval has a width"


def absurd(shift):
    """Documents whose tokens cost `shift` nats and more, read by both kinds of language model; the last is ordinary."""
    made, _ = documents()
    made = [d for d in made if not d.is_blank][:N]
    causal = {d.id: costing(perplexity(d, random.Random(0)), shift + i) for i, d in enumerate(made)}
    causal[made[-1].id] = costing(causal[made[-1].id], 3.0)
    masked = {
        name: PseudoPerplexity(name, "mlm", r.tokens, r.spans, tuple(range(len(r.tokens))), r.logprobs, "original", 64)
        for name, r in causal.items()
    }
    found = Evidence(tuple(made), {"perplexity": causal, "pseudo_perplexity": masked})
    return summarise(found, CONTEXT), found


def costing(record, nats):
    return replace(record, logprobs=(-nats,) * len(record.tokens))


@pytest.fixture(scope="module")
def page():
    html = render_html(*absurd(800.0))
    return " ".join(unescape(re.sub(r"<(style|title)>.*?</\1>|<[^>]+>", " ", html, flags=re.DOTALL)).split())


def test_every_place_says_that_it_is_beyond_and_its_nats(page):
    key = "Median document perplexity > 1e300 ✗ 812.00–825.00 nats · n 40"
    assert key in page, "a key number, with its interval in nats"
    assert "Corpus perplexity > 1e300 (796.56 nats) 668.40–825.91 nats 40" in page, "the table of numbers"
    assert "perplexity > 1e300 (838.0 nats)" in page, "cards"
    assert "> 1e300 (800.0 nats)" in page, "the table of documents"
    assert "pseudo-perplexity > 1e300 (838.0 nats)" in page, "the gallery"
    assert "Median document perplexity, nats" in page, "slices are drawn in nats where one cannot be written"
    assert not re.search(r"1\.0 × 10³⁰⁴|\binf\b|\bnan\b", page), "nothing is clamped"


def test_a_model_that_is_only_very_bad_has_its_perplexities_written(page):
    html = unescape(render_html(*absurd(30.0)))
    assert "> 1e300" not in html
    assert "× 10¹" in html
    assert "> 1e300" in page
