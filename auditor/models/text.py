"""What every adapter of a text model shares: tokens with their places, states, attention, packing, padding."""

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import numpy as np
import torch
from torch.nn.modules.conv import _ConvNd
from transformers import BatchEncoding, PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

from auditor.models.assembly import Assembler, Place
from auditor.models.attention import STATISTICS, Collector, collecting
from auditor.models.batching import Batcher, padded
from auditor.models.contract import Encoded, HeadMaps, HeadStatistics, Identity, Sequences, Text, Tokens
from auditor.models.layout import Packer, Rows, layout
from auditor.models.masks import nothing
from auditor.models.outer_layers import shorten
from auditor.models.packing import IMPLEMENTATION, Packing, packed
from auditor.models.precision import computing
from auditor.models.special_tokens import SpecialTokens
from auditor.records.types import Document, Segment, Span

MISFITS = (RuntimeError, ValueError, TypeError, IndexError, AttributeError, NotImplementedError)
"""What a model may raise that is called in a way it was not made for."""
Head = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Turns states (R, D) into (R, …); also gets which of all wanted rows they are, (R,)."""


@dataclass
class TextModel:
    """A text model on its device, with its tokenizer."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    identity: Identity
    batcher: Batcher
    packs: bool = field(default=False, init=False)
    """Whether packed batches are proven to give what the model gives alone."""

    def __post_init__(self) -> None:
        self.model.config.use_cache = False
        self._assembler = Assembler(self.tokenizer)
        self._special_tokens = SpecialTokens(self.tokenizer)
        self._prepare_packing()

    @property
    def device(self) -> torch.device:
        """Where the model's inputs go: to its first weights that are on a device at all (see `device_map`)."""
        return next((own.device for own in self.model.parameters() if not own.is_meta), torch.device("cpu"))

    def computing(self) -> AbstractContextManager[None]:
        """What every forward pass runs in; see `auditor.models.precision`."""
        return computing(self.device, self.model.dtype)

    @property
    def causal(self) -> bool:
        """Whether no token sees those behind it; see `contract.Attends`."""
        return self._causal

    @property
    def prefix(self) -> tuple[int, str] | None:
        """BOS, else EOS, else None; what stands for a text without tokens."""
        for token_id in (self.tokenizer.bos_token_id, self.tokenizer.eos_token_id):
            if token_id is not None:
                return int(token_id), str(self.tokenizer.convert_ids_to_tokens(int(token_id)))
        return None

    def special_tokens(self, texts: Sequence[Text]) -> list[tuple[str, ...]]:
        """Special tokens that stand in the texts literally; see `contract.Reads`."""
        return self._special_tokens.literal(texts)

    def tokens(self, texts: Sequence[Text]) -> list[Tokens]:
        """Tokens with their places; see `contract.Attends`."""
        batch = self.tokenize(texts)
        return [self._places(batch, i, text) for i, text in enumerate(texts)]

    def read(self, sequences: Sequences, rows: Sequence[Sequence[int]], head: Head) -> torch.Tensor:
        """Reads the base model's last hidden states at some positions of each text.

        Args:
            sequences: B texts.
            rows: For each text, the positions whose states are wanted; R in all.
            head: What is made of the states, batch by batch, on the device.

        Returns:
            (R, …) what `head` returned, on the host, text by text.
        """
        wanted = Rows.listed(rows)

        def forward(batch: list[int], states: torch.Tensor) -> torch.Tensor:
            return head(states, torch.from_numpy(wanted.of(batch)).to(self.device, non_blocking=True))

        if self._fits(sequences):

            def packed_forward(batch: list[int], packing: Packing) -> torch.Tensor:
                states = self.model.base_model(**packing.arguments).last_hidden_state.to(self.device)
                return forward(batch, states[:, 0] if packing.one_each and self._short else states[0, packing.rows])

            return self._packed(sequences, wanted, packed_forward)

        def padded_forward(batch: list[int]) -> list[torch.Tensor]:
            texts = [sequences[i] for i in batch]
            places = [(b, position) for b, i in enumerate(batch) for position in rows[i]]
            at = torch.tensor(places).to(self.device, non_blocking=True)
            with self.computing():
                return [forward(batch, self.states(texts)[at[:, 0], at[:, 1]])]

        lengths = sequences.lengths.tolist()
        return self.batcher.padded(lengths, padded_forward, rows=wanted.counts.tolist())[0]

    def _packed(
        self,
        sequences: Sequences,
        rows: Rows,
        forward: Callable[[list[int], Packing], torch.Tensor],
    ) -> torch.Tensor:
        """Packed batches of texts; `forward` returns a row for each wanted state, or for each text."""
        plan = layout(sequences, causal=self._causal)

        def one(batch: list[int]) -> list[torch.Tensor]:
            packing = self._packer.pack(sequences, batch, rows, plan.shared)
            with self.computing(), packed(packing):
                return [forward(batch, packing)]

        lengths = sequences.lengths.tolist()
        return self.batcher.packed(plan.order, plan.costs, lengths, one, rows.counts.tolist())[0]

    def attention(self, tokens: Sequence[Tokens], punctuation: Sequence[Sequence[bool]]) -> list[HeadStatistics]:
        """Statistics of all heads over each text; see `contract.Attends`."""
        lengths = [len(text.encoded.ids) for text in tokens]
        if not all(lengths):
            raise ValueError("a text without a single token has no attention")
        longest = max(lengths)
        causal = True

        def forward(batch: list[int]) -> list[torch.Tensor]:
            nonlocal causal
            texts = [tokens[i].encoded for i in batch]
            collector = Collector(
                valid=self._flags([[True] * len(text.ids) for text in texts]),
                special=self._flags([tokens[i].special for i in batch]),
                punctuation=self._flags([punctuation[i] for i in batch]),
            )
            with self.computing(), collecting(self.model, collector):
                self.states(texts)
            statistics, received = collector.result(self.model.config.num_hidden_layers, self.identity.name)
            causal = causal and collector.causal
            return [statistics, torch.nn.functional.pad(received, (0, longest - received.shape[1]))]

        statistics, received = (t.numpy() for t in self.batcher.padded(lengths, forward))
        return [
            HeadStatistics(dict(zip(STATISTICS, statistics[i], strict=True)), received[i, :length], causal)
            for i, length in enumerate(lengths)
        ]

    def attention_maps(self, tokens: Sequence[Tokens], n_keys: int) -> list[HeadMaps]:
        """The heaviest keys of all heads, one text at a time; see `contract.Attends`."""
        found = [self._mapped(text, n_keys) for text in tokens]
        return [
            HeadMaps(keys.cpu().numpy(), weights.cpu().numpy(), kept.cpu().numpy()) for keys, weights, kept in found
        ]

    def _mapped(self, text: Tokens, n_keys: int) -> tuple[torch.Tensor, ...]:
        n_tokens = len(text.encoded.ids)
        everything = self._flags([[True] * n_tokens])
        collector = Collector(everything, everything, everything, n_keys)
        with self.computing(), collecting(self.model, collector):
            self.states([text.encoded])
        collector.result(self.model.config.num_hidden_layers, self.identity.name)
        self.batcher.n_batches += 1
        self.batcher.n_tokens += n_tokens
        self.batcher.n_computed += n_tokens
        layers = [(one.keys.flatten(0, 1), one.weights.flatten(0, 1), one.kept.flatten(0, 1)) for one in collector.maps]
        keys, weights, kept = (torch.stack(column) for column in zip(*layers, strict=True))
        return keys, weights, kept.mean(-1)

    def assemble(self, document: Document, segments: Sequence[Segment], keep: np.ndarray) -> Sequences | None:
        """Token ids of perturbed texts; see `contract.Classifies` and `auditor.models.assembly`."""
        texts, places = self._placed(document, segments)
        found = self._assembler.assemble(texts, self._places(self.tokenize([texts]), 0, texts), places, keep)
        return None if found is None else self._readable(found)

    def _readable(self, sequences: Sequences) -> Sequences:
        """The texts, with the prefix token in place of each that has no token at all; see `contract.Classifies`."""
        if sequences.lengths.all():
            return sequences
        if self.prefix is None:
            raise ValueError("nothing is left of a text, and the tokenizer has no first or last token to stand for it")
        return sequences.with_stand_in(self.prefix[0])

    def _placed(self, document: Document, segments: Sequence[Segment]) -> tuple[Text, list[Place]]:
        """What the tokenizer gets of a document, and where the segments stand in it."""
        places = [
            Place(span.start, span.stop, i, span.field == "pair")
            for i, one in enumerate(segments)
            for span in one.spans
        ]
        return (document.text, document.pair), places

    def tokenize(self, texts: Sequence[Text], *, special: bool = True, cut: bool = True) -> BatchEncoding:
        """The tokenizer's answer, with offsets; cut to what the model can see unless told otherwise."""
        pairs = [pair or "" for _, pair in texts] if any(pair is not None for _, pair in texts) else None
        return self.tokenizer(
            [text for text, _ in texts],
            pairs,
            add_special_tokens=special,
            truncation=cut,
            max_length=self.identity.max_length if cut else None,
            return_offsets_mapping=True,
            return_special_tokens_mask=True,
            verbose=False,
        )

    def encoded(self, batch: BatchEncoding, index: int) -> Encoded:
        """One text of a tokenised batch, as plain values."""
        own = batch.encodings[index]
        type_ids = tuple(own.type_ids) if "token_type_ids" in self.tokenizer.model_input_names else ()
        return Encoded(tuple(own.ids), type_ids, bool(own.overflowing))

    def arguments(self, texts: Sequence[Encoded]) -> dict[str, torch.Tensor | None]:
        """What the model is called with for a padded batch, on the device."""
        ids, mask = padded([text.ids for text in texts], max(self.model.config.pad_token_id or 0, 0), self.device)
        found = {"input_ids": ids, "attention_mask": mask}
        if texts[0].type_ids:
            found["token_type_ids"] = padded([text.type_ids for text in texts], 0, self.device)[0]
        return found

    def states(self, texts: Sequence[Encoded]) -> torch.Tensor:
        """The base model's last hidden states of a padded batch, (B, T, D)."""
        arguments = self.arguments(texts)
        if arguments["attention_mask"] is None and self._masks and max(len(t.ids) for t in texts) <= self._longest:
            arguments["attention_mask"] = nothing(self.device)
        states: torch.Tensor = self.model.base_model(**arguments).last_hidden_state
        return states.to(self.device)

    def _prepare_packing(self) -> None:
        """Finds out whether packed batches give what the model gives alone, and uses them if they do."""
        base = self.model.base_model
        kinds = {bool(module.is_causal) for module in base.modules() if hasattr(module, "is_causal")}
        self._causal = kinds == {True}
        self._masks = self._short = False
        self._longest = self.identity.max_length
        config = self.model.config.get_text_config()
        if len(kinds) != 1 or self.model.config._attn_implementation != "sdpa" or mixes_otherwise(base, config):
            return
        windows = (getattr(config, name, None) for name in _WINDOWS)
        self._longest = min([self.identity.max_length, *(w for w in windows if isinstance(w, int) and w > 0)])
        self.model.set_attn_implementation(IMPLEMENTATION)
        n_short = 0 if self._causal else shorten(self.model)
        self._short = n_short > 0
        finds_equal = n_short > 1 and self.device.type == "cpu"
        self._packer = Packer(self.device, first_position(base), max(config.pad_token_id or 0, 0), finds_equal)
        self.packs = self._masks = self._is_proven()

    def _is_proven(self) -> bool:
        """Whether states packed, and padded with the mask that stands for none, are those of the plain way."""
        lengths = self.proof.lengths.tolist()
        with self.batcher.uncounted():
            try:
                for rows in ([[n - 1] for n in lengths], [range(n) for n in lengths]):
                    found = []
                    for self.packs, self._masks in ((False, False), (False, True), (True, True)):
                        found.append(self.read(self.proof, rows, lambda states, _: states.float()))
                    if not all(self.close(own, found[0]) for own in found[1:]):
                        return False
            except MISFITS:
                return False
        return True

    @property
    def proof(self) -> Sequences:
        """Texts on which every faster way must give what the model gives when it is called in the plain way."""
        batch = self.tokenize([(text, None) for text in _PROOF])
        texts = [self.encoded(batch, i) for i in range(len(_PROOF))]
        return Sequences.of([Encoded(t.ids[: self._longest], t.type_ids[: self._longest]) for t in texts])

    def close(self, found: torch.Tensor, wanted: torch.Tensor) -> bool:
        """Whether two results (R, D) differ by rounding only.

        In no row may √mean_c (d_c / s_c)² be more than a small number; d_c is the difference in channel c, s_c the RMS
        of that channel over all rows, or the median of these over all channels where that is larger. So neither a few
        channels of large values nor the rows that agree hide a difference.
        """
        if found.shape != wanted.shape:
            return False
        found, wanted = found.float(), wanted.float()
        usual = wanted.square().mean(0).sqrt()
        scale = usual.clamp(min=max(float(usual.median()), torch.finfo(torch.float32).tiny))
        apart = ((found - wanted) / scale).square().mean(-1).sqrt()
        return bool((apart <= _ROUNDING.get(self.model.dtype, 1e-4)).all())

    def _fits(self, sequences: Sequences) -> bool:
        return self.packs and int(sequences.lengths.max()) <= self._longest

    def _places(self, batch: BatchEncoding, index: int, text: Text) -> Tokens:
        own = batch.encodings[index]
        fields = ["pair" if s == 1 else "text" for s in own.sequence_ids]
        special = tuple(bool(flag) for flag in own.special_tokens_mask)
        spans = tuple(Span(start, stop, name) for (start, stop), name in zip(own.offsets, fields, strict=True))
        sources = {"text": text[0], "pair": text[1] or ""}
        texts = tuple(
            name if is_special else sources[span.field][span.start : span.stop]
            for name, is_special, span in zip(own.tokens, special, spans, strict=True)
        )
        return Tokens(self.encoded(batch, index), texts, spans, special)

    def _flags(self, rows: Sequence[Sequence[bool]]) -> torch.Tensor:
        return padded([[int(flag) for flag in row] for row in rows], 0, self.device)[0]


