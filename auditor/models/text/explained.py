r"""What is explained of a language model, as a function of the embeddings of the prompt: with gradients.

With s_k = Σ_i ln p(c_ki | prompt, c_k<i) of K candidates, the probability of label j is softmax(s)_j, and its gradient
has a part of every candidate: all K are read behind each prompt, one after the other, the prompt's embeddings exchanged
in each. A free continuation has the mean of ln p(c_i | …) over its tokens. The continuations' own tokens stay what they
are. Whole logits are computed, of which the rows are taken that predict a continuation.
"""

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
import torch

from auditor.models.computing.head import of_logits
from auditor.models.inputs import Encoded, Pooling, Question, Sequences
from auditor.models.text.attending import Attending


class ExplainedContinuations(Attending):
    """Answers of a causal language model that have a gradient."""

    candidates: tuple[str, ...] | None
    _candidate_ids: tuple[tuple[int, ...], ...]

    @property
    @abstractmethod
    def _room(self) -> int:
        """Tokens a prompt may have, so that every continuation still fits."""

    @abstractmethod
    def probabilities(self, outputs: torch.Tensor, question: Question) -> torch.Tensor:
        """See `capabilities.Answers`."""

    def explained(self, texts: Sequence[Encoded], questions: Sequence[Question], labels: Sequence[int]) -> torch.Tensor:
        """Probability of one candidate behind each prompt, or the mean log-probability; see `DifferentiableModel`."""
        candidates = zip(*(question.continuations for question in questions), strict=True)
        scores = torch.stack([self._behind(texts, ids, mean=questions[0].free) for ids in candidates], dim=-1)  # B K
        chosen = torch.tensor(labels).to(scores.device, non_blocking=True)
        return self.probabilities(scores, questions[0]).gather(-1, chosen[:, None])[:, 0]

    def _behind(self, texts: Sequence[Encoded], ids: Sequence[tuple[int, ...]], *, mean: bool) -> torch.Tensor:
        """(B,) log-probabilities of a continuation of each prompt, all equally long: their sum or mean."""
        logits = self.logits([Encoded(text.ids + one[:-1]) for text, one in zip(texts, ids, strict=True)])
        rows = [[len(text.ids) - 1 + i for i in range(len(one))] for text, one in zip(texts, ids, strict=True)]
        at, targets = (torch.tensor(one).to(logits.device, non_blocking=True)[..., None] for one in (rows, ids))
        scores = of_logits(logits.take_along_dim(at, dim=1), targets)[..., 0]  # B n
        exact = scores.cpu() if scores.device.type == "mps" else scores  # which has no float64
        return exact.mean(-1) if mean else exact.sum(-1)

    def rehearsal(self, texts: Sequences) -> tuple[Sequences, list[Question], list[int]]:
        """The first candidate, or the first token again, behind those texts of the proof that leave room for it."""
        short = texts.take(np.flatnonzero(texts.lengths <= self._room))
        if self.candidates:
            return short, [Question(self.identity.labels, self._candidate_ids)] * len(short), [0] * len(short)
        questions = [Question(("continuation",), (text.ids[:1],), free=True) for text in short]
        return short, questions, [0] * len(short)

    @property
    def pooling(self) -> Pooling:
        """The last token of the prompt, which predicts the first one of each continuation."""
        return "last"

    def kinds_of(self, questions: Sequence[Question]) -> list[int] | None:
        """How long the free continuations are."""
        return [len(one.continuations[0]) for one in questions] if questions[0].free else None
