"""What does the model do with which word, over the whole corpus? A glass-box model, fitted to its answers.

Of the n documents with an answer and with words, the surrogate of a label says

    g(x) = β₀ + Σ_w β_w · [w stands in x]  ≈  log-odds of the label,   ln p / (1 − p), from the logits

over the words w in at least three of them (the thousand in most of them, where there are more). Of two labels of which
one is given it is fitted to the second: the other is its negative. Of more labels, the six that are given most often.
β is sparse (`auditor.findings.statistics.sparse_regression`), and a word is named where 95 % of 200 resamples of the
documents give it one sign. Whether any of it may be believed is measured on documents held out (five folds, by the hash
of seed and id; ĝ from the fit without the fold, ȳ the mean of the documents that it was fitted to):

    fidelity     R² = 1 − Σ (y − ĝ)² / Σ (y − ȳ)², over documents and labels; 0 is what the mean alone says
    agreement    share of the documents in which the label of largest ĝ (of several: every ĝ ≥ 0) is the model's
    majority     the same for the label that is most often given in the documents it was fitted to

Nothing is concluded, and no weight printed, with fewer than 50 documents, answers that are all the same, no word in
three documents, or a fidelity whose interval does not lie above 0; a label of which that holds has no weights either.
Weights are in log-odds (nats), shrunk by the penalty. Parts of the corpus have no surrogate of their own.

Sources: Craven & Shavlik 1996; Molnar, "Interpretable Machine Learning", on global surrogates.
"""

import math
from collections import Counter
from dataclasses import dataclass
from typing import Literal

import numpy as np

from auditor.findings.analyses.answers import PROBE as PREDICTION
from auditor.findings.analyses.function_words import is_function_word
from auditor.findings.analyses.global_words import GlobalWord, RecurringWords, WordClass
from auditor.findings.analyses.words_and_answers import WordsAndAnswers
from auditor.findings.contract.evidence import Evidence
from auditor.findings.contract.finding import Finding
from auditor.findings.contract.numbers import BOOTSTRAP, number, of_label
from auditor.findings.contract.quantity import Quantity, Term
from auditor.findings.contract.summary import Conclusion, Setting, Summary
from auditor.findings.contract.types import Number
from auditor.findings.statistics import sparse_regression
from auditor.findings.statistics.intervals import Estimate, bootstrap_mean, bootstrap_ratio, estimate
from auditor.findings.statistics.resampling import Floats
from auditor.languages import N_, say
from auditor.records.explanations import BagOfWords
from auditor.records.types import Prediction

LEAST_DOCUMENTS = 50
MOST_CONTENT, MOST_FUNCTION = 24, 12
"""Words listed for each label."""
_ALIKE = 1e-9
"""Log-odds that differ by no more are the same."""

Reason = Literal["few-documents", "no-words", "constant", "no-better"]
"""Why nothing is concluded."""

FIDELITY = Quantity(
    name="global_surrogate.fidelity",
    title=N_("Fidelity of the global surrogate"),
    unit="correlation",
    low=-math.inf,
    glossary=(
        Term(
            N_("Global surrogate"),
            N_("A simple model over words, fitted to the audited model’s answers to the whole corpus."),
        ),
        Term(
            N_("Log-odds"), N_("ln p / (1 − p): how much more probable a label is than not, on a scale that adds up.")
        ),
    ),
)
AGREEMENT = Quantity(name="global_surrogate.agreement", title=N_("Agreement of the global surrogate"), unit="share")


class ModelledLabel(Finding):
    """What the surrogate of one label comes to."""

    label: str
    against: str
    """The other of two labels; empty with more."""
    n_predicted: int
    """Documents to which the model gives it."""
    fidelity: Number
    words: RecurringWords | None
    """None where its fidelity is not above 0."""


