"""Does the model answer right, and does it know when it does not?"""

from auditor.findings.analyses.answers import answer_probability
from auditor.findings.analyses.calibration import CALIBRATION_ERROR
from auditor.findings.analyses.continuations import CANDIDATE_MASS
from auditor.findings.analyses.prediction import (
    ACCURACY,
    EXACT_MATCH,
    MEAN_ENTROPY,
    PredictionFindings,
    is_multi_label,
)
from auditor.findings.analyses.prediction import SUMMARY as PREDICTION
from auditor.findings.analyses.scores import MACRO_F1, MICRO_F1
from auditor.findings.contract.numbers import lies_below
from auditor.findings.contract.types import Example, Findings, Number
from auditor.languages import N_, plural, say
from auditor.languages.numbers import paragraph, separator
from auditor.records.types import Prediction
from auditor.report.contract import (
    Chapter,
    Column,
    Method,
    Reason,
    Section,
    Sources,
    Table,
    known,
    numbers_table,
    rule_of,
    with_interval,
)
from auditor.report.drawing import figures, formats
from auditor.report.sections import continuations, prediction_tables

_NUMBERS = (ACCURACY, EXACT_MATCH, MACRO_F1, MICRO_F1, CALIBRATION_ERROR, MEAN_ENTROPY, CANDIDATE_MASS)


def compose(sources: Sources) -> Section:
    """The section on predictions."""
    analysis = sources.analysis(PREDICTION.probe, PredictionFindings)
    if analysis.continuations:
        return continuations.compose(sources, analysis)
    is_calibrated = any(b.n and b.accuracy.value is not None for b in analysis.calibration)
    fits = len(analysis.labels) <= prediction_tables.MOST_CONFUSED
    has_confusions = bool(prediction_tables.confusions(analysis))
    return Section(
        id="predictions",
        title=say("Predictions"),
        question=say("Does the model answer right, and does it know when it does not?"),
        answer=_answer(sources, analysis),
        method=_method(sources, analysis),
        limits=_limits(analysis),
        template="sections/predictions.html.j2",
        content={
            "protocol": continuations.prompt(sources),
            "numbers": numbers_table(say("The numbers behind the answer."), _numbers(sources, analysis)),
            "classes": prediction_tables.class_table(analysis) if analysis.classes else None,
            "confusion": prediction_tables.confusion(analysis) if analysis.confusion and fits else None,
            "confusion_labels": [formats.middle(label, 24) for label in analysis.labels],
            "confusion_caption": prediction_tables.confusion_caption(analysis) if analysis.confusion else "",
            "confused": prediction_tables.confused(analysis) if has_confusions and not fits else None,
            "calibration": prediction_tables.calibration_table(analysis) if is_calibrated else None,
            "calibration_figure": figures.draw_calibration(analysis.calibration) if is_calibrated else None,
            "predicted": None if analysis.classes else prediction_tables.predicted_table(analysis),
            "uncertain": _examples(sources, analysis.least_certain),
        },
    )


def _numbers(sources: Sources, analysis: PredictionFindings) -> list[Number]:
    numbers = sources.named(*(quantity.name for quantity in _NUMBERS))
    if analysis.mean_entropy and analysis.mean_entropy.name not in sources.numbers:
        numbers.append(analysis.mean_entropy)
    return numbers


def _answer(sources: Sources, analysis: PredictionFindings) -> str:
    accuracy = next(iter(sources.named(ACCURACY.name, EXACT_MATCH.name)), None)
    if not analysis.n_labelled or accuracy is None or accuracy.value is None:
        return say("The corpus has no labels, so answers are described, not judged. {what}", what=_favourite(analysis))
    return paragraph(
        [
            _accuracy_sentence(analysis, accuracy),
            _weakest_sentence(analysis),
            _calibration_sentence(sources),
            _mass_sentence(sources),
        ]
    )


def _accuracy_sentence(analysis: PredictionFindings, accuracy: Number) -> str:
    labelled = plural(analysis.n_labelled, "{n} labelled document", "{n} labelled documents")
    values = {"accuracy": with_interval(accuracy), "labelled": labelled}
    if analysis.multi_label:
        return say("Exact-match accuracy is {accuracy} over {labelled}.", **values)
    return say("Accuracy is {accuracy} over {labelled}.", **values)


def _weakest_sentence(analysis: PredictionFindings) -> str:
    """Names a label only where its F1 is clearly below the best label's."""
    ranked = sorted(
        (c for c in analysis.classes if c.support and c.f1.value is not None), key=lambda c: c.f1.value or 0.0
    )
    if len(ranked) < 2:
        return ""
    if lies_below(ranked[0].f1, ranked[-1].f1):
        values = {"label": ranked[0].label, "f1": with_interval(ranked[0].f1)}
        return say("The weakest label is “{label}”, with F1 {f1}.", **values)
    return say("No label has a clearly lower F1 than the others.")


def _calibration_sentence(sources: Sources) -> str:
    error = sources.numbers.get(CALIBRATION_ERROR.name)
    if error is None or error.value is None:
        return ""
    return say("Stated probabilities are off by {error} on average.", error=with_interval(error))


def _mass_sentence(sources: Sources) -> str:
    mass = sources.numbers.get(CANDIDATE_MASS.name)
    if mass is None or mass.value is None:
        return ""
    return say(
        "The candidates together get a probability of {mass} from the model; the rest goes to other continuations.",
        mass=with_interval(mass),
    )


