"""Special tokens that stand in a text literally: a tokenizer reads `[MASK]` in a document as its mask token.

Those are meant that the tokenizer itself calls special; `<|im_start|>` in a text for BERT is plain text. An unknown
word is no literal `[UNK]`: it counts only where the characters of its name stand in the text.
"""

import re
from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase

from auditor.models.inputs import Text


class SpecialTokens:
    """The special tokens of one tokenizer."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        added = {i: token.content for i, token in tokenizer.added_tokens_decoder.items() if token.special}
        named = zip(tokenizer.all_special_ids, tokenizer.all_special_tokens, strict=True)
        self._tokenizer = tokenizer
        self._names = {int(i): str(name) for i, name in (*added.items(), *named) if i is not None}
        self._some = re.compile("|".join(map(re.escape, self._names.values())), re.IGNORECASE)

    def literal(self, texts: Sequence[Text]) -> list[tuple[str, ...]]:
        """For each text, and its second sentence, the names of those in it, in the order in which they stand."""
        return [self._within(text) + self._within(pair or "") for text, pair in texts]

    def _within(self, text: str) -> tuple[str, ...]:
        if not self._names or not self._some.search(text):
            return ()
        batch = self._tokenizer([text], add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        read = batch.encodings[0]
        return tuple(
            self._names[token]
            for token, (start, stop) in zip(read.ids, read.offsets, strict=True)
            if token in self._names and self._is_named(token, text[start:stop])
        )

    def _is_named(self, token: int, written: str) -> bool:
        return token != self._tokenizer.unk_token_id or written.strip() == self._names[token]
