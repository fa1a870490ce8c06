"""Where did it go wrong? Cards of the documents that the rules of the summaries put first (`Summary.worst`).

A document that several rules choose has one card, with a reason each.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from auditor.findings.analyses.answers import PROBE as PREDICTION
from auditor.findings.analyses.answers import answer_probability, pair
from auditor.findings.analyses.chosen_answers import CONFIDENT, n_confident
from auditor.findings.analyses.prediction import PredictionFindings, is_multi_label
from auditor.findings.analyses.worst_slice import RULE as SLICE
from auditor.findings.analyses.worst_slice import worst_slice
from auditor.findings.contract.types import Choice
from auditor.findings.wording import sentences
from auditor.languages import N_, plural, say
from auditor.languages.numbers import paragraph, separator, shortest
from auditor.records.types import Document, Prediction
from auditor.report.chapters import chapter_of, chapters, chosen_sections, section_id
from auditor.report.contract import Column, Reason, Section, Sources, Table, with_interval
from auditor.report.drawing import formats, highlights
from auditor.report.sections import continuations, explanations
from auditor.report.sections.prediction import labels

_SLICES = "slices"
_WORDS = 45
"""Words of one text."""
_CHARACTERS = 170
"""Of a text without marks."""


@dataclass(frozen=True, slots=True)
class Card:
    """One document, what the model said of it, and what went wrong."""

    document_id: str
    facts: str
    reasons: tuple[str, ...]
    passages: tuple[highlights.Passage, ...]
    is_marked: bool
    """Whether any word is shaded by its weight."""
    continuation: str
    links: tuple[tuple[str, str], ...]
    """Target and title of the fuller cards and sections."""


def compose(sources: Sources) -> Section:
    """The gallery of failures."""
    choices = sources.findings.worst
    reasons = _reasons(sources, choices)
    delta = explanations.shade_width(sources)
    cards = [_card(sources, document_id, chosen, delta) for document_id, chosen in reasons.items()]
    return Section(
        id="failures",
        title=say("Failures"),
        question=say("Where did it go wrong, and what do such documents look like?"),
        answer=paragraph([_answer(choices, len(reasons)), _confident(sources)]),
        method=say(
            "The rules were fixed before the run and rank every document that was measured; ties keep the order of the "
            "corpus. A document that several rules choose is shown once."
        ),
        limits=say(
            "These are the worst cases, not typical ones: nothing about their share in the corpus follows from them."
        ),
        template="sections/gallery.html.j2",
        content={
            "rules": _rule_table(sources, choices),
            "cards": cards,
            "legend": _legend(sources, delta) if any(card.is_marked for card in cards) else "",
        },
    )


def _legend(sources: Sources, delta: float) -> str:
    """What the marks of the cards stand for."""
    digits = highlights.digits_of(delta)
    return say(
        "the model’s answer, where it was explained; shades change at ±{steps} of {unit}.",
        steps=f"{separator()}±".join(formats.decimal(delta * i, digits) for i in range(1, highlights.STEPS)),
        unit=explanations.unit_explained(sources),
    )


def _confident(sources: Sources) -> str:
    """How many errors the model was sure of; page one leads here for it."""
    answers = pair(sources.evidence, is_multi_label(sources.findings))
    sure = n_confident(answers)
    if not sure:
        return ""
    return plural(
        sum(answer.wrong for answer in answers),
        "{sure} of {n} error was made with a probability of at least {limit}.",
        "{sure} of {n} errors were made with a probability of at least {limit}.",
        sure=formats.count(sure),
        limit=shortest(CONFIDENT),
    )


def _answer(choices: Sequence[Choice], n: int) -> str:
    rules = plural(len(choices), "{n} printed rule", "{n} printed rules")
    return plural(
        n,
        "{n} document is shown, chosen by {rules} and none by hand.",
        "{n} documents are shown, chosen by {rules} and none by hand.",
        rules=rules,
    )


def _rule_table(sources: Sources, choices: Sequence[Choice]) -> Table:
    columns = (Column(say("Rule")), Column(say("Shown"), "number", 12), Column(say("Chosen from"), "number", 14))
    rows = tuple((_rule(sources, c), formats.count(len(c.documents)), formats.count(c.among)) for c in choices)
    return Table(say("The rules, and how many documents each chose from."), columns, rows)


def _rule(sources: Sources, choice: Choice) -> str:
    title = say(_reason(choice).title)
    worst = worst_slice(sources.findings.slices) if _is_in_slice(choice) else None
    if worst is None:
        return _told(sources, choice, title)
    row, accuracy = worst
    return say(
        "{rule}: {column} {value}, {accuracy}",
        rule=title,
        column=row.column,
        value=row.value,
        accuracy=with_interval(accuracy),
    )


def _reasons(sources: Sources, choices: Sequence[Choice]) -> dict[str, list[tuple[str, str]]]:
    """Document → the rules that chose it and what went wrong, in the order of the rules."""
    reasons: dict[str, list[tuple[str, str]]] = {}
    for choice in choices:
        for document_id, value in choice.documents:
            if document_id in sources.documents:
                sentence = _told(sources, choice, _reason(choice).sentence(sources, document_id, value))
                reasons.setdefault(document_id, []).append((choice.rule, sentence))
    return reasons


def _told(sources: Sources, choice: Choice, text: str) -> str:
    """The text of a rule, behind the name of its probe where several have a rule of this name."""
    if sum(other.rule == choice.rule for other in sources.findings.worst) < 2:
        return text
    return _of_probe(choice.probe, text)


def _of_probe(probe: str, text: str) -> str:
    return say("{probe}: {text}", probe=sentences.probe(probe), text=text)


def _is_in_slice(choice: Choice) -> bool:
    return not choice.probe and choice.rule == SLICE


def _reason(choice: Choice) -> Reason:
    """What the chapter of its probe says of a rule; of one that it does not explain, its name and the value."""
    if _is_in_slice(choice):
        return _IN_SLICE
    chapter, rule = chapter_of(choice.probe), choice.rule
    known = chapter.reasons.get(rule) if chapter else None
    return known or Reason(rule, lambda _, __, value: f"{rule}: {formats.quantity(value, 'nats')}")


def _in_slice(sources: Sources, _: str, __: float) -> str:
    row = worst_slice(sources.findings.slices)
    if row is None:
        raise ValueError("a document was chosen from a group that is not there")
    return say(
        "A wrong answer in the group with the lowest accuracy, {column} {group}.",
        column=row[0].column,
        group=row[0].value,
    )


_IN_SLICE = Reason(N_("Wrong answers with the highest probability in the group with the lowest accuracy"), _in_slice)


def _card(sources: Sources, document_id: str, reasons: Sequence[tuple[str, str]], delta: float) -> Card:
    document = sources.documents[document_id]
    answer = sources.evidence.record_of(PREDICTION, document_id, Prediction)
    passages = tuple(_passages(sources, document, delta))
    return Card(
        document_id=formats.middle(document_id, 48),
        facts=_facts(document, answer),
        reasons=tuple(reason for _, reason in reasons),
        passages=passages,
        is_marked=any("<mark" in passage.body for passage in passages),
        continuation=formats.excerpt(answer.continuation, _CHARACTERS) if answer and answer.continuation else "",
        links=tuple(_links(sources, document_id, {rule for rule, _ in reasons})),
    )


def _facts(document: Document, prediction: Prediction | None) -> str:
    if prediction is None or not prediction.labels:
        return say("labelled {labels}", labels=labels(document.labels)) if document.labels else ""
    answer = {
        "predicted": labels(prediction.predicted),
        "probability": formats.quantity(answer_probability(prediction), "probability"),
    }
    if not document.labels:
        return say("predicted {predicted}, {probability}", **answer)
    return say("labelled {labels} · predicted {predicted}, {probability}", labels=labels(document.labels), **answer)


def _passages(sources: Sources, document: Document, delta: float) -> list[highlights.Passage]:
    """The text with the marks of its explanation; without one, its beginning or, of a continued text, its end."""
    explanation = explanations.explanation_of(sources, document.id)
    if explanation is not None:
        painted = highlights.weight_marks(explanation.segments, explanation.targets[0], delta)
        return highlights.passages(document, painted, highlights.unit_of_segmenter(explanation.segmenter), _WORDS)
    predictions = sources.findings.analysis(PREDICTION, PredictionFindings)
    cut = continuations.ending if predictions and predictions.continuations else formats.excerpt
    second = document.pair if document.pair is None else cut(document.pair, _CHARACTERS)
    return highlights.passages(Document(document.id, cut(document.text, _CHARACTERS), pair=second), [])


def _links(sources: Sources, document_id: str, rules: set[str]) -> list[tuple[str, str]]:
    """The fuller cards of a document, in the order of the report, in sections that are printed."""
    cards = ((probe, chapter.card(sources, document_id)) for probe, chapter in chapters().items())
    shown = [(probe, *card) for probe, card in cards if card is not None]
    titles = Counter(title for *_, title in shown)
    links = [
        (section_id(probe), (target, title if titles[title] == 1 else _of_probe(probe, title)))
        for probe, target, title in shown
    ]
    if SLICE in rules:
        links.append((_SLICES, (_SLICES, say("Slices"))))
    printed = chosen_sections(sources.findings)
    return [link for section, link in links if printed is None or section in printed]