class GlobalSurrogateFindings(Finding):
    """What does the model do with which word, over the whole corpus?"""

    n_documents: int
    n_words: int
    """In at least three of them, of which the surrogate may use any."""
    segmenters: dict[str, int]
    reason: Reason | None
    """Why nothing is concluded; None where something is."""
    fidelity: Number
    agreement: Number
    majority: Number | None
    """What the label given most often agrees in; None where nothing was fitted."""
    labels: tuple[ModelledLabel, ...] = ()


class GlobalSurrogateSummary(Summary[BagOfWords, GlobalSurrogateFindings]):
    """The glass-box model over words."""

    probe = "global_surrogate"
    title = N_("global surrogate")
    record = BagOfWords
    findings = GlobalSurrogateFindings
    quantities = (FIDELITY, AGREEMENT)
    order = 35
    of_parts = False
    section = "global-surrogate"
    reasons = {  # noqa: RUF012
        "no-answer": N_("no answer of the model"),
        "no-labels": N_("no labels to choose among"),
        "no-segments": N_("nothing to switch off"),
    }

    def summarise(self, evidence: Evidence, setting: Setting) -> Conclusion[GlobalSurrogateFindings] | None:
        """Fidelity, agreement, and the words where these can be believed."""
        bags = evidence.measured(self.probe, BagOfWords)
        predictions = evidence.measured(PREDICTION, Prediction)
        known = [name for name in bags if name in predictions and predictions[name].labels]
        if not known:
            return None
        given = WordsAndAnswers([bags[name] for name in known], [predictions[name] for name in known], setting)
        fitted = conclude(given)
        return Conclusion(fitted, (fitted.fidelity, fitted.agreement))

    def is_truncated(self, record: BagOfWords, evidence: Evidence) -> bool:
        """The model answered about as much of a document as the prediction says."""
        return bool(getattr(evidence.of(PREDICTION).get(record.document_id), "truncated", False))


def conclude(given: WordsAndAnswers) -> GlobalSurrogateFindings:
    """Fits, holds out, and prints weights only where that shows them to be worth it."""
    reason = _unfit(given)
    if reason:
        nothing = Estimate(None, None, None, len(given.bags))
        return _findings(given, reason, Scores((nothing,), nothing, nothing, None))
    out = sparse_regression.held_out(given.features, given.log_odds, given.folds)
    scores = _scores(given, out)
    reason = None if _above_zero(scores.fidelity) else "no-better"
    return _findings(given, reason, scores)


def _unfit(given: WordsAndAnswers) -> Reason | None:
    """Why no surrogate is fitted."""
    if len(given.bags) < LEAST_DOCUMENTS:
        return "few-documents"
    if not given.words:
        return "no-words"
    varies = np.isfinite(given.log_odds).all() and (np.ptp(given.log_odds, axis=0) > _ALIKE).any()
    return None if varies else "constant"


@dataclass(frozen=True, slots=True)
class Scores:
    """What the surrogates are worth on documents held out."""

    of_labels: tuple[Estimate, ...]
    """R² of each label."""
    fidelity: Estimate
    agreement: Estimate
    majority: Estimate | None


def _scores(given: WordsAndAnswers, out: sparse_regression.HeldOut) -> Scores:
    seed, name = given.setting.seed, FIDELITY.name
    missed, spread = (given.log_odds - out.predictions) ** 2, (given.log_odds - out.means) ** 2
    of_labels = tuple(
        bootstrap_ratio(spread[:, k] - missed[:, k], spread[:, k], seed=seed, name=of_label(name, label))
        for k, label in enumerate(given.labels)
    )
    gained, spread = (spread - missed).sum(axis=1), spread.sum(axis=1)
    agrees, majority = (_agreement(given, said) for said in (out.predictions, _majority(given)))
    return Scores(
        of_labels=of_labels,
        fidelity=bootstrap_ratio(gained, spread, seed=seed, name=name),
        agreement=bootstrap_mean(agrees, seed=seed, name=AGREEMENT.name, share=True),
        majority=bootstrap_mean(majority, seed=seed, name=f"{AGREEMENT.name}.majority", share=True),
    )


