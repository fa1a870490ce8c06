"""What do the words mean?"""

from collections.abc import Iterator
from dataclasses import dataclass

from auditor.findings.contract.quantity import Term
from auditor.findings.contract.registry import quantities
from auditor.findings.contract.types import Findings
from auditor.languages import N_, numbers, say
from auditor.report.contract import Section, Sources


@dataclass(frozen=True, slots=True)
class Entry:
    """A term and what it means in this report."""

    term: str
    meaning: str


_ALWAYS = (
    Term(
        N_("BCa"),
        N_("Bias-corrected and accelerated: how an interval is read off a bootstrap whose numbers lie unevenly."),
    ),
    Term(N_("Bootstrap"), N_("An interval found by drawing the documents again and again, with repetition.")),
    Term(
        N_("Bootstrap-t"),
        N_("A bootstrap that measures each draw in standard errors of its own, so that it is right for few documents."),
    ),
    Term(N_("Bound"), N_("The value a check demands, written down before the run.")),
    Term(N_("Check"), N_("A number, a bound, and whether the number’s whole interval lies on the right side of it.")),
    Term(
        N_("Confidence interval, 95%"),
        N_("A range that would hold the true value in 95 of 100 repetitions with other documents."),
    ),
    Term(N_("Corpus"), N_("The documents of this audit. What is said holds for documents like these.")),
    Term(N_("Coverage"), N_("How many documents a probe was given, and how many of them it could measure.")),
    Term(N_("Median"), N_("The value in the middle: half of the documents lie below it.")),
    Term(N_("n"), N_("How many documents a number rests on; for heads or tokens, the table says so.")),
    Term(
        N_("Probe"),
        N_(
            "A measuring instrument pointed at a model: one question asked of every document. Not a probing classifier."
        ),
    ),
    Term(N_("Seed"), N_("The number that fixes every random draw, so that a run can be repeated exactly.")),
    Term(N_("SHA-256"), N_("A fingerprint of a file: a changed file has another one.")),
    Term(N_("Token"), N_("What a model reads: a word or a piece of one, as its tokenizer cuts the text.")),
    Term(N_("Truncated"), N_("Of a document longer than the model takes, only the beginning was read.")),
    Term(N_("Verdict"), N_("What follows from the checks: pass, pass with conditions, fail, or not established.")),
    Term(N_("Watch"), N_("The interval straddles the bound: a person has to decide.")),
    Term(N_("Wilson interval"), N_("An interval for a share that is right for few documents too.")),
)
_SLICES = (
    Term(
        N_("Slice"), N_("The documents that share one value of a column of the corpus, such as a language or length.")
    ),
)
_REFERENCE = (Term(N_("Reference model"), N_("Another model that judges the texts; not the audited one.")),)


def compose(sources: Sources) -> Section:
    """The glossary: only of words this report uses."""
    terms = {term.term: term for term in _terms(sources.findings)}
    translated = [Entry(say(term.term), say(term.meaning)) for term in terms.values()]
    return Section(
        id="glossary",
        title=say("Glossary"),
        question=say("What do the words mean?"),
        answer=say("In this report they mean the following."),
        method="",
        limits="",
        template="sections/glossary.html.j2",
        content={"entries": sorted(translated, key=lambda entry: numbers.collation_key(entry.term))},
    )


def _terms(findings: Findings) -> Iterator[Term]:
    """The words of every report, then those of the numbers that it prints."""
    yield from _ALWAYS
    if findings.slices:
        yield from _SLICES
    names = {number.name.partition("{")[0].partition("[")[0] for number in findings.numbers}
    for name, quantity in quantities().items():
        if name in names:
            yield from quantity.glossary
    if any(probe in findings.references for probe in findings.analyses):
        yield from _REFERENCE
