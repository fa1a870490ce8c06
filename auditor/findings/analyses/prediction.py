"""Does the model answer right, and does it know when it does not?

Accuracy is the share of labelled documents whose predicted labels are exactly the reference; for multi-label that is
the exact match (subset accuracy), printed under both names. Without references everything else is still given.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from auditor.findings.analyses.answers import PROBE, Answer, answer_probability, pair, scored
from auditor.findings.analyses.calibration import (
    CALIBRATION_ERROR,
    CalibrationBin,
    calibrate,
    calibration_contributions,
)
from auditor.findings.analyses.chosen_answers import (
    CONFIDENT,
    choose_errors,
    confident_errors,
    least_certain,
    n_confident,
)
from auditor.findings.analyses.continuations import (
    CANDIDATE_MASS,
    MEAN_LOGPROB,
    candidate_mass,
    mass,
    mean_logprob,
)
from auditor.findings.analyses.scores import (
    F1,
    MACRO_F1,
    MICRO_F1,
    PRECISION,
    RECALL,
    ClassScores,
    confuse,
    given_labelled,
    given_multi_label,
    score,
    score_contributions,
)
from auditor.findings.analyses.worst import choose
from auditor.findings.contract.contributions import Contributions, mean_of
from auditor.findings.contract.evidence import Evidence
from auditor.findings.contract.finding import Finding
from auditor.findings.contract.numbers import BOOTSTRAP, WILSON, lies_below
from auditor.findings.contract.quantity import PageOne, Prospect, Quantity, Term
from auditor.findings.contract.summary import Cell, Conclusion, Setting, Summary, Whole
from auditor.findings.contract.types import Choice, Example, Findings, Number, Pointer
from auditor.findings.statistics.intervals import Estimate, bootstrap_mean, wilson
from auditor.findings.wording.sentences import bound, measured
from auditor.languages import N_, plural, say
from auditor.languages.numbers import count
from auditor.records.types import Prediction

MOST_ERRORS, MOST_UNSURE = 6, 3


def _given_answers(prospect: Prospect) -> tuple[str, ...]:
    return ("",) if prospect.labels else ()


ACCURACY = Quantity(
    name="accuracy",
    title=N_("Accuracy"),
    unit="share",
    compared=True,
    better="high",
    page_one=PageOne(10, 10),
    given=given_labelled,
    glossary=(
        Term(N_("Accuracy"), N_("Share of documents whose predicted label is the reference.")),
        Term(N_("Confusion"), N_("How often each label is taken for each other one.")),
    ),
)
EXACT_MATCH = Quantity(
    name="exact_match",
    title=N_("Exact match"),
    unit="share",
    better="high",
    given=given_multi_label,
    glossary=(Term(N_("Exact match"), N_("Share of documents whose whole set of labels is right.")),),
)
MEAN_ENTROPY = Quantity(
    name="mean_entropy",
    title=N_("Mean entropy"),
    unit="nats",
    high=math.inf,
    compared=True,
    page_one=PageOne(70, 70),
    given=_given_answers,
    glossary=(
        Term(
            N_("Entropy"), N_("How spread out a distribution is: 0 is certainty, ln K an even spread over K outcomes.")
        ),
        Term(N_("Label"), N_("An answer that a classifier may give, or a document’s right answer (reference).")),
        Term(N_("Logit"), N_("A model’s raw score of a label, before it is turned into a probability.")),
        Term(N_("Nat"), N_("Unit of information with base e; 1 nat is 1.44 bits.")),
        Term(
            N_("Softmax"),
            N_("Turns the logits into probabilities that sum to 1. A sigmoid does it for each label alone."),
        ),
    ),
)


class PredictionFindings(Finding):
    """Does the model answer right, and does it know when it does not?"""

    labels: tuple[str, ...]
    multi_label: bool
    n_documents: int
    n_labelled: int
    confusion: tuple[tuple[int, ...], ...]
    """Rows: reference; columns: predicted. Empty for multi-label and for unlabelled corpora."""
    classes: tuple[ClassScores, ...]
    calibration: tuple[CalibrationBin, ...]
    predicted_counts: dict[str, int]
    mean_entropy: Number | None
    confident_errors: tuple[Example, ...]
    least_certain: tuple[Example, ...]
    continuations: bool
    """Whether the answers are free continuations (no candidate labels)."""


class PredictionSummary(Summary[Prediction, PredictionFindings]):
    """What the model answers, held against the references where the corpus has any."""

    probe = PROBE
    title = N_("prediction")
    record = Prediction
    findings = PredictionFindings
    section = "predictions"
    order = 10
    quantities = (
        *(ACCURACY, EXACT_MATCH, MACRO_F1, MICRO_F1, PRECISION, RECALL, F1),
        *(CALIBRATION_ERROR, MEAN_ENTROPY, CANDIDATE_MASS, MEAN_LOGPROB),
    )
    cells = (
        Cell("probability", N_("Prob."), "probability", 6, lambda record, _: answer_probability(record)),
        Cell(
            "entropy",
            N_("Entropy"),
            "nats",
            7,
            lambda prediction, _: prediction.entropy if prediction.labels else None,
            N_("Entropy in nats."),
        ),
    )

    def summarise(self, evidence: Evidence, setting: Setting) -> Conclusion[PredictionFindings] | None:
        """Scores, calibration and examples of what was answered."""
        answers = pair(evidence, setting.multi_label, setting.labelled)
        return _conclude(answers, setting) if answers else None

    def contributions(self, evidence: Evidence, setting: Setting) -> Iterator[Contributions]:
        """Means over answers, and the counts behind the scores of labels."""
        answers = pair(evidence, setting.multi_label, setting.labelled)
        if not answers:
            return
        if not (labels := answers[0].prediction.labels):
            yield mean_of(MEAN_LOGPROB, {a.document.id: a.prediction.mean_logprob for a in answers})
            return
        yield mean_of(MEAN_ENTROPY, {a.document.id: a.prediction.entropy for a in answers})
        if setting.kind == "generator":
            yield mean_of(CANDIDATE_MASS, {a.document.id: mass(a) for a in answers})
        if labelled := scored(answers):
            for quantity in (ACCURACY, EXACT_MATCH) if setting.multi_label else (ACCURACY,):
                yield mean_of(quantity, {a.document.id: float(a.correct) for a in labelled})
            yield from score_contributions(labelled, labels, setting.multi_label)
            yield calibration_contributions(labelled, setting.multi_label)

    def point(self, whole: Whole, findings: PredictionFindings) -> Iterator[Pointer]:
        """Labels that are often missed and no check points at already; errors that the model was sure of."""
        yield from _missed_labels(whole, findings)
        yield from _confident(pair(whole.evidence, whole.setting.multi_label, whole.setting.labelled))

    def worst(self, evidence: Evidence, setting: Setting) -> Iterator[Choice]:
        """Wrong answers with the highest probability; continuations with the lowest mean log-probability."""
        answers = pair(evidence, setting.multi_label, setting.labelled)
        yield choose_errors("error", answers, MOST_ERRORS)
        unsure = [(a.document.id, a.prediction.mean_logprob) for a in answers]
        known = ((name, value) for name, value in unsure if value is not None)
        yield choose("unsure", known, MOST_UNSURE, largest=False)

    def shown(self, findings: PredictionFindings) -> Iterator[str]:
        """The examples of the section."""
        yield from (example.document_id for example in (*findings.confident_errors, *findings.least_certain))


def _conclude(answers: Sequence[Answer], setting: Setting) -> Conclusion[PredictionFindings]:
    seed, labels, labelled = setting.seed, answers[0].prediction.labels, scored(answers)
    entropy = mean_entropy(answers, seed) if labels else None
    numbers = [accuracy(labelled)] if labelled else []
    classes: tuple[ClassScores, ...] = ()
    calibration: tuple[CalibrationBin, ...] = ()
    if labelled:
        classes, averages = score(labelled, labels, setting.multi_label, seed)
        calibration, error = calibrate(labelled, setting.multi_label, seed)
        numbers += [exact_match(labelled)] if setting.multi_label else []
        numbers += averages + [n for c in classes for n in (c.precision, c.recall, c.f1)] + [error]
    numbers += [entropy] if entropy else []
    numbers += [candidate_mass(answers, seed)] if labels and setting.kind == "generator" else []
    numbers += [] if labels else [mean_logprob(answers, seed)]
    findings = PredictionFindings(
        labels=labels,
        multi_label=setting.multi_label,
        n_documents=len(answers),
        n_labelled=len(labelled),
        confusion=confuse(labelled, labels) if labelled and not setting.multi_label else (),
        classes=classes,
        calibration=calibration,
        predicted_counts=_predicted_counts(answers),
        mean_entropy=entropy,
        confident_errors=confident_errors(answers),
        least_certain=least_certain(answers),
        continuations=not labels,
    )
    return Conclusion(findings, tuple(numbers))


def _missed_labels(whole: Whole, findings: PredictionFindings) -> Iterator[Pointer]:
    overall = whole.numbers.get(ACCURACY.name)
    if overall is None or findings.multi_label:
        return
    pointed_at = {check.name for check in whole.checks if check.result in ("fail", "watch")}
    for scores in findings.classes:
        if scores.recall.name not in pointed_at and lies_below(scores.recall, overall):
            recall = measured(scores.recall)
            text = say("Label {label} is often missed: recall {recall}", label=scores.label, recall=recall)
            yield Pointer(severity="watch", text=text, section=SUMMARY.section_id)


def _confident(answers: Sequence[Answer]) -> Iterator[Pointer]:
    wrong = [answer for answer in answers if answer.wrong]
    sure = n_confident(answers)
    if sure:
        text = plural(
            len(wrong),
            "{sure} of {n} error made with a probability of at least {limit}",
            "{sure} of {n} errors made with a probability of at least {limit}",
            sure=count(sure),
            limit=bound(CONFIDENT),
        )
        yield Pointer(severity="note", text=text, section="failures")


def is_multi_label(findings: Findings) -> bool:
    """Whether the answers of a run could have several labels."""
    predictions = findings.analysis(PROBE, PredictionFindings)
    return predictions is not None and predictions.multi_label


def accuracy(answers: Sequence[Answer]) -> Number:
    """Share of labelled answers that are right; those without a reference are left out."""
    if any(answer.multi_label for answer in answers):
        return exact_match(answers).model_copy(update={"name": ACCURACY.name, "title": say(ACCURACY.title)})
    rule = say("Share of labelled documents whose predicted label is the reference; {interval}", interval=say(WILSON))
    return ACCURACY.number(_share_correct(answers), rule)


def exact_match(answers: Sequence[Answer]) -> Number:
    """Subset accuracy of multi-label answers."""
    rule = say(
        "Share of labelled documents whose predicted labels are exactly the reference; {interval}", interval=say(WILSON)
    )
    return EXACT_MATCH.number(_share_correct(answers), rule)


def _share_correct(answers: Sequence[Answer]) -> Estimate:
    labelled = scored(answers)
    return wilson(sum(answer.correct for answer in labelled), len(labelled))


def mean_entropy(answers: Sequence[Answer], seed: int) -> Number:
    """How undecided the model is, on average."""
    entropies = [answer.prediction.entropy for answer in answers]
    rule = (
        say("Mean over documents of the binary entropies of the labels; {interval}", interval=say(BOOTSTRAP))
        if answers[0].multi_label
        else say(
            "Mean over documents of the entropies of the predicted distributions; {interval}", interval=say(BOOTSTRAP)
        )
    )
    return MEAN_ENTROPY.number(bootstrap_mean(entropies, seed=seed, name=MEAN_ENTROPY.name), rule)


def _predicted_counts(answers: Sequence[Answer]) -> dict[str, int]:
    counts = Counter(label for answer in answers for label in answer.prediction.predicted)
    return {label: counts[label] for label in answers[0].prediction.labels}


SUMMARY = PredictionSummary()
