"""Which words carry the prediction? LIME (Ribeiro, Singh & Guestrin 2016), with an error on every weight.

The numbers are defined in `auditor.probes.lime.surrogate`. Short documents are explained exactly, by enumeration; of
the others as many perturbations are computed as their intervals need. The perturbations of all documents are computed
in one stream, round by round, each distinct one once; while the device computes, the host tokenises the next few
thousand and fits the surrogates of the last. Documents with more segments than half the samples could tell apart are
explained by sentences.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass as plain
from dataclasses import field
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Discriminator, Field, Tag
from pydantic.dataclasses import dataclass

from auditor.corpus.segments import segment
from auditor.models import Classifies, Question
from auditor.models.inputs import Sequences, UnreadableError
from auditor.probes.contract import STRICT, beyond_blanks, not_finite
from auditor.probes.lime.neighbourhood import Adaptive, Enumerated, Fixed, Neighbourhood
from auditor.probes.lime.overlap import overlapped
from auditor.probes.lime.perturbations import encoded
from auditor.probes.lime.readable import Answers, ask
from auditor.probes.lime.surrogate import Fit
from auditor.records.types import Document, Explanation, Failure, NotMeasurable, Segment, Target, Unmeasured

Z_95 = 1.96
STRETCH = 2048
"""Perturbations, at least, that are tokenised at once and pooled into batches."""
Samples = Annotated[
    Annotated[Literal["auto"], Tag("auto")] | Annotated[int, Field(ge=20, le=100_000), Tag("number")],
    Discriminator(lambda value: "auto" if isinstance(value, str) else "number"),
]
Row = Explanation | Unmeasured
Segmenter = Literal["auto", "words", "characters", "sentences", "tokens", "lime"]


@plain
class Study:
    """One document, and what the model has said about it so far."""

    document: Document
    segmenter: str
    segments: tuple[Segment, ...]
    neighbourhood: Neighbourhood
    question: Question = field(default_factory=lambda: Question(()))
    values: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    """(n, K) probabilities of the first n masks."""
    labels: tuple[int, ...] = ()
    """Which of the K labels are explained."""
    fits: tuple[Fit, ...] = ()
    failure: Unmeasured | None = None
    n_unread: int = 0
    """Perturbations that the model itself cannot read; their values are NaN."""

    def begin_with(self, neighbourhood: Neighbourhood) -> None:
        """Forgets what the model has said, and asks about other perturbations."""
        self.neighbourhood, self.values, self.fits = neighbourhood, np.empty((0, 0)), ()


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
    """

    name: ClassVar[str] = "lime"
    needs: ClassVar[type] = Classifies
    record: ClassVar[type] = Explanation

    n_samples: Samples = "auto"
    tolerance: float = Field(default=0.1, gt=0, lt=1)
    max_samples: int = Field(default=2000, ge=20, le=100_000)
    limit: int | None = Field(default=None, ge=1)
    segmenter: Segmenter = "auto"
    bow: bool = True
    num_features: int | None = Field(default=None, ge=1)
    top_labels: int = Field(default=1, ge=1)
    kernel_width: float = Field(default=25.0, gt=0, le=1000)

    @property
    def model(self) -> None:
        """The audited model itself."""
        return

    @property
    def budget(self) -> int:
        """The most perturbations of a document."""
        return self.max_samples if self.n_samples == "auto" else self.n_samples

    def measure(self, model: Classifies, documents: Sequence[Document], seed: int) -> Iterator[Row]:
        """Yields an explanation for each document; one that has nothing to switch off is not measurable."""
        return beyond_blanks(documents, lambda asked: self._measure(model, asked, seed))

    def _measure(self, model: Classifies, documents: Sequence[Document], seed: int) -> Iterator[Row]:
        found = [self.study(document, model, seed) for document in documents]
        studies = [one for one in found if isinstance(one, Study)]
        questions = model.ask([study.document for study in studies]) if studies else []
        for study, question in zip(studies, questions, strict=True):
            study.question = question
        while rounds := [(study, n) for study in studies if (n := self._more(study))]:
            self._compute(model, rounds)
        for one in found:
            yield one if isinstance(one, Unmeasured) else self._explanation(one)

    def _more(self, study: Study) -> int:
        return 0 if study.failure else study.neighbourhood.more(len(study.values), study.fits)

    def _compute(self, model: Classifies, rounds: Stretch) -> None:
        """One round: so many more perturbations of each of these documents, stretch by stretch."""

        def tokenise(stretch: Stretch) -> Sequences:
            return Sequences.join([_texts(model, *one) for one in stretch])

        def answer(stretch: Stretch, texts: Sequences) -> Answers:
            return ask(model, texts, [study.question for study, n in stretch for _ in range(n)])

        def learn(stretch: Stretch, answers: Answers) -> None:
            done = 0
            for study, n in stretch:
                faults = {i - done: text for i, text in answers.faults.items() if done <= i < done + n}
                outputs = answers.outputs[done : done + n]
                self._learn(study, model.probabilities(outputs, study.question).numpy(), faults)
                done += n

        overlapped(list(_stretches(rounds)), tokenise, answer, learn)

    def _learn(self, study: Study, values: np.ndarray, faults: Mapping[int, str]) -> None:
        if faults and isinstance(study.neighbourhood, Adaptive):  # its estimate wants an answer to every mask
            study.begin_with(Fixed(len(study.segments), self.budget, self.kernel_width, study.neighbourhood.random))
            return
        study.failure = self._fault(study, values, faults)
        if study.failure:
            return
        study.n_unread += len(faults)
        study.values = np.concatenate([study.values, values]) if len(study.values) else values
        study.labels = self._labels(study)
        explained = study.values[:, study.labels]
        study.fits = tuple(study.neighbourhood.fit(explained, self.num_features))
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

    def study(self, document: Document, model: Classifies, seed: int) -> Study | Unmeasured:
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
        return Study(document, segmenter, segments, self._neighbourhood(document, len(segments), seed))

    def _neighbourhood(self, document: Document, n_segments: int, seed: int) -> Neighbourhood:
        if 2 ** min(n_segments, 40) <= self.budget:
            return Enumerated(n_segments, self.budget, self.kernel_width)
        random = np.random.RandomState(seed_for(seed, document, self.name))
        if self.n_samples == "auto":
            return Adaptive(n_segments, self.max_samples, self.kernel_width, random, self.tolerance)
        return Fixed(n_segments, self.n_samples, self.kernel_width, random)

    def _segments(self, document: Document, model: Classifies) -> tuple[str, tuple[Segment, ...]]:
        tokens = None
        if self.segmenter == "tokens":
            found = model.tokens([(document.text, document.pair)])[0]
            tokens = [span for span, special in zip(found.spans, found.special, strict=True) if not special]
        name, segments = segment(document, self.segmenter, bow=self.bow, tokens=tokens)
        if self.segmenter == "auto" and 2 * len(segments) > self.budget:
            return segment(document, "sentences", bow=self.bow)
        return name, segments

    def _explanation(self, study: Study) -> Row:
        if study.failure:
            return study.failure
        account: dict[str, Any] = study.neighbourhood.account(len(study.values), study.fits)
        account["n_evaluations"] -= study.n_unread
        return Explanation(
            document_id=study.document.id,
            segmenter=study.segmenter,
            segments=study.segments,
            targets=tuple(
                Target(
                    label=study.question.labels[label],
                    weights=tuple(found.weights.tolist()),
                    standard_errors=tuple((found.half_widths / Z_95).tolist()),
                    selected=tuple(found.selected.tolist()),
                    intercept=found.intercept,
                    fidelity=found.fidelity,
                    local_prediction=found.local_prediction,
                    model_prediction=float(study.values[0, label]),
                )
                for label, found in zip(study.labels, study.fits, strict=True)
            ),
            kernel_width=self.kernel_width,
            unit="log-probability" if study.question.free else "probability",
            n_unread=study.n_unread,
            **account,
        )

    def _no_surrogate(self, study: Study) -> Failure:
        message = f"the surrogate of {len(study.segments)} {study.segmenter} is not finite"
        return Failure(study.document.id, "non-finite", f"{message}; widen kernel_width = {self.kernel_width:g}")

    def _labels(self, study: Study) -> tuple[int, ...]:
        """The most probable labels, then the reference labels that are not among them."""
        chosen: list[int] = np.argsort(-study.values[0], kind="stable")[: self.top_labels].tolist()
        own = study.document.labels
        return tuple(chosen + [i for i, name in enumerate(study.question.labels) if name in own and i not in chosen])


def _stretches(rounds: Stretch) -> Iterator[Stretch]:
    """A round, cut between documents."""
    stretch: Stretch = []
    for one in rounds:
        stretch.append(one)
        if sum(n for _, n in stretch) >= STRETCH:
            yield stretch
            stretch = []
    if stretch:
        yield stretch


def _is_finite(fit: Fit) -> bool:
    numbers = (*fit.weights, *fit.half_widths, fit.intercept, fit.fidelity, fit.local_prediction)
    return bool(np.isfinite(numbers).all())


def _texts(model: Classifies, study: Study, n: int) -> Sequences:
    """The token ids of the next n perturbations."""
    masks = study.neighbourhood.masks[len(study.values) : len(study.values) + n]
    return encoded(model, study.document, study.segments, masks)


def seed_for(seed: int, document: Document, probe: str) -> int:
    """32 bits that depend on nothing but the run's seed, the document's content and the probe."""
    parts = (str(seed), document.id, document.text, document.pair or "", probe)
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:4], "little")