def _favourite(analysis: PredictionFindings) -> str:
    answered = plural(analysis.n_documents, "{n} document", "{n} documents")
    if not any(analysis.predicted_counts.values()):
        return say("{documents} were answered.", documents=answered)
    label, n = max(analysis.predicted_counts.items(), key=lambda item: item[1])
    return say("“{label}” is predicted for {n} of {documents}.", label=label, n=formats.count(n), documents=answered)


def _method(sources: Sources, analysis: PredictionFindings) -> str:
    if CANDIDATE_MASS.name in sources.numbers:
        return say(
            "The log-probability of each candidate is summed over its tokens behind the prompt and normalised among "
            "the candidates; the largest is predicted. Proportions and the F1 of a label have Wilson intervals, "
            "averages of F1 and the calibration error bootstrap intervals over documents."
        )
    if analysis.multi_label:
        return say(
            "Probabilities are the sigmoid of each logit; labels with at least one half are predicted. Proportions and "
            "the F1 of a label have Wilson intervals, averages of F1 and the calibration error bootstrap intervals "
            "over documents."
        )
    return say(
        "Probabilities are the softmax of the logits; the largest is predicted. Proportions and the F1 of a label have "
        "Wilson intervals, averages of F1 and the calibration error bootstrap intervals over documents."
    )


def _limits(analysis: PredictionFindings) -> str:
    if not analysis.n_labelled:
        return say("Without labels nothing can be said about whether the answers are right.")
    return say(
        "The labels are taken as true. Numbers hold for documents like these; slices with few documents are uncertain, "
        "and calibration is estimated within bins."
    )


def _examples(sources: Sources, examples: tuple[Example, ...]) -> Table | None:
    shown = known(examples, sources.evidence.of(PREDICTION.probe))
    rows = [row for example in shown if (row := _example_row(sources, example.document_id))]
    columns = (
        Column(say("Document"), "id", 14),
        Column(say("Text"), "corpus"),
        Column(say("Labelled"), "corpus", 11),
        Column(say("Predicted"), "corpus", 11),
        Column(say("Probability"), "number", 10),
    )
    caption = say("Least certain answers. Chosen by rule: {rule}.", rule=rule_of(shown))
    return Table(caption, columns, tuple(rows)) if rows else None


def _example_row(sources: Sources, document_id: str) -> tuple[str, ...] | None:
    prediction = sources.evidence.record_of(PREDICTION.probe, document_id, Prediction)
    document = sources.documents.get(document_id)
    if prediction is None or document is None:
        return None
    text = formats.excerpt(document.text, 120)
    if document.pair is not None:
        text = f"{formats.excerpt(document.text, 64)} ‖ {formats.excerpt(document.pair, 64)}"
    return (
        formats.middle(document_id, 40),
        text,
        labels(document.labels),
        labels(prediction.predicted),
        formats.quantity(answer_probability(prediction), "probability"),
    )


def labels(names: tuple[str, ...]) -> str:
    """Labels in one cell; a dash where there are none."""
    return separator().join(formats.middle(name, 40) for name in names) or formats.NOTHING


def _wrong(sources: Sources, _: str, value: float) -> str:
    if is_multi_label(sources.findings):
        return say("One of its wrong decisions has probability {value}.", value=formats.decimal(value, 2))
    return say("The answer is wrong, and has probability {value}.", value=formats.decimal(value, 2))


def _unsure(_: Sources, __: str, value: float) -> str:
    number = formats.quantity(value, "log-probability")
    return say("The model is unsure of its own words: mean log-probability {value}.", value=number)


def _has_labels(findings: Findings) -> bool:
    predictions = findings.analysis(PREDICTION.probe, PredictionFindings)
    return predictions is not None and not predictions.continuations


def _continues(findings: Findings) -> bool:
    return not _has_labels(findings)


_LETTERS = N_(
    "*z* are the logits of the *K* labels, *H* the entropy in nats; *b* runs over bins of the probability of "
    "the predicted label, *n_b* of *n* documents in each. With several labels per document each has its own "
    "sigmoid, 1 / (1 + exp −*z_k*). A candidate continuation has as its logit the log-probability of its "
    "tokens after the prompt."
)
_LETTERS_CONTINUED = N_(
    "*p_t* is the probability of the *t*-th of the *N* tokens that the model itself wrote after the prompt, "
    "always the most probable one."
)
"""What the letters of the formulas mean."""

CHAPTER = Chapter(
    probe=PREDICTION.probe,
    title=N_("Predictions"),
    compose=compose,
    methods=(
        Method(
            N_("Predictions"),
            _LETTERS,
            "sections/formulas/prediction.html.j2",
            _has_labels,
        ),
        Method(
            N_("Continuations"),
            _LETTERS_CONTINUED,
            "sections/formulas/continuation.html.j2",
            _continues,
        ),
    ),
    reasons={
        "error": Reason(N_("Wrong answers with the highest probability"), _wrong),
        "unsure": Reason(N_("Free continuations with the lowest mean log-probability"), _unsure),
    },
    answers={
        "accuracy": (ACCURACY.name, EXACT_MATCH.name),
        "answers": (),
        "calibration": (CALIBRATION_ERROR.name,),
    },
)
