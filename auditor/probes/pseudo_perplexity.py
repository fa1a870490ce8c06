r"""How surprising is each token to a masked language model that sees all the others?

    PLL(W) = Σ_t ln p(w_t | W without what is hidden for t)      PPPL = exp(−Σ PLL / Σ N)

N counts the scored tokens: all of the text, no special tokens. A token the vocabulary does not have is scored as the
unknown token that stands for it; special tokens that stand in the text literally, such as [MASK], are context only.

    within-word   token t and the later tokens of its word are hidden (Kauf & Ivanova 2023); the default
    original      token t alone is hidden (Salazar et al. 2020); a word split into tokens gives itself away

          so ##uven ##ir          so ##uven ##ir           scored in brackets, hidden as _
        [_]   _      _           [_]  ##uven ##ir
         so  [_]     _            so  [_]    ##ir
         so ##uven  [_]           so ##uven  [_]           the last token of a word has the same score in both
          within-word               original

Words are those of the tokenizer; where it has none, because it does not cut a text before it looks for tokens, those
of `auditor.corpus.words`, and every token outside of them is a word of its own.

A pseudo-likelihood is no likelihood: the factors are conditioned on each other and do not multiply to the probability
of the text. It must not be compared with the perplexity of a causal model, nor turned into bits per byte.

Documents longer than the model can see are not cut. Every token needs a forward pass of its own, so every token has
its own window too, of full length with the token in its middle, as far as the ends of the document allow:

    n_tokens=7, 4 of which fit (positions; scored in brackets)
        [0  1  2] 3            0, 1 and 2 see the beginning
            1  2 [3] 4
               2  3 [4] 5
                  3  4 [5  6]      5 and 6 see the end

Agrees with minicons 0.3.39 (`MaskedLMScorer.token_score`, PLL_metric `original` and `within_word_l2r`) on documents
that fit. Two sentences are scored as two texts.

Sources: Salazar et al. 2020, "Masked Language Model Scoring", eq. 1-2; Kauf & Ivanova 2023, "A Better Way to Do Masked
Language Model Scoring", section 3.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from auditor.corpus.words import words as unicode_words
from auditor.models import FillsMasks
from auditor.models.inputs import Cloze, Encoded, Spelling
from auditor.probes.contract import STRICT, AnyProbe, Evaluations, Sitting, beyond_blanks, not_finite
from auditor.records.types import Document, NotMeasurable, PseudoPerplexity, Span, Unmeasured

Variant = Literal["within-word", "original"]
Part = tuple[str, Spelling, np.ndarray]
"""One text of a document: the field it comes from, its tokens, the scores of those that are not special."""
NO_WORD = -1


@dataclass(frozen=True, config=STRICT)
class PseudoPerplexityProbe:
    """Scores each document with a masked language model, one hidden token at a time."""

    name: ClassVar[str] = "pseudo_perplexity"
    needs: ClassVar[type] = FillsMasks
    record: ClassVar[type] = PseudoPerplexity

    model: str | None = None
    variant: Variant = "within-word"
    context_length: int | None = Field(default=None, ge=8)
    limit: int | None = Field(default=None, ge=1)

    def evaluations(
        self,
        model: FillsMasks,
        documents: Sequence[Document],
        probes: Sequence[AnyProbe],  # noqa: ARG002
    ) -> list[Evaluations]:
        """One for each token of each that is not special."""
        texts = [[text for _, text in _fields(document)] for document in documents]
        return [Evaluations(sum(len(to_score(one)) for one in model.spellings(of_one))) for of_one in texts]

    def measure(
        self,
        model: FillsMasks,
        documents: Sequence[Document],
        sitting: Sitting[object],  # noqa: ARG002
    ) -> Iterator[PseudoPerplexity | Unmeasured]:
        """Yields the log-probabilities; a pair is scored as two texts."""
        return beyond_blanks(documents, lambda asked: self._measure(model, asked))

    def _measure(self, model: FillsMasks, documents: Sequence[Document]) -> Iterator[PseudoPerplexity | Unmeasured]:
        context_length = min(self.context_length or model.identity.max_length, model.identity.max_length)
        fields = [_fields(document) for document in documents]
        texts = [text for parts in fields for _, text in parts]
        read = [_with_words(s, text) for s, text in zip(model.spellings(texts), texts, strict=True)]
        cut = [clozes(spelling, context_length, self.variant) for spelling in read]
        scores = iter(model.fill([cloze for gaps in cut for cloze in gaps]))
        scores_by_text = [np.concatenate([np.empty(0), *(next(scores) for _ in gaps)]) for gaps in cut]
        scored = iter(zip(read, scores_by_text, strict=True))
        special = model.special_tokens([(document.text, document.pair) for document in documents])
        for document, fields_of, literal in zip(documents, fields, special, strict=True):
            parts = [(name, *next(scored)) for name, _ in fields_of]
            yield self._record(document, parts, model.identity.name, context_length, literal)

    def _record(
        self,
        document: Document,
        parts: Sequence[Part],
        model: str,
        context_length: int,
        special_tokens: tuple[str, ...],
    ) -> PseudoPerplexity | Unmeasured:
        logprobs = np.concatenate([scores for _, _, scores in parts])
        if not len(logprobs):
            reason = "the document has no tokens but special ones: nothing to score"
            return NotMeasurable(document.id, "nothing-to-score", reason)
        if not np.isfinite(logprobs).all():
            return not_finite(document)
        scored = [(name, spelling, i) for name, spelling, _ in parts for i in to_score(spelling)]
        spans = [(name, spelling.tokens.spans[i]) for name, spelling, i in scored]
        return PseudoPerplexity(
            document_id=document.id,
            model=model,
            tokens=tuple(spelling.tokens.texts[i] for _, spelling, i in scored),
            spans=tuple(Span(span.start, span.stop, name) for name, span in spans),
            words=_numbered([(name, spelling.words[i]) for name, spelling, i in scored]),
            logprobs=tuple(logprobs.tolist()),
            variant=self.variant,
            context_length=context_length,
            special_tokens=special_tokens,
        )


def to_score(spelling: Spelling) -> list[int]:
    """Positions of the tokens of the text that are not special."""
    return [i for i, special in enumerate(spelling.tokens.special) if not special]


def clozes(spelling: Spelling, context_length: int, variant: Variant) -> list[Cloze]:
    """The windows drawn above with their gaps; every token to score is the first of one gap, in order."""
    before, after = spelling.frame
    n = len(spelling.words) - before - after
    room = max(1, context_length - before - after)
    ends = _ends(spelling.words) if variant == "within-word" else range(1, len(spelling.words) + 1)

    def window(position: int) -> int:
        return min(max(position - before - room // 2, 0), max(n - room, 0))

    return [
        Cloze(
            _window(spelling, first, min(first + room, n)),
            tuple((i - first, min(ends[i] - first, before + room)) for i in positions),
        )
        for first, positions in groupby(to_score(spelling), window)
    ]


def _window(spelling: Spelling, start: int, stop: int) -> Encoded:
    """The tokens start … stop − 1 of the text, with the special tokens around them."""
    before, after = spelling.frame
    whole = spelling.tokens.encoded

    def part(values: tuple[int, ...]) -> tuple[int, ...]:
        return values[:before] + values[before + start : before + stop] + values[len(values) - after :]

    return Encoded(part(whole.ids), part(whole.type_ids))


def _ends(words: Sequence[int]) -> list[int]:
    """For every token the position behind the last token of its word."""
    ends = list(range(1, len(words) + 1))
    for i in reversed(range(len(words) - 1)):
        if words[i] == words[i + 1] != NO_WORD:
            ends[i] = ends[i + 1]
    return ends


def _with_words(spelling: Spelling, text: str) -> Spelling:
    """With Unicode words where the tokenizer knows none; a token belongs to the word of its first visible character."""
    if spelling.words:
        return spelling
    words = unicode_words(text)
    starts = [start for start, _ in words]

    def word(span: Span) -> int:
        first = next((i for i in range(span.start, span.stop) if not text[i].isspace()), span.stop)
        number = bisect_right(starts, first) - 1
        return number if number >= 0 and first < words[number][1] and first < span.stop else NO_WORD

    special = spelling.tokens.special
    numbers = tuple(NO_WORD if s else word(span) for s, span in zip(special, spelling.tokens.spans, strict=True))
    return replace(spelling, words=numbers)


def _numbered(words: Sequence[tuple[str, int]]) -> tuple[int, ...]:
    """Words counted from 0; a token outside of all words is one of its own."""
    number, numbers = -1, []
    for i, word in enumerate(words):
        number += not i or word != words[i - 1] or word[1] == NO_WORD
        numbers.append(number)
    return tuple(numbers)


def _fields(document: Document) -> list[tuple[str, str]]:
    pair = [("pair", document.pair)] if document.pair and document.pair.strip() else []
    return [("text", document.text), *pair]
