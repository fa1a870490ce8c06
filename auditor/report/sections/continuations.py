"""What does a language model write by itself? The section on predictions where there are no candidate labels."""

from dataclasses import dataclass

from auditor.findings.analyses.continuations import MEAN_LOGPROB
from auditor.findings.analyses.prediction import SUMMARY as PREDICTION
from auditor.findings.analyses.prediction import PredictionFindings
from auditor.languages import plural, say
from auditor.records.types import Document, Prediction
from auditor.report.contract import Section, Sources, known, numbers_table, rule_of, with_interval
from auditor.report.drawing import formats

ON_PAPER = 12
"""Continuations of the corpus on paper, behind those chosen by rule."""
MOST = 200
_ENDING = 150
_WRITTEN = 320


@dataclass(frozen=True, slots=True)
class Continuation:
    """The end of a text and what the model wrote behind it."""

    document_id: str
    text: str
    written: str
    logprob: str


def compose(sources: Sources, analysis: PredictionFindings) -> Section:
    """The section on predictions of free continuations."""
    predictions = sources.evidence.measured(PREDICTION.probe, Prediction)
    measured = [(sources.documents[name], prediction) for name, prediction in predictions.items()]
    by_id = {document.id: (document, prediction) for document, prediction in measured}
    chosen = known(analysis.least_certain, by_id)
    picked = {example.document_id for example in chosen}
    others = [row for row in measured if row[0].id not in picked]
    return Section(
        id="predictions",
        title=say("Predictions"),
        question=say("What does the model write, and how sure is it of its own words?"),
        answer=_answer(sources, analysis),
        method=say(
            "Each document is continued greedily, without sampling. The log-probability of the tokens written is "
            "averaged per document, in nats."
        ),
        limits=say("A likely continuation need not be a true or a useful one; nothing here judges what was written."),
        template="sections/continuations.html.j2",
        content={
            "protocol": prompt(sources),
            "numbers": numbers_table(say("The numbers behind the answer."), sources.named(MEAN_LOGPROB.name)),
            "rule": rule_of(chosen),
            "chosen": [_row(*by_id[example.document_id]) for example in chosen],
            "others": [_row(*row) for row in others[:MOST]],
            "on_paper": ON_PAPER,
            "left_out": max(0, len(others) - MOST),
        },
    )


def prompt(sources: Sources) -> list[tuple[str, str]]:
    """What a language model was asked, and what it could answer; empty for other models."""
    facts = sources.findings.model
    titles = {"Prompt": say("Prompt around each document"), "Candidates": say("Candidate continuations")}
    return [(title, formats.middle(facts[key], 400)) for key, title in titles.items() if key in facts]


def _answer(sources: Sources, analysis: PredictionFindings) -> str:
    number = sources.numbers.get(MEAN_LOGPROB.name)
    if number is None or number.value is None:
        return plural(
            analysis.n_documents,
            "The model continued {n} document greedily.",
            "The model continued {n} documents greedily.",
        )
    return plural(
        analysis.n_documents,
        "The greedy continuation of {n} document has a mean log-probability of {value} per token.",
        "Greedy continuations of {n} documents have a mean log-probability of {value} per token.",
        value=with_interval(number),
    )


def _row(document: Document, prediction: Prediction) -> Continuation:
    return Continuation(
        document_id=formats.middle(document.id, 40),
        text=ending(document.text, _ENDING),
        written=formats.excerpt(prediction.continuation or "", _WRITTEN),
        logprob=formats.quantity(prediction.mean_logprob, "log-probability", suffix=False),
    )


def ending(text: str, limit: int) -> str:
    """The end of a text on one line, with an ellipsis where it was cut."""
    line = " ".join(text[-4 * limit :].split())
    if len(line) <= limit and len(text) <= 4 * limit:
        return line
    return "…" + line[-limit + 1 :].lstrip()