_WINDOWS = ("sliding_window", "local_attention", "attention_chunk_size", "attention_window")
"""Names under which configurations say that a layer sees only so many tokens around each."""
_PROOF = (
    "The film was good.",
    "The film was not good at all, and long.",
    "A film",
    "No: 12 people left.",
    "A film",
    "The film was good.",
)
"""Enough of them begin alike or are alike for what is computed once and handed out to be part of the proof."""


_ROUNDING = {torch.bfloat16: 0.1, torch.float16: 0.02}
"""What rounding may do to a result, see `TextModel.close`."""
_PLAIN_LAYERS = {"attention", "full_attention", "sliding_attention", "chunked_attention"}
_MIXERS = re.compile("mamba|recurren|deltanet|lightning|linear_?att|shortconv|rwkv|retention", re.IGNORECASE)
"""Names of modules that hand states from token to token in another way than by attention."""


def mixes_otherwise(base: torch.nn.Module, config: PretrainedConfig) -> bool:
    """Whether tokens see each other through anything but plain attention: convolution, recurrence, linear attention.

    Packed texts would then leak into each other, at the borders only, which rounding in half precision can hide.
    """
    if not _PLAIN_LAYERS.issuperset(getattr(config, "layer_types", None) or ()):
        return True
    return any(
        isinstance(module, _ConvNd | torch.nn.RNNBase) or _MIXERS.search(type(module).__name__)
        for module in base.modules()
    )


def first_position(base: torch.nn.Module) -> int:
    """Number of the first position: RoBERTa-like models begin behind their padding index."""
    for module in base.modules():
        if hasattr(module, "create_position_ids_from_input_ids"):
            return int(module.padding_idx) + 1  # type: ignore[arg-type]
    return 0
