"""A model on its device that is asked about many texts at once: token ids in, states and logits out.

It knows no tokenizer and no task. What is asked of the model, and what is made of its logits, is said by the adapters
that are built on it (`auditor.models.text`); which way of asking is right is proven, see
`auditor.models.computing.proof`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, ClassVar

import torch
from transformers import PreTrainedModel

from auditor.errors import AuditorError, one_line
from auditor.models.computing.activations import fused
from auditor.models.computing.architecture import first_position, mixes_otherwise, windows
from auditor.models.computing.batching import Batcher, Way, padded
from auditor.models.computing.device_loss import lost_device_told
from auditor.models.computing.layout import Packer, Rows, layout
from auditor.models.computing.masks import nothing
from auditor.models.computing.outer_layers import shortened
from auditor.models.computing.packing import IMPLEMENTATION, Packing, packed
from auditor.models.computing.patching import Attention
from auditor.models.computing.precision import HALF, computing
from auditor.models.computing.proof import Truth, close
from auditor.models.computing.state import Snapshot
from auditor.models.computing.stock import Stock, takes
from auditor.models.inputs import Encoded, Identity, Sequences, UnreadableError
from auditor.records.proof import Proof

Head = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Turns states (R, D) into (R, …); also gets which of all wanted rows they are, (R,)."""


