r"""Gradients of what a model answers with respect to the embeddings of its tokens, on a line from a baseline.

With e (T, D) the embeddings of a text, b (T, D) those of its baseline and f the answer that is explained, at α from 0
to 1

    x(α) = b + α (e − b)        g_t = ∂f/∂x_t at x(α), (D,)

and of each token ‖g_t‖₂, g_t·e_t, g_t·(e_t − b_t) and f(x(α)) leave the device, nothing else.

How. The model is called as for any text, with its token ids, while a hook on its layer of input embeddings exchanges
what that layer gives for x(α). `inputs_embeds` would hand over the same numbers and hide the ids, by which heads on
causal models find the last token of a padded text, RoBERTa counts its positions and ESM finds its masks. It is the
model as transformers built it: packed rows, a shortened last layer and GELU in one kernel are lifted, because they hand
out states among equal token ids (which different embeddings are not) and were proven for answers, not for gradients.
transformers then looks at its mask and positions in each call; for nothing else a batch waits for the device. Nothing
of the model stays changed: its weights are frozen only meanwhile, so that nothing is kept for gradients of theirs.

Proof, before the first are taken: at α = 1 the answer is the one without the exchange, and the gradients of texts in a
batch are those of each text alone, up to rounding; texts are put together in the fastest way for which this holds.

No gradient: quantised weights (a backward pass then gives the derivative of something else than the answer),
encoder-decoders (which read a text twice, once in each half), layers without a derivative, models that the exchange
changes. All of these say so; none gives zeros.

Precision: that of the weights. The answer's softmax is float64, since float32 rounds 1 − p of a sure answer to 0. In
float16 the answer is scaled by 2¹⁰ on the way back and the gradient by 2⁻¹⁰ (Micikevicius et al. 2018, section 3.2).

Agrees with captum's `Saliency`, `InputXGradient` and `LayerIntegratedGradients` of the same layer.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn.functional import pad
from transformers import PreTrainedModel

from auditor.errors import one_line
from auditor.models.computing.batched_model import BatchedModel
from auditor.models.computing.batching import Way, padded
from auditor.models.computing.precision import unrounded
from auditor.models.computing.proof import Truth, apart, close_in_most
from auditor.models.inputs import Encoded, NoGradientError, Points, Question, Sequences, UnreadableError
from auditor.records.proof import Proof

QUESTION = "gradients"
ZERO = -1
"""Stands in a baseline for the vector of zeros, which no token has."""
SHARE = 4
"""A backward pass keeps what every layer computed: batches have a quarter of the tokens of other ones."""
COLUMNS = ("norms", "inputs", "changes", "answers")


class DifferentiableModel(BatchedModel, ABC):
    """A model whose answers have a gradient."""

    @abstractmethod
    def explained(self, texts: Sequence[Encoded], questions: Sequence[Question], labels: Sequence[int]) -> torch.Tensor:
        """What the model says for one label of each text of a batch, (B,), as a function of the embeddings."""

    @abstractmethod
    def rehearsal(self, texts: Sequences) -> tuple[Sequences, list[Question], list[int]]:
        """Those texts of the proof that are asked about, a question about each, and the label that is compared."""

    @abstractmethod
    def kinds_of(self, questions: Sequence[Question]) -> list[int] | None:
        """Of each question; texts of different kinds are never put together."""


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """For each of D texts the line on which its gradients are taken, and what is asked about it."""

    texts: Sequences
    baselines: Sequence[Sequence[int]]
    """Token ids of each baseline, as many as the text has; `ZERO` for zeros."""
    questions: Sequence[Question]


class GradientReader:
    """Takes the gradients of one model."""

    def __init__(self, model: DifferentiableModel) -> None:
        self._model = model
        self._budget = max(1, model.batcher.budget // SHARE)
        self._proven: tuple[Truth, Way | NoGradientError] | None = None
        """By which truth which way was proven, or why there are none; another truth needs another proof."""

    def read(self, lines: Lines, points: Points) -> dict[str, np.ndarray]:
        """The `COLUMNS`, (ΣT,) float64 each, point by point, token by token.

        Raises:
            NoGradientError: The model has no gradients.
            UnreadableError: The model fails on one of the texts.
        """
        self._model.require_proof(lines.texts)
        columns = self._read(lines, points, self._way()).double().numpy()
        return dict(zip(COLUMNS, columns.T, strict=True))

    def _way(self) -> Way:
        truth = self._model.truth
        if self._proven is None or self._proven[0] is not truth:
            self._proven = truth, self._prove()
        if isinstance(self._proven[1], NoGradientError):
            raise self._proven[1]
        return self._proven[1]

    def _read(self, lines: Lines, points: Points, way: Way) -> torch.Tensor:
        """(ΣT, 4) on the host."""
        of_points = points.documents.tolist()
        lengths = lines.texts.lengths[points.documents].tolist()
        kinds = self._model.kinds_of([lines.questions[i] for i in of_points])

        def forward(batch: list[int]) -> list[torch.Tensor]:
            with self._model.reading([lengths[i] for i in batch], gradients=True):
                return [self._reduced(lines, points, batch)]

        with self._asking(way), self._model.stock.as_built(), frozen(self._model.model):
            columns = self._model.batcher.padded(lengths, forward, way=way, kinds=kinds, rows=lengths)[0]
        self._model.batcher.n_gradients += len(lengths)
        return columns

    def _reduced(self, lines: Lines, points: Points, batch: list[int]) -> torch.Tensor:
        """(ΣT, 4) of one batch, on the device."""
        model, device = self._model, self._model.device
        of_batch = points.documents[batch].tolist()
        texts = [lines.texts[i] for i in of_batch]
        ids, mask = padded([text.ids for text in texts], 0, device)
        valid = torch.ones_like(ids, dtype=torch.bool) if mask is None else mask.bool()
        embedded, base = (
            self._embedded(ids),
            self._embedded(padded([lines.baselines[i] for i in of_batch], 0, device)[0]),
        )
        positions = torch.from_numpy(points.positions[batch]).to(embedded.dtype).to(device, non_blocking=True)
        at = torch.lerp(base, embedded, positions[:, None, None]).requires_grad_()
        with exchanged(model.model, at, valid):
            questions = [lines.questions[i] for i in of_batch]
            answers = model.explained(texts, questions, points.labels[batch].tolist())
        with unrounded(device):
            scale = 2.0**10 if model.model.dtype == torch.float16 else 1.0
            gradient = torch.autograd.grad(answers.sum() * scale, at)[0] / scale  # B T D
            columns = (gradient.norm(dim=-1), (gradient * embedded).sum(-1), (gradient * (embedded - base)).sum(-1))
            answered = answers.detach().to(device, embedded.dtype)[:, None].expand_as(columns[0])
            return torch.stack([*columns, answered], dim=-1).flatten(0, 1)[self._flat(texts)]

    def _embedded(self, ids: torch.Tensor) -> torch.Tensor:
        """(B, T, D) float32, or float64 where the weights are; zeros for `ZERO`."""
        vectors: torch.Tensor = self._model.model.get_input_embeddings()(ids.clamp(min=0))
        vectors = vectors.detach().to(ids.device) * (ids != ZERO)[..., None]
        return vectors if vectors.dtype == torch.float64 else vectors.float()

    def _flat(self, texts: Sequence[Encoded]) -> torch.Tensor:
        """Where the tokens of the texts stand in a padded batch, row by row."""
        longest = max(len(text.ids) for text in texts)
        places = np.concatenate([np.arange(len(text.ids)) + i * longest for i, text in enumerate(texts)])
        return torch.from_numpy(places).to(self._model.device, non_blocking=True)

    @contextmanager
    def _asking(self, way: Way) -> Iterator[None]:
        """Fills batches that way, under a budget of their own, while the block runs."""
        model, batcher = self._model, self._model.batcher
        before, model.way = (model.way, batcher.budget), way
        batcher.budget = self._budget
        try:
            yield
        finally:
            self._budget = batcher.budget
            model.way, batcher.budget = before

    def _prove(self) -> Way | NoGradientError:
        """The fastest way that gives the gradients of a text alone, or why there is none."""
        if reason := _without_gradient(self._model):
            return NoGradientError(reason)
        texts, questions, labels = self._model.rehearsal(self._model.truth.texts)
        lines = Lines(texts, [text.ids for text in texts], questions)
        points = Points(np.arange(len(texts)), np.array(labels), np.ones(len(texts)))
        with self._model.batcher.uncounted():
            try:
                alone = self._read(lines, points, Way.ALONE)
                plain = self._plain(lines, labels)
            except UnreadableError as fault:
                kind, cause = self._model.kind, one_line(fault.__cause__ or fault)
                return NoGradientError(f"a model of type {kind} gives no gradient at its input embeddings: {cause}")
            return self._fastest(lines, points, alone, plain)

    def _fastest(self, lines: Lines, points: Points, alone: torch.Tensor, plain: torch.Tensor) -> Way | NoGradientError:
        """The first way that gives these gradients, if they are those of these answers."""
        kind, first = self._model.kind, torch.from_numpy(lines.texts.starts)
        if not torch.isfinite(alone).all():
            return NoGradientError(f"a model of type {kind} has gradients that are no numbers")
        if not self._model.close(alone[first, 3:], plain[:, None]):
            return NoGradientError(f"a model of type {kind} answers otherwise when its input embeddings are exchanged")
        self._model.batcher.padding = float("inf")
        for way in (*(way for way in self._model.ways if way is not Way.ALONE), Way.ALONE):
            try:
                given = self._read(lines, points, way)
            except UnreadableError:
                continue
            if close_in_most(given, alone, self._model.model.dtype):
                self._model.proofs[QUESTION] = self._proof(lines.texts, way, float(apart(given, alone).max()))
                return way
        return NoGradientError(f"a model of type {kind} does not give the same gradients for the same text twice")

    def _plain(self, lines: Lines, labels: Sequence[int]) -> torch.Tensor:
        """(D,) the answers of each text alone, without any exchange."""
        answers = []
        with self._asking(Way.ALONE), self._model.stock.as_built():
            for text, question, label in zip(lines.texts, lines.questions, labels, strict=True):
                with self._model.reading([len(text.ids)]):
                    answers.append(self._model.explained([text], [question], [label]).cpu())
        return torch.cat(answers)

    def _proof(self, texts: Sequences, way: Way, difference: float) -> Proof:
        name, reset, longest = self._model.identity.name, self._model.truth.reset, int(texts.lengths.max())
        return Proof(name, QUESTION, way, None, way, difference, "gradient", len(texts), longest, reset)


def _without_gradient(model: DifferentiableModel) -> str | None:
    """Why a model has no gradients, as far as that is known beforehand."""
    if getattr(model.model, "is_quantized", False):
        return "the weights are quantised: a backward pass gives the derivative of something else than the answer"
    if model.model.config.is_encoder_decoder:
        return f"a model of type {model.kind} reads a text twice, in its encoder and in its decoder"
    return None


@contextmanager
def frozen(model: nn.Module) -> Iterator[None]:
    """While the block runs, no weight of the model has a gradient."""
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    for weight in weights:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight in weights:
            weight.requires_grad_(True)


@contextmanager
def exchanged(model: PreTrainedModel, points: torch.Tensor, valid: torch.Tensor) -> Iterator[None]:
    """While the block runs, a model's input embeddings are these at the tokens that are valid, its own elsewhere.

    Args:
        model: A model of transformers; each call must read its input embeddings once.
        points: (B, T, D) for the first T tokens of each text of the batch.
        valid: (B, T) bool.

    Raises:
        ValueError: The model did not read its input embeddings, or not once.
    """
    n_read: list[int] = []

    def exchange(_: nn.Module, __: object, output: torch.Tensor) -> torch.Tensor:
        n_read.append(1)
        room = output.shape[1] - points.shape[1]
        if len(output) != len(points) or room < 0:
            raise ValueError(f"input embeddings of shape {tuple(output.shape)}, expected {tuple(points.shape)}")
        at, where = pad(points, (0, 0, 0, room)).to(output), pad(valid, (0, room)).to(output.device)
        return torch.where(where[..., None], at, output)

    n_called: list[int] = []
    hooks = [
        model.get_input_embeddings().register_forward_hook(exchange),
        model.register_forward_hook(lambda *_: n_called.append(1)),
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
    if len(n_read) != len(n_called):
        raise ValueError(f"in {len(n_called)} calls the input embeddings were read {len(n_read)} times")
