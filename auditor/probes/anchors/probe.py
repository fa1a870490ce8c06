"""Which few words hold the answer, whatever the others are? Anchors (Ribeiro, Singh & Guestrin 2018).

A rule is a set of segments that are kept while each other one is deleted with probability ½. Its precision is how often
the model then gives the same label as to the whole document, its coverage how often all of its segments are kept by
such a draw, 2^−|A|. The search for the shortest rule of precision ≥ `precision`, its bounds and what is told of the
rule are those of `auditor.probes.anchors.search`.

A document of which all 2^S masks are within `max_samples` is enumerated: rule and precision are exact. The others are
searched, all together: what the searches of a stretch of documents ask next goes to the model in one stream, each
distinct mask of a document once.

The label is the most probable one; of a model of several labels it stays where its probability stays on the same side
of one half. Segments are those of LIME with the same `segmenter` and `bow`.

Edge cases: no segment, or a free continuation, which is no label that could stay: not measurable. Masks that the model
cannot read, or answers that are no number, leave the document without a rule, with the reason.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass as plain
from typing import ClassVar, Generic

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from auditor.corpus.segments import Segmenter
from auditor.models import Answers
from auditor.models.capabilities import B
from auditor.probes.anchors.search import FRESH, Asking, Rule, Search, Settings, enumerated
from auditor.probes.contract import STRICT, AnyProbe, Evaluations, Sitting, beyond_blanks, not_finite
from auditor.probes.game import Game, ask
from auditor.probes.perturbing import Cut, Most, Perturbed, cut, evaluate, every_mask, questioned, seed_for
from auditor.records.explanations import Anchor
from auditor.records.types import Document, NotMeasurable, Unmeasured

Row = Anchor | Unmeasured
HALF = 0.5


@dataclass(frozen=True, config=STRICT)
class AnchorsProbe:
    """Finds for each prediction a few segments that hold it.

    Attributes:
        limit: The most documents to explain, but for `ids`; each may take `max_samples` perturbations.
        ids: Documents to explain besides those that `limit` draws.
        precision: How often the label shall stay under a rule.
        delta: With which probability a rule may be taken for an anchor wrongly, at one length of rules.
        tolerance: How far below `precision` the lower bound of an anchor may lie.
        beam: How many rules of one length are extended.
        max_length: The most segments of a rule.
        max_samples: The most perturbations drawn for a document in search of a rule; 200 more tell its precision.
        segmenter: What a segment is, as for LIME.
        bow: Whether equal segments are one.
        max_segments: Documents with more are explained by coarser segments, or not at all.
    """

    name: ClassVar[str] = "anchors"
    needs: ClassVar[type] = Answers
    record: ClassVar[type] = Anchor

    limit: int | None = Field(default=8, ge=1)
    ids: tuple[str, ...] = ()
    precision: float = Field(default=0.95, gt=0, le=1)
    delta: float = Field(default=0.05, gt=0, lt=1)
    tolerance: float = Field(default=0.05, gt=0, lt=1)
    beam: int = Field(default=4, ge=1, le=100)
    max_length: int = Field(default=6, ge=1, le=100)
    max_samples: int = Field(default=4000, ge=200, le=1_000_000)
    segmenter: Segmenter = "auto"
    bow: bool = True
    max_segments: int = Field(default=200, ge=1, le=10_000)

    @property
    def model(self) -> None:
        """The audited model itself."""
        return

    @property
    def settings(self) -> Settings:
        """What the search is told."""
        wanted = (self.precision, self.delta, self.tolerance, self.beam, self.max_length, self.max_samples)
        return Settings(*wanted)

    def evaluations(
        self,
        model: Answers[B],
        documents: Sequence[Document],
        probes: Sequence[AnyProbe],  # noqa: ARG002
    ) -> list[Evaluations]:
        """All 2^S masks of each, or as many as the search and the interval of its rule may draw, and the document."""
        return [Evaluations(0 if one.fault else self._most(len(one.segments))) for one in self._cut(model, documents)]

    def _most(self, n_segments: int) -> int:
        return 2**n_segments if self._is_enumerated(n_segments) else 1 + self.max_samples + FRESH

    def measure(self, model: Answers[B], documents: Sequence[Document], sitting: Sitting[object]) -> Iterator[Row]:
        """Yields a rule for each document; one that has nothing to switch off is not measurable."""
        return beyond_blanks(documents, lambda asked: self._measure(model, asked, sitting.seed))

    def _measure(self, model: Answers[B], documents: Sequence[Document], seed: int) -> Iterator[Row]:
        cuts = self._cut(model, documents)
        perturbed = questioned(model, cuts, lambda _, n_segments: self._masks(n_segments))
        evaluate(model, [one for one in perturbed if not one.question.free])
        studies = [self._study(model, one, seed) for one in perturbed]
        _search([study for study in studies if study.search])
        answers = iter(studies)
        for one in cuts:
            yield one.fault or self._row(next(answers), one)

    def _cut(self, model: Answers[B], documents: Sequence[Document]) -> list[Cut]:
        most = Most(self.max_segments, f"max_segments = {self.max_segments}")
        return [cut(model, document, self.segmenter, most, bow=self.bow) for document in documents]

    def _is_enumerated(self, n_segments: int) -> bool:
        return bool(2 ** min(n_segments, 40) <= self.max_samples)

    def _masks(self, n_segments: int) -> np.ndarray:
        return every_mask(n_segments) if self._is_enumerated(n_segments) else np.ones((1, n_segments), dtype=bool)

    def _study(self, model: Answers[B], perturbed: Perturbed, seed: int) -> "_Study[B]":
        study = _Study(Game(model, perturbed), model.identity.multi_label)
        n_segments = len(perturbed.segments)
        if perturbed.question.free or perturbed.fault:
            return study
        if self._is_enumerated(n_segments):
            study.rule = enumerated(study.agreed(perturbed.masks), self.settings)
        else:
            random = np.random.RandomState(seed_for(seed, perturbed.document, self.name))
            study.begin(Search(n_segments, self.settings, random).run())
        return study

    def _row(self, study: "_Study[B]", one: Cut) -> Row:
        asked, rule = study.game.perturbed, study.rule
        if asked.question.free:
            message = "a free continuation is no label that could stay"
            return NotMeasurable(one.document.id, "no-label", message)
        if rule is None:
            return study.game.fault or not_finite(one.document)
        return Anchor(
            document_id=one.document.id,
            label=asked.question.labels[int(asked.values[0].argmax())],
            segmenter=one.segmenter,
            segments=one.segments,
            rule=rule.rule,
            precision=rule.precision,
            low=rule.low,
            high=rule.high,
            coverage=0.5 ** len(rule.rule),
            base_precision=rule.base_precision,
            n_samples=rule.n_samples,
            n_evaluations=len(asked.masks),
            stopped=rule.stopped,
        )


@plain(eq=False)
class _Study(Generic[B]):
    """One document, the search for its rule, and what that asks next."""

    game: Game[B]
    multi_label: bool
    search: Asking | None = None
    masks: np.ndarray | None = None
    rule: Rule | None = None

    def begin(self, search: Asking) -> None:
        self.search, self.masks = search, next(search)

    def advance(self) -> None:
        """Tells the search what it has asked; ends with a rule, or where the model has no answer."""
        if self.search is None or self.masks is None:
            return
        if self.game.fault:
            self.search = None
            return
        try:
            self.masks = self.search.send(self.agreed(self.masks))
        except StopIteration as end:
            self.search, self.rule = None, end.value

    def agreed(self, masks: np.ndarray) -> np.ndarray:
        """(N,) bool: whether the label stays that of the whole document."""
        values, whole = self.game.answer(masks), self.game.perturbed.values[0]
        label = int(whole.argmax())
        if self.multi_label:
            return np.asarray((values[:, label] >= HALF) == (whole[label] >= HALF))
        return np.asarray(values.argmax(axis=1) == label)


def _search(studies: Sequence[_Study[B]]) -> None:
    """All searches to their ends, what they ask in one stream."""
    while waiting := [(study, study.masks) for study in studies if study.search and study.masks is not None]:
        ask([(study.game, masks) for study, masks in waiting])
        for study, _ in waiting:
            study.advance()