class BatchedModel(ABC):
    """A model, and the fastest ways of asking it that are proven. One thread at a time may ask it.

    Attributes:
        way: How texts are put into batches that are not packed.
        packable: Whether packed batches come into question.
        packs: Whether texts of up to `limit` tokens are packed.
        limit: The most tokens of a packed text.
        fast: How packed texts are answered.
        masks: Whether texts of equal length may be read with the mask that stands for none.
        maskless: Whether they may be asked about without any mask.
        compiles: Whether to compile the model.
        causal: Whether no token sees those behind it; see `capabilities.Attends`.
        proofs: What was shown, by question; see `auditor.models.computing.proof`.
        truth: What the model says about each text of the proof alone.
    """

    question_asked: ClassVar[str]
    """What `answers` gives, in words."""
    unit: ClassVar[str]
    """Of `difference`."""
    tolerance: ClassVar[float]
    """The greatest difference that rounding of float32 may make."""

    model: PreTrainedModel
    identity: Identity
    batcher: Batcher
    compiles: bool
    stock: Stock
    body: torch.nn.Module
    truth: Truth
    proofs: dict[str, Proof]
    limit: int
    causal: bool = False
    way: Way = Way.PADDED
    packable: bool = False
    packs: bool = False
    fast: Callable[[Sequences], torch.Tensor] | None = None
    masks: bool = False
    maskless: bool = True
    _short: bool = False
    """Whether the last layer of packed batches computes one state of each text."""

    def prepare_model(self) -> None:
        """Finds out how the model can be asked; called once, before anything is asked."""
        self.model.config.use_cache = False
        self.stock = Stock(self.model)
        self.proofs = {}
        self._is_tuned = False
        self.reset_between_texts(())

    @property
    @abstractmethod
    def proof_texts(self) -> Sequences:
        """The texts of the proof."""

    @abstractmethod
    def require_proof(self, sequences: Sequences) -> None:
        """Proves the ways of asking on longer texts, if some of these are longer than all before.

        Raises:
            ModelError: The model does not answer a text alike when it is asked twice.
        """

    @abstractmethod
    def of_logits(self, text: Encoded, logits: torch.Tensor) -> torch.Tensor:
        """What `answers` should say, (r, C), from the logits of a text of the proof that the model read alone."""

    @abstractmethod
    def answers(self, texts: Sequences) -> torch.Tensor:
        """The answers to the texts of the proof, not packed, on the host."""

    @property
    @abstractmethod
    def packed_ways(self) -> Sequence[Callable[[Sequences], torch.Tensor]]:
        """Ways in which packed texts can be answered, best first."""

    def difference(self, given: torch.Tensor, expected: torch.Tensor) -> float:
        """The greatest difference between two answers, in `unit`."""
        return float((given - expected).abs().max())

    def is_right(self, given: torch.Tensor, expected: torch.Tensor) -> bool:
        """Whether answers are the true ones up to rounding."""
        is_half = self.model.dtype in HALF
        return self.close(given, expected) and (is_half or self.difference(given, expected) <= self.tolerance)

    def close(self, given: torch.Tensor, expected: torch.Tensor) -> bool:
        """Whether two results differ by rounding only; see `auditor.models.computing.proof`."""
        return close(given, expected, self.model.dtype)

    @property
    def ways(self) -> Sequence[Way]:
        """The candidate ways without packing, fastest first.

        Where tokens meet outside of attention, padding may reach them by so little that half precision hides it.
        """
        leaks = self.model.dtype in HALF and mixes_otherwise(self.model, self.model.config.get_text_config())
        together = [Way.PADDED] if takes(self.model, "attention_mask") and not leaks else []
        return [*together, Way.EQUAL, Way.ALONE]

    @property
    def device(self) -> torch.device:
        """Where the model's inputs go: to its first weights that are on a device at all (see `device_map`)."""
        return next((weight.device for weight in self.model.parameters() if not weight.is_meta), torch.device("cpu"))

    @property
    def kind(self) -> str:
        """What transformers calls models of this type."""
        return str(self.model.config.model_type)

    @contextmanager
    def computing(self, *, gradients: bool = False) -> Iterator[None]:
        """The context of every forward pass: the precision of `precision`, the state of the model reset.

        Raises:
            DeviceLostError: The device cannot be used by this process any more.
        """
        with lost_device_told():
            self._snapshot.restore()
            with computing(self.device, self.model.dtype, gradients=gradients):
                yield

    @contextmanager
    def reading(self, lengths: Sequence[int], *, gradients: bool = False) -> Iterator[None]:
        """`computing`, for texts of so many tokens.

        Raises:
            UnreadableError: The model raises anything but the want of memory.
        """
        try:
            with self.computing(gradients=gradients):
                yield
        except (AuditorError, torch.OutOfMemoryError):
            raise
        except Exception as fault:
            texts = f"a text of {lengths[0]} tokens" if len(lengths) == 1 else f"{len(lengths)} texts"
            raise UnreadableError(
                f"the model itself (type {self.kind}) cannot read {texts}: {one_line(fault)}"
            ) from fault

    def read(self, sequences: Sequences, rows: Sequence[Sequence[int]], head: Head) -> torch.Tensor:
        """Reads the body's last hidden states at some positions of each text.

        Args:
            sequences: B texts.
            rows: For each text, the positions whose states are wanted; R in all.
            head: What is made of the states, batch by batch, on the device.

        Returns:
            (R, …) what `head` returned, on the host, text by text.

        Raises:
            UnreadableError: The model cannot read one of them.
        """
        self.require_proof(sequences)
        positions = Rows.listed(rows)
        lengths = sequences.lengths.tolist()

        def forward(batch: list[int], states: torch.Tensor) -> torch.Tensor:
            return head(states, torch.from_numpy(positions.of(batch)).to(self.device, non_blocking=True))

        if self._fits(sequences):

            def packed_forward(batch: list[int], packing: Packing) -> torch.Tensor:
                states = self.body(**packing.arguments).last_hidden_state.to(self.device)
                return forward(batch, states[:, 0] if packing.one_each and self._short else states[0, packing.rows])

            return self.packed(sequences, positions, packed_forward)

        def padded_forward(batch: list[int]) -> list[torch.Tensor]:
            places = [(b, position) for b, i in enumerate(batch) for position in rows[i]]
            at = torch.tensor(places).to(self.device, non_blocking=True)
            with self.reading([lengths[i] for i in batch]):
                return [forward(batch, self.states([sequences[i] for i in batch])[at[:, 0], at[:, 1]])]

        return self.batcher.padded(lengths, padded_forward, way=self.way, rows=positions.counts.tolist())[0]

    def packed(
        self,
        sequences: Sequences,
        rows: Rows,
        forward: Callable[[list[int], Packing], torch.Tensor],
    ) -> torch.Tensor:
        """Packed batches of texts; `forward` returns a row for each wanted state, or for each text."""
        plan = layout(sequences, causal=self.causal)
        lengths = sequences.lengths.tolist()

        def one(batch: list[int]) -> list[torch.Tensor]:
            packing = self._packer.pack(sequences, batch, rows, plan.shared)
            with self.reading([lengths[i] for i in batch]), packed(packing):
                return [forward(batch, packing)]

        return self.batcher.packed(plan.order, plan.costs, lengths, one, rows.counts.tolist())[0]

    def arguments(self, texts: Sequence[Encoded]) -> dict[str, torch.Tensor]:
        """What the model is called with for a batch, on the device; without a mask where none is needed."""
        if self.way is Way.ALONE:
            return self.stock.arguments(texts[0], self.device)
        ids, mask = padded([text.ids for text in texts], max(self.model.config.pad_token_id or 0, 0), self.device)
        arguments = {"input_ids": ids}
        if mask is not None or not self.maskless:
            arguments["attention_mask"] = torch.ones_like(ids) if mask is None else mask
        if texts[0].type_ids:
            arguments["token_type_ids"] = padded([text.type_ids for text in texts], 0, self.device)[0]
        return arguments

    def states(self, texts: Sequence[Encoded]) -> torch.Tensor:
        """The body's last hidden states of a batch, (B, T, D)."""
        if self.way is Way.ALONE:
            with self.stock.as_built():
                states, _ = self.stock.ask(self.arguments(texts))
            if states is None:
                raise AttributeError("no part of the model gives last hidden states")
            return states[None]
        arguments = self.arguments(texts)
        if self.masks and "attention_mask" not in arguments and max(len(t.ids) for t in texts) <= self.limit:
            arguments["attention_mask"] = nothing(self.device)
        read: torch.Tensor = self.body(**arguments).last_hidden_state.to(self.device)
        return read

    @contextmanager
    def asking(self, way: Way) -> Iterator[None]:
        """Fills batches that way while the block runs; one text at a time as `EQUAL`, since it keeps its changes."""
        before, self.way = self.way, Way.EQUAL if way is Way.ALONE else way
        try:
            yield
        finally:
            self.way = before

    def logits(self, texts: Sequence[Encoded]) -> torch.Tensor:
        """The logits of a batch as the whole model gives them, on the device."""
        with self.stock.as_built() if self.way is Way.ALONE else nullcontext():
            logits: torch.Tensor = self.model(**self.arguments(texts)).logits
        return logits.to(self.device)

    def stock_arguments(self, text: Encoded) -> dict[str, Any]:
        """What the tokenizer would hand to the model for one text of a proof."""
        return self.stock.arguments(text, self.device)

    def reset_between_texts(self, classes: Sequence[str]) -> None:
        """Resets modules of these classes before every forward pass from now on: they keep state between texts."""
        self._snapshot = Snapshot(self.model, classes)

    def tune(self) -> None:
        """Exchanges what can be computed faster, once, and finds out what comes into question for this model."""
        if self._is_tuned:
            return
        self._is_tuned = True
        self.stock.changes.add(*fused(self.model))
        self.body = self.stock.body
        kinds = {bool(module.is_causal) for module in self.body.modules() if hasattr(module, "is_causal")}
        self.causal = kinds == {True}
        config = self.model.config.get_text_config()
        self.limit = min([self.identity.max_length, *windows(config)])
        routed = len(kinds) == 1 and self.model.config._attn_implementation == "sdpa"
        self.packable = routed and not mixes_otherwise(self.body, config)
        if self.packable:
            self._tune_packed_batches(max(config.pad_token_id or 0, 0))

    def _tune_packed_batches(self, pad: int) -> None:
        layers = [] if self.causal else shortened(self.model)
        self.stock.changes.add(Attention(self.model, IMPLEMENTATION), *layers)
        self._short = bool(layers)
        finds_equal = len(layers) > 1 and self.device.type == "cpu"
        self._packer = Packer(self.device, first_position(self.body), pad, finds_equal)

    def _fits(self, sequences: Sequences) -> bool:
        return self.packs and int(sequences.lengths.max()) <= self.limit
