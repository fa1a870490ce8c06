"""What every adapter of a text model shares: tokens with their places, attention, padding."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers import BatchEncoding, PreTrainedModel, PreTrainedTokenizerBase

from auditor.models.attention import STATISTICS, Collector, collecting
from auditor.models.batching import Batcher, padded
from auditor.models.contract import Encoded, HeadStatistics, Identity, Text, Tokens
from auditor.records.types import Span


@dataclass
class TextModel:
    """A text model on its device, with its tokenizer."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    identity: Identity
    batcher: Batcher

    def __post_init__(self) -> None:
        self.model.config.use_cache = False

    @property
    def device(self) -> torch.device:
        """Where the model lies."""
        place: torch.device = self.model.device
        return place

    def tokens(self, texts: Sequence[Text]) -> list[Tokens]:
        """Tokens with their places; see `contract.Attends`."""
        batch = self.tokenize(texts)
        return [self._places(batch, i, text) for i, text in enumerate(texts)]

    def attention(self, tokens: Sequence[Tokens], punctuation: Sequence[Sequence[bool]]) -> list[HeadStatistics]:
        """Statistics of all heads over each text; see `contract.Attends`."""
        lengths = [len(text.encoded.ids) for text in tokens]
        longest = max(lengths)
        causal = True

        def forward(batch: list[int]) -> list[torch.Tensor]:
            nonlocal causal
            ids, mask = self.padded([tokens[i].encoded.ids for i in batch])
            collector = Collector(
                valid=torch.ones_like(ids) if mask is None else mask,
                special=self._flags([tokens[i].special for i in batch]),
                punctuation=self._flags([punctuation[i] for i in batch]),
            )
            with torch.inference_mode(), collecting(self.model, collector):
                self.model.base_model(
                    input_ids=ids, attention_mask=mask, **self.type_ids([tokens[i].encoded for i in batch])
                )
            statistics, received = collector.result(self.model.config.num_hidden_layers, self.identity.name)
            causal = causal and collector.causal
            return [statistics, torch.nn.functional.pad(received, (0, longest - received.shape[1]))]

        statistics, received = (t.numpy() for t in self.batcher.run(lengths, forward))
        return [
            HeadStatistics(dict(zip(STATISTICS, statistics[i], strict=True)), received[i, :length], causal)
            for i, length in enumerate(lengths)
        ]

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

    def padded(self, sequences: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Ids (B, T) on the device, padded with the model's own padding token, and the mask if any differ in length."""
        return padded(sequences, max(self.model.config.pad_token_id or 0, 0), self.device)

    def type_ids(self, encoded: Sequence[Encoded]) -> dict[str, torch.Tensor]:
        """The keyword argument for token type ids, for models that have them."""
        if not encoded[0].type_ids:
            return {}
        return {"token_type_ids": padded([text.type_ids for text in encoded], 0, self.device)[0]}

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