def _majority(given: WordsAndAnswers) -> Floats:
    """(n, K), as log-odds: how often the model gives each label outside of a document's fold, less one half."""
    shares = np.empty(given.gives.shape)
    for fold in range(sparse_regression.FOLDS):
        shares[given.folds == fold] = given.gives[given.folds != fold].mean(axis=0) - 0.5
    return shares


def _agreement(given: WordsAndAnswers, said: Floats) -> Floats:
    """(n,): whether the label that follows from (n, K) log-odds is the model's; of several labels, for which share."""
    if given.either or given.setting.multi_label:
        return np.asarray(((said >= 0) == given.gives).mean(axis=1))
    chosen = np.take_along_axis(given.gives, said.argmax(axis=1)[:, None], axis=1)
    return np.asarray(chosen[:, 0], dtype=float)


def _above_zero(fidelity: Estimate) -> bool:
    """Whether its interval is; where every document says the same, and there is none, its value."""
    least = fidelity.value if fidelity.low is None else fidelity.low
    return least is not None and least > _ALIKE


def _findings(given: WordsAndAnswers, reason: Reason | None, scores: Scores) -> GlobalSurrogateFindings:
    fidelity = say(
        "R² of the log-odds on documents that the surrogate was not fitted to (five folds); {interval}",
        interval=say(BOOTSTRAP),
    )
    agreement = say(
        "Share of documents in which a surrogate that was not fitted to them gives the model’s label; {interval}",
        interval=say(BOOTSTRAP),
    )
    return GlobalSurrogateFindings(
        n_documents=len(given.bags),
        n_words=len(given.words),
        segmenters=dict(sorted(Counter(bag.segmenter for bag in given.bags).items())),
        reason=reason,
        fidelity=FIDELITY.number(scores.fidelity, fidelity),
        agreement=AGREEMENT.number(scores.agreement, agreement),
        majority=scores.majority and _number_of_majority(scores.majority),
        labels=() if reason else tuple(_labels(given, scores, fidelity)),
    )


def _number_of_majority(share: Estimate) -> Number:
    protocol = say(
        "Share of documents with the label that the model gives most often to the others; {interval}",
        interval=say(BOOTSTRAP),
    )
    return number(f"{AGREEMENT.name}.majority", say("Agreement of the most frequent label"), share, "share", protocol)


def _labels(given: WordsAndAnswers, scores: Scores, protocol: str) -> list[ModelledLabel]:
    against = given.all_labels[0] if given.either else ""
    return [
        ModelledLabel(
            label=label,
            against=against,
            n_predicted=int(given.gives[:, k].sum()),
            fidelity=FIDELITY.number(of_label_, protocol, label=label, title=say(FIDELITY.title)),
            words=_words(given, k, against) if _above_zero(of_label_) else None,
        )
        for k, (label, of_label_) in enumerate(zip(given.labels, scores.of_labels, strict=True))
    ]


def _words(given: WordsAndAnswers, k: int, against: str) -> RecurringWords:
    label = given.labels[k]
    name = of_label("global_surrogate.weight", label)
    fitted = sparse_regression.weights(given.features, given.log_odds[:, k], seed=given.setting.seed, name=name)
    protocol = say(
        "Weight of the word in a sparse linear model of the log-odds of {label}; 95% of 200 resamples of the documents",
        label=label,
    )
    words = [
        GlobalWord(
            text=word,
            n_documents=n,
            weight=number(
                of_label(name, word),
                say("Weight of {word}", word=word),
                estimate(fitted.value[w], fitted.low[w], fitted.high[w], len(given.bags)),
                "log-odds",
                protocol,
            ),
            same_sign=fitted.same_sign[w],
        )
        for w, (word, n) in enumerate(given.words.items())
    ]
    return RecurringWords(
        label=label,
        against=against,
        n_documents=len(given.bags),
        content=WordClass.of((word for word in words if not is_function_word(word.text)), MOST_CONTENT),
        function=WordClass.of((word for word in words if is_function_word(word.text)), MOST_FUNCTION),
    )


SUMMARY = GlobalSurrogateSummary()
