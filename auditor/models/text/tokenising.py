"""Texts become tokens: ids for the model, places in the text for people, and what remains of a perturbed text."""

from collections.abc import Sequence

import numpy as np
from transformers import BatchEncoding, PreTrainedTokenizerBase

from auditor.models.inputs import Encoded, Identity, Sequences, Text, Tokens
from auditor.models.text.assembly import Assembler, Occurrence
from auditor.models.text.special_tokens import SpecialTokens
from auditor.records.explanations import Segment
from auditor.records.types import Document, Span


class Tokenising:
    """What a text model does with its tokenizer alone."""

    tokenizer: PreTrainedTokenizerBase
    identity: Identity

    def prepare_tokens(self) -> None:
        """Reads what the other methods need to know of the tokenizer; called once, before anything is tokenised."""
        self._assembler = Assembler(self.tokenizer)
        self._special_tokens = SpecialTokens(self.tokenizer)

    @property
    def prefix(self) -> tuple[int, str] | None:
        """BOS, else EOS, else None; what stands for a text without tokens."""
        for token_id in (self.tokenizer.bos_token_id, self.tokenizer.eos_token_id):
            if token_id is not None:
                return int(token_id), str(self.tokenizer.convert_ids_to_tokens(int(token_id)))
        return None

    def special_tokens(self, texts: Sequence[Text]) -> list[tuple[str, ...]]:
        """Special tokens that stand in the texts literally; see `capabilities.Reads`."""
        return self._special_tokens.literal(texts)

    def tokens(self, texts: Sequence[Text]) -> list[Tokens]:
        """Tokens with their places; see `capabilities.Attends`."""
        batch = self.tokenize(texts)
        return [self._places(batch, i, text) for i, text in enumerate(texts)]

    def assemble(self, document: Document, segments: Sequence[Segment], keep: np.ndarray) -> Sequences | None:
        """Token ids of perturbed texts; see `Perturbing` and `auditor.models.text.assembly`."""
        texts, occurrences = self._placed(document, segments)
        sequences = self._assembler.assemble(texts, self._places(self.tokenize([texts]), 0, texts), occurrences, keep)
        return None if sequences is None else self._readable(sequences)

    def _readable(self, sequences: Sequences) -> Sequences:
        """The texts, with the prefix token in place of each that has no token at all; see `capabilities.Classifies`."""
        if sequences.lengths.all():
            return sequences
        if self.prefix is None:
            raise ValueError("nothing is left of a text, and the tokenizer has no first or last token to stand for it")
        return sequences.with_stand_in(self.prefix[0])

    def _placed(self, document: Document, segments: Sequence[Segment]) -> tuple[Text, list[Occurrence]]:
        """The texts of a document for the tokenizer, and where the segments stand in them."""
        occurrences = [
            Occurrence(span.start, span.stop, i, span.field == "pair")
            for i, one in enumerate(segments)
            for span in one.spans
        ]
        return (document.text, document.pair), occurrences

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
        encoding = batch.encodings[index]
        type_ids = tuple(encoding.type_ids) if "token_type_ids" in self.tokenizer.model_input_names else ()
        return Encoded(tuple(encoding.ids), type_ids, bool(encoding.overflowing))

    @property
    def frame(self) -> tuple[Encoded, int]:
        """A text of one token between the special tokens that the tokenizer puts around it, and where it stands."""
        encoded = self.tokenize([("a", None)]).encodings[0]
        before = next((i for i, special in enumerate(encoded.special_tokens_mask) if not special), 0)
        after = before + len(encoded.ids) - sum(encoded.special_tokens_mask)
        types = encoded.type_ids if "token_type_ids" in self.tokenizer.model_input_names else []
        return Encoded(
            (*encoded.ids[: before + 1], *encoded.ids[after:]), (*types[: before + 1], *types[after:])
        ), before

    def _places(self, batch: BatchEncoding, index: int, text: Text) -> Tokens:
        encoding = batch.encodings[index]
        fields = ["pair" if s == 1 else "text" for s in encoding.sequence_ids]
        special = tuple(bool(flag) for flag in encoding.special_tokens_mask)
        spans = tuple(Span(start, stop, name) for (start, stop), name in zip(encoding.offsets, fields, strict=True))
        sources = {"text": text[0], "pair": text[1] or ""}
        texts = tuple(
            name if is_special else sources[span.field][span.start : span.stop]
            for name, is_special, span in zip(encoding.tokens, special, spans, strict=True)
        )
        return Tokens(self.encoded(batch, index), texts, spans, special)
