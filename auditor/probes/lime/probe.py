"""Which words carry the prediction? LIME (Ribeiro, Singh & Guestrin 2016), with an error on every weight.

The numbers are defined in `auditor.probes.lime.surrogate`. Short documents are explained exactly, by enumeration; of
the others as many perturbations are computed as their intervals need. The perturbations of all documents are computed
in one stream, round by round, each distinct one once; while the device computes, the host makes the next few thousand
and fits the surrogates of the last. Documents with more segments than half the samples could tell apart are explained
by coarser ones.

What a segment is, how the rest of a document is put together without some of them, and what a model then sees of it, is
the business of the medium (`auditor.models.capabilities.Answers`); nothing here knows a text from an image.

Masks and answers are kept with the evidence: for the documents that may be shown on a card (`auditor.probes.keeping`),
for all, or for none. Where they are kept, max-sensitivity follows from them (`auditor.probes.lime.sensitivity`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass as plain
from dataclasses import field, replace
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Discriminator, Field, Tag
from pydantic.dataclasses import dataclass

from auditor.corpus.segments import Segmenter
from auditor.models import Answers, Question
from auditor.models.capabilities import B
from auditor.models.inputs import UnreadableError
from auditor.probes.contract import STRICT, AnyProbe, Evaluations, Sitting, beyond_blanks, not_finite
from auditor.probes.keeping import around_median, of_cards, without
from auditor.probes.lime.neighbourhood import Adaptive, Enumerated, Fixed, Perturbations
from auditor.probes.lime.pairs import pairs
from auditor.probes.lime.self_check import MOST, self_check
from auditor.probes.lime.sensitivity import with_sensitivity
from auditor.probes.lime.stability import stability
from auditor.probes.lime.surrogate import Fit
from auditor.probes.overlap import overlapped
from auditor.probes.perturbing import explained_labels, seed_for, stretches
from auditor.probes.readable import Answered, answered
from auditor.records.explanations import Explanation, Neighbourhood, Segment, Surrogate, Target
from auditor.records.neighbourhoods import Perturbed
from auditor.records.proof import SelfCheck
from auditor.records.types import Document, Failure, NotMeasurable, Unmeasured

Z_95 = 1.96
Samples = Annotated[
    Annotated[Literal["auto"], Tag("auto")] | Annotated[int, Field(ge=20, le=100_000), Tag("number")],
    Discriminator(lambda value: "auto" if isinstance(value, str) else "number"),
]
Row = Explanation | Unmeasured
Keep = Literal["cards", "all", "none"]


@plain
class Study:
    """One document, and what the model has said about it so far."""

    document: Document
    segmenter: str
    segments: tuple[Segment, ...]
    perturbations: Perturbations
    question: Question = field(default_factory=lambda: Question(()))
    values: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    """(n, K) probabilities of the first n masks."""
    labels: tuple[int, ...] = ()
    """Which of the K labels are explained."""
    fits: tuple[Fit, ...] = ()
    failure: Unmeasured | None = None
    n_unread: int = 0
    """Perturbations that the model itself cannot read; their values are NaN."""

    def begin_with(self, perturbations: Perturbations) -> None:
        """Forgets what the model has said, and asks about other perturbations."""
        self.perturbations, self.values, self.fits = perturbations, np.empty((0, 0)), ()


Stretch = list[tuple[Study, int]]
"""Documents, and how many more perturbations of each."""


@dataclass(frozen=True, config=STRICT)
class LimeProbe:
    """Explains each prediction by a linear surrogate over segments of the document.

    Attributes:
        n_samples: Perturbations of each document, drawn as the `lime` package draws them; `auto` computes as many as
            its intervals need.
        tolerance: For `auto`: the widest 95 % interval shall be within this share of the largest weight.
        max_samples: For `auto`: the most perturbations to compute for a document.
        keep: Of which documents masks and answers are kept with the evidence: those of the `cards`, `all` or `none`.
    """

    name: ClassVar[str] = "lime"
    needs: ClassVar[type] = Answers
    record: ClassVar[type] = Explanation
    after: ClassVar[tuple[str, ...]] = ("prediction",)
    method: ClassVar[str] = "lime"

    n_samples: Samples = "auto"
    tolerance: float = Field(default=0.1, gt=0, lt=1)
    max_samples: int = Field(default=2000, ge=20, le=100_000)
    limit: int | None = Field(default=None, ge=1)
    segmenter: Segmenter = "auto"
    bow: bool = True
    num_features: int | None = Field(default=None, ge=1)
    top_labels: int = Field(default=1, ge=1)
    kernel_width: float = Field(default=25.0, gt=0, le=1000)
    keep: Keep = "cards"

    @property
    def model(self) -> None:
        """The audited model itself."""
        return

    @property
    def budget(self) -> int:
        """The most perturbations of a document."""
        return self.max_samples if self.n_samples == "auto" else self.n_samples

    def evaluations(
        self,
        model: Answers[B],
        documents: Sequence[Document],
        probes: Sequence[AnyProbe],  # noqa: ARG002
    ) -> list[Evaluations]:
        """All 2^S masks of each, or as many as may be sampled; none where its segments are too many or too few.

        Where the model cannot read some of them, a fixed number is drawn anew, and so much more is asked.
        """
        lengths = [len(self._segments(document, model)[1]) for document in documents]
        return [Evaluations(min(2**n, self.budget) if 0 < 2 * n <= self.budget else 0) for n in lengths]

    def prepare(self, model: Answers[B], documents: Sequence[Document], seed: int) -> frozenset[str]:  # noqa: ARG002
        """Ids of the documents around the median number of segments, whose masks and answers are kept for a card."""
        if self.keep != "cards":
            return frozenset()
        lengths = {d.id: len(self._segments(d, model)[1]) for d in documents if not d.is_blank}
        return around_median({name: n for name, n in lengths.items() if 0 < 2 * n <= self.budget})

    def self_check(self) -> SelfCheck | None:
        """What it gives on toy models; see `auditor.probes.lime.self_check`."""
        fewer = replace(self, max_samples=min(self.max_samples, MOST), num_features=None, top_labels=1, keep="none")
        return self_check(fewer if fewer.n_samples == "auto" else replace(fewer, n_samples=min(fewer.n_samples, MOST)))

    def measure(
        self, model: Answers[B], documents: Sequence[Document], sitting: Sitting[frozenset[str]]
    ) -> Iterator[Row]:
        """Yields an explanation for each document; one that has nothing to switch off is not measurable."""
        rows = list(beyond_blanks(documents, lambda asked: self._measure(model, asked, sitting.seed)))
        if self.keep != "cards":
            return map(self._with_sensitivity, rows)
        kept = of_cards(documents, rows, sitting.earlier.get("prediction", {}), model.identity.multi_label)
        kept |= sitting.prepared or frozenset()
        return (self._with_sensitivity(row) if row.document_id in kept else without(row) for row in rows)

    def _with_sensitivity(self, row: Row) -> Row:
        return row if isinstance(row, Unmeasured) else with_sensitivity(row, self.budget, self.num_features)

    def _measure(self, model: Answers[B], documents: Sequence[Document], seed: int) -> Iterator[Row]:
        results = [self.study(document, model, seed) for document in documents]
        studies = [one for one in results if isinstance(one, Study)]
        questions = model.ask([study.document for study in studies]) if studies else []
        for study, question in zip(studies, questions, strict=True):
            study.question = question
        while rounds := [(study, n) for study in studies if (n := self._more(study))]:
            self._compute(model, rounds)
        for one in results:
            yield one if isinstance(one, Unmeasured) else self._explanation(one)

    def _more(self, study: Study) -> int:
        return 0 if study.failure else study.perturbations.more(len(study.values), study.fits)

    def _compute(self, model: Answers[B], rounds: Stretch) -> None:
        """One round: so many more perturbations of each of these documents, stretch by stretch."""

        def perturb(stretch: Stretch) -> B:
            parts = [_inputs(model, *one) for one in stretch]
            return type(parts[0]).join(parts)

        def answer(stretch: Stretch, inputs: B) -> Answered:
            return answered(model, inputs, [study.question for study, n in stretch for _ in range(n)])

        def learn(stretch: Stretch, answers: Answered) -> None:
            done = 0
            for study, n in stretch:
                faults = {i - done: text for i, text in answers.faults.items() if done <= i < done + n}
                outputs = answers.outputs[done : done + n]
                self._learn(study, model.probabilities(outputs, study.question).numpy(), faults)
                done += n

        overlapped(list(stretches(rounds, lambda one: one[1])), perturb, answer, learn)

    def _learn(self, study: Study, values: np.ndarray, faults: Mapping[int, str]) -> None:
        if faults and isinstance(study.perturbations, Adaptive):  # its estimate wants an answer to every mask
            study.begin_with(Fixed(len(study.segments), self.budget, self.kernel_width, study.perturbations.random))
            return
        study.failure = self._fault(study, values, faults)
        if study.failure:
            return
        study.n_unread += len(faults)
        study.values = np.concatenate([study.values, values]) if len(study.values) else values
        study.labels = explained_labels(study.values[0], study.question, study.document, self.top_labels)
        explained = study.values[:, study.labels]
        study.fits = tuple(study.perturbations.fit(explained, self.num_features))
        if not all(map(_is_finite, study.fits)):
            study.failure = self._no_surrogate(study)

    def _fault(self, study: Study, values: np.ndarray, faults: Mapping[int, str]) -> Unmeasured | None:
        """Why there can be no surrogate: the model cannot read the document, or too few perturbations; or no number."""
        name = study.document.id
        if 0 in faults and not len(study.values):
            return Failure(name, UnreadableError.kind, faults[0])
        if not np.isfinite(np.delete(values, list(faults), axis=0)).all():
            return not_finite(study.document)
        if faults and len(values) - len(faults) <= len(study.segments):
            message = f"the model can read only {len(values) - len(faults)} of {len(values)} perturbed texts"
            return NotMeasurable(name, "unreadable-perturbations", f"{message}: {next(iter(faults.values()))}")
        return None

    def study(self, document: Document, model: Answers[B], seed: int) -> Study | Unmeasured:
        """Segments the document and chooses its perturbations, from (seed, document) alone."""
        segmenter, segments = self._segments(document, model)
        if not segments:
            return NotMeasurable(document.id, "no-segments", f"cut into {segmenter}, it has nothing to switch off")
        if 2 * len(segments) > self.budget:
            key = "max_samples" if self.n_samples == "auto" else "n_samples"
            return Failure(
                document.id,
                "too-many-segments",
                f"{len(segments)} {segmenter} cannot be told apart by {self.budget} samples; raise {key}",
            )
        return Study(document, segmenter, segments, self._perturbations(document, len(segments), seed))

    def _perturbations(self, document: Document, n_segments: int, seed: int) -> Perturbations:
        if 2 ** min(n_segments, 40) <= self.budget:
            return Enumerated(n_segments, self.budget, self.kernel_width)
        random = np.random.RandomState(seed_for(seed, document, self.name))
        if self.n_samples == "auto":
            return Adaptive(n_segments, self.max_samples, self.kernel_width, random, self.tolerance)
        return Fixed(n_segments, self.n_samples, self.kernel_width, random)

    def _segments(self, document: Document, model: Answers[B]) -> tuple[str, tuple[Segment, ...]]:
        return model.segment(document, self.segmenter, merge_equal=self.bow, most=self.budget // 2)

    def _explanation(self, study: Study) -> Row:
        if study.failure:
            return study.failure
        halves = study.perturbations.halves(study.values[:, study.labels], self.num_features)
        perturbed = study.perturbations.perturbed(study.values[:, study.labels])
        return Explanation(
            document_id=study.document.id,
            method=self.method,
            unit=study.question.unit,
            segmenter=study.segmenter,
            segments=study.segments,
            targets=tuple(
                Target(
                    label=study.question.labels[label],
                    weights=tuple(fit.weights.tolist()),
                    standard_errors=tuple((fit.half_widths / Z_95).tolist()),
                    selected=tuple(fit.selected.tolist()),
                    model_prediction=float(study.values[0, label]),
                    surrogate=Surrogate(fit.intercept, fit.fidelity, fit.local_prediction, stability(halves, position)),
                )
                for position, (label, fit) in enumerate(zip(study.labels, study.fits, strict=True))
            ),
            neighbourhood=self._neighbourhood(study, perturbed),
            pairs=pairs(study.document, study.segments, perturbed, self.kernel_width),
        )

    def _neighbourhood(self, study: Study, perturbed: Perturbed) -> Neighbourhood:
        account = study.perturbations.account(len(study.values), study.n_unread, study.fits)
        if self.keep == "none":
            return account
        return perturbed.kept_in(account)

    def _no_surrogate(self, study: Study) -> Failure:
        message = f"the surrogate of {len(study.segments)} {study.segmenter} is not finite"
        return Failure(study.document.id, "non-finite", f"{message}; widen kernel_width = {self.kernel_width:g}")


def _is_finite(fit: Fit) -> bool:
    numbers = (*fit.weights, *fit.half_widths, fit.intercept, fit.fidelity, fit.local_prediction)
    return bool(np.isfinite(numbers).all())


def _inputs(model: Answers[B], study: Study, n: int) -> B:
    """The next n perturbations."""
    masks = study.perturbations.masks[len(study.values) : len(study.values) + n]
    return model.perturbed(study.document, study.segments, masks)
