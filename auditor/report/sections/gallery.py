"""Where did it go wrong? Cards of the documents that the rules of `auditor.findings.analyses.failures` choose.

A document that several rules choose has one card, with a reason each.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from auditor.findings.analyses.answers import answer_probability, pair
from auditor.findings.analyses.failures import Choice, Rule, choose_failures, worst_slice
from auditor.findings.judgement.pointers import CONFIDENT
from auditor.languages import N_, plural, say
from auditor.languages.numbers import paragraph, separator, shortest
from auditor.records.types import Document, Prediction, Unmeasured
from auditor.report.drawing import formats, highlights
from auditor.report.sections import continuations, explanations, predictions, surprise
from auditor.report.sections.contract import Column, Section, Sources, Table, with_interval

_WORDS = 45
"""Words of one text."""
_CHARACTERS = 170
"""Of a text without marks."""
_RULES: dict[Rule, str] = {
    "error": N_("Wrong answers with the highest probability"),
    "unsure": N_("Free continuations with the lowest mean log-probability"),
    "unfaithful": N_("Explanations with the lowest R²"),
    "unstable": N_("Explanations whose widest 95% interval is largest beside their largest weight"),
    "surprising": N_("Documents with the most bits per byte"),
    "pseudo-surprising": N_("Documents with the largest pseudo-perplexity"),
    "slice": N_("Wrong answers with the highest probability in the group with the lowest accuracy"),
}


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


def has_cases(sources: Sources) -> bool:
    """Whether any rule finds a document."""
    return bool(choose_failures(sources.findings, sources.evidence))


def compose(sources: Sources) -> Section:
    """The gallery of failures."""
    choices = choose_failures(sources.findings, sources.evidence)
    reasons = _reasons(sources, choices)
    delta = explanations.shade_width(sources)
    cards = [_card(sources, document_id, own, delta) for document_id, own in reasons.items()]
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
    found, digits = sources.findings.explanations, highlights.digits_of(delta)
    return say(
        "the model’s answer, where it was explained; shades change at ±{steps} of {unit}.",
        steps=f"{separator()}±".join(formats.decimal(delta * i, digits) for i in range(1, highlights.STEPS)),
        unit=explanations.unit_of(found.unit if found else ""),
    )


def _confident(sources: Sources) -> str:
    """How many errors the model was sure of; page one leads here for it."""
    found = sources.findings.predictions
    answers = pair(sources.evidence, found.multi_label) if found else ()
    wrong = [answer for answer in answers if answer.wrong]
    sure = sum(answer.error_confidence >= CONFIDENT for answer in wrong)
    if not sure:
        return ""
    return plural(
        len(wrong),
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
    rows = tuple((_rule(sources, c.rule), formats.count(len(c.documents)), formats.count(c.among)) for c in choices)
    return Table(say("The rules, and how many documents each chose from."), columns, rows)


def _rule(sources: Sources, rule: Rule) -> str:
    worst = worst_slice(sources.findings) if rule == "slice" else None
    if worst is None:
        return say(_RULES[rule])
    row, accuracy = worst
    return say(
        "{rule}: {column} {value}, {accuracy}",
        rule=say(_RULES[rule]),
        column=row.column,
        value=row.value,
        accuracy=with_interval(accuracy),
    )


def _reasons(sources: Sources, choices: Sequence[Choice]) -> dict[str, list[tuple[Rule, str]]]:
    """Document → the rules that chose it and what went wrong, in the order of the rules."""
    found: dict[str, list[tuple[Rule, str]]] = {}
    for choice in choices:
        for document_id, value in choice.documents:
            if document_id in sources.documents:
                reason = _SAYINGS[choice.rule](sources, document_id, value)
                found.setdefault(document_id, []).append((choice.rule, reason))
    return found


def _error(sources: Sources, _: str, value: float) -> str:
    if sources.findings.predictions and sources.findings.predictions.multi_label:
        return say("One of its wrong decisions has probability {value}.", value=formats.decimal(value, 2))
    return say("The answer is wrong, and has probability {value}.", value=formats.decimal(value, 2))


def _unsure(_: Sources, __: str, value: float) -> str:
    number = formats.quantity(value, "log-probability")
    return say("The model is unsure of its own words: mean log-probability {value}.", value=number)


def _unfaithful(_: Sources, __: str, value: float) -> str:
    number = formats.decimal(value, 2)
    if value < 0:
        return say("The explanation says less than a constant would: R² {value}.", value=number)
    return say(
        "The explanation is weak: R² {value}, so it misses {rest} of how the model varies nearby.",
        value=number,
        rest=formats.percent(1 - value),
    )


def _unstable(_: Sources, __: str, value: float) -> str:
    return say(
        "The weights are uncertain: the widest interval is ±{share} of the largest weight.",
        share=formats.percent(value),
    )


def _surprising(sources: Sources, document_id: str, value: float) -> str:
    row = next((row for row in sources.findings.documents if row.document_id == document_id), None)
    return say(
        "The text surprises the language model: {bits} per byte, perplexity {perplexity}.",
        bits=formats.quantity(value, "bits"),
        perplexity=formats.perplexity(row.perplexity_nats if row else None),
    )


def _pseudo_surprising(_: Sources, __: str, value: float) -> str:
    number = formats.perplexity(value)
    return say("The text surprises the masked language model: pseudo-perplexity {value}.", value=number)


def _in_slice(sources: Sources, _: str, __: float) -> str:
    row = worst_slice(sources.findings)
    if row is None:
        raise ValueError("a document was chosen from a group that is not there")
    return say(
        "A wrong answer in the group with the lowest accuracy, {column} {group}.",
        column=row[0].column,
        group=row[0].value,
    )


_SAYINGS: dict[Rule, Callable[[Sources, str, float], str]] = {
    "error": _error,
    "unsure": _unsure,
    "unfaithful": _unfaithful,
    "unstable": _unstable,
    "surprising": _surprising,
    "pseudo-surprising": _pseudo_surprising,
    "slice": _in_slice,
}


def _card(sources: Sources, document_id: str, reasons: Sequence[tuple[Rule, str]], delta: float) -> Card:
    document = sources.documents[document_id]
    prediction = sources.evidence.predictions.get(document_id)
    answer = None if isinstance(prediction, Unmeasured) else prediction
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
        return say("labelled {labels}", labels=predictions.labels(document.labels)) if document.labels else ""
    answer = {
        "predicted": predictions.labels(prediction.predicted),
        "probability": formats.quantity(answer_probability(prediction), "probability"),
    }
    if not document.labels:
        return say("predicted {predicted}, {probability}", **answer)
    return say(
        "labelled {labels} · predicted {predicted}, {probability}", labels=predictions.labels(document.labels), **answer
    )


def _passages(sources: Sources, document: Document, delta: float) -> list[highlights.Passage]:
    """The text with the marks of its explanation; without one, its beginning or, of a continued text, its end."""
    explanation = sources.evidence.explanations.get(document.id)
    if explanation is not None and not isinstance(explanation, Unmeasured) and explanation.targets:
        painted = highlights.weight_marks(explanation.segments, explanation.targets[0], delta)
        return highlights.passages(document, painted, highlights.unit_of_segmenter(explanation.segmenter), _WORDS)
    continued = sources.findings.predictions is not None and sources.findings.predictions.continuations
    cut = continuations.ending if continued else formats.excerpt
    pair = document.pair if document.pair is None else cut(document.pair, _CHARACTERS)
    return highlights.passages(Document(document.id, cut(document.text, _CHARACTERS), pair=pair), [])


def _links(sources: Sources, document_id: str, rules: set[Rule]) -> list[tuple[str, str]]:
    findings, evidence = sources.findings, sources.evidence
    links = []
    if document_id in explanations.shown_ids(sources):
        links.append((explanations.anchor(sources, document_id), say("Explanation")))
    place = next(i for i, document in enumerate(evidence.documents) if document.id == document_id)
    if findings.perplexity and place in surprise.shown_places(
        sources, findings.perplexity.most_surprising, evidence.perplexity
    ):
        links.append((f"perplexity-{place}", say("Surprise of each token")))
    if findings.pseudo_perplexity and place in surprise.shown_places(
        sources, findings.pseudo_perplexity.most_surprising, evidence.pseudo_perplexity
    ):
        links.append((f"pseudo_perplexity-{place}", say("Surprise of each token")))
    if "slice" in rules:
        links.append(("slices", say("Slices")))
    printed = findings.presentation.sections
    return [(target, title) for target, title in links if printed is None or target.partition("-")[0] in printed]
