r"""How surprising is each document to a language model? Log-probabilities of all its tokens, each scored once.

    token perplexity   exp(−(1/N) Σ ln p)          N scored tokens
    bits per byte      −Σ ln p / (B ln 2)          B UTF-8 bytes; comparable between tokenizers, token perplexity is not
    word perplexity    exp(−Σ ln p / W)            W words by white space

Long documents are scored in windows of `context_length` positions that advance by `stride` tokens. The prefix token
(BOS, or EOS where the model has none) gives the first token its context; every token is scored exactly once, and the
last window keeps its full left context:

    n_tokens=10, context_length=4, stride=2 (positions; p is the prefix; scored in brackets)
        p  0  1  2           inputs
       [0  1  2  3]          their targets
              1  2  3  4
                   [4  5]
                    3  4  5  6
                         [6  7]
                          5  6  7  8
                               [8  9]

These are the windows of lm-eval's `get_rolling_token_windows` with context_len = context_length − stride + 1
(lm-eval 0.4.13); with stride = context_length, the default, its `loglikelihood_rolling`.

Without a prefix token the first token of a text is context only and is not scored; B and W are then those of what
stands behind it: a character that it ends in is not counted, the rest of a word that it ends in counts as a word. A
second sentence that is blank is neither scored nor counted. A document without a token to score is not measurable.

A text that begins with the prefix token, written out, brings its own: none is put before it, and like any prefix it is
not scored, as in lm-eval's `loglikelihood` behind an empty context (its `loglikelihood_rolling` scores it as a
surprise). Special tokens further on are scored as the text has them, and noted.

    "Hello, world"      tokens [Hello] [,] [ world]   prefix: B = 12, W = 2   no prefix: ", world", B = 7, W = 2
    "<s>Hello, world"   the same with prefix <s>: B = 12, W = 2
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np
from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from auditor.models import Scores, Tokens, Window
from auditor.probes.contract import STRICT, AnyProbe, Evaluations, Sitting, beyond_blanks, not_finite
from auditor.records.types import Document, NotMeasurable, Perplexity, Span, Unmeasured

Ids = tuple[int, ...]
Spelled = Sequence[tuple[str, Tokens]]
"""Of one document, the field that each of its texts comes from and its tokens."""
_METHODS = {False: "rolling windows", True: "rolling windows over the text alone, without the chat template"}
_NO_CONTEXT = "the document is a single token and the model has no prefix token: nothing to score"
_NO_TOKEN = "the document has no token to score"


@dataclass(frozen=True, config=STRICT)
class PerplexityProbe:
    """Scores each document with a causal language model."""

    name: ClassVar[str] = "perplexity"
    needs: ClassVar[type] = Scores
    record: ClassVar[type] = Perplexity

    model: str | None = None
    context_length: int | None = Field(default=None, ge=2)
    stride: int | None = Field(default=None, ge=1)
    limit: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _stride_fits(self) -> "PerplexityProbe":
        if self.stride and self.context_length and self.stride > self.context_length:
            raise ValueError(
                f"stride {self.stride} is larger than context_length {self.context_length}: tokens would be lost"
            )
        return self

    def evaluations(
        self,
        model: Scores,
        documents: Sequence[Document],
        probes: Sequence[AnyProbe],  # noqa: ARG002
    ) -> list[Evaluations]:
        """The windows of each."""
        cut = self._windows(model, [_spelled(model, document) for document in documents])
        return [Evaluations(sum(map(len, windows))) for windows in cut]

    def measure(
        self,
        model: Scores,
        documents: Sequence[Document],
        sitting: Sitting[object],  # noqa: ARG002
    ) -> Iterator[Perplexity | Unmeasured]:
        """Yields the log-probabilities; a pair is scored as two texts."""
        return beyond_blanks(documents, lambda asked: self._measure(model, asked))

    def _measure(self, model: Scores, documents: Sequence[Document]) -> Iterator[Perplexity | Unmeasured]:
        context_length, stride = self.window(model)
        prefix = model.prefix
        texts = [_spelled(model, document) for document in documents]
        special = model.special_tokens([(document.text, document.pair) for document in documents])
        cut = self._windows(model, texts)
        flat = [window for document in cut for windows in document for window in windows]
        scores = iter(model.logprobs(flat) if flat else ())
        for document, spelled, windows, literal in zip(documents, texts, cut, special, strict=True):
            parts = [[next(scores) for _ in each] for each in windows]
            if not any(parts):
                yield NotMeasurable(document.id, "nothing-to-score", _NO_CONTEXT if prefix is None else _NO_TOKEN)
                continue
            settings = (model.identity.name, context_length, stride, prefix, literal, _METHODS[model.identity.chat])
            yield _record(document, spelled, parts, *settings)

    def _windows(self, model: Scores, spelled: Sequence[Spelled]) -> list[list[list[Window]]]:
        """Of each document, of each of its texts."""
        window, prefix = self.window(model), model.prefix
        return [[rolling_windows(t.encoded.ids, _missing(prefix, t), *window) for _, t in one] for one in spelled]

    def window(self, model: Scores) -> tuple[int, int]:
        """Context length and stride with their defaults: what the model can see, and no overlap."""
        context_length = min(self.context_length or model.identity.max_length, model.identity.max_length)
        return context_length, min(self.stride or context_length, context_length)


def rolling_windows(ids: Ids, prefix: int | None, context_length: int, stride: int) -> list[Window]:
    """The windows drawn above; every token is a target exactly once (all but the first without a prefix)."""
    stream = ids if prefix is None else (prefix, *ids)  # stream[i + 1] is predicted from stream[: i + 1]
    n = len(stream) - 1
    windows = []
    done = 0
    while done < n:
        stop = min(n, context_length if done == 0 else done + stride)
        start = max(0, stop - context_length)
        windows.append(Window(stream[start:stop], stream[done + 1 : stop + 1]))
        done = stop
    return windows


def _spelled(model: Scores, document: Document) -> list[tuple[str, Tokens]]:
    fields = [field for field in ("text", "pair") if _text(document, field).strip()]
    return [(field, model.spell(_text(document, field))) for field in fields]


def _text(document: Document, field: str) -> str:
    return document.text if field == "text" else document.pair or ""


def _missing(prefix: tuple[int, str] | None, tokens: Tokens) -> int | None:
    """The prefix token to put before a text; None where there is none, or where the text begins with it."""
    if prefix is None or (tokens.encoded.ids[:1] == prefix[:1] and tokens.texts[0].strip() == prefix[1]):
        return None
    return prefix[0]


def _behind(text: str, tokens: Tokens, skipped: int) -> str:
    """What is left of a text after its first `skipped` tokens; nothing where those are all."""
    if len(tokens.spans) <= skipped:
        return ""
    return text[max((span.stop for span in tokens.spans[:skipped]), default=0) :]


def _record(
    document: Document,
    spelled: Sequence[tuple[str, Tokens]],
    parts: Sequence[Sequence[np.ndarray]],
    model: str,
    context_length: int,
    stride: int,
    prefix: tuple[int, str] | None,
    special_tokens: tuple[str, ...],
    method: str,
) -> Perplexity | Unmeasured:
    logprobs = np.concatenate([scores for windows in parts for scores in windows])
    if not np.isfinite(logprobs).all():
        return not_finite(document)
    read = [(field, tokens, int(_missing(prefix, tokens) is None)) for field, tokens in spelled]
    scored = [
        (text, Span(span.start, span.stop, field))
        for field, tokens, skipped in read
        for text, span in list(zip(tokens.texts, tokens.spans, strict=True))[skipped:]
    ]
    texts = [_behind(_text(document, field), tokens, skipped) for field, tokens, skipped in read]
    return Perplexity(
        document_id=document.id,
        model=model,
        tokens=tuple(text for text, _ in scored),
        spans=tuple(span for _, span in scored),
        logprobs=tuple(logprobs.tolist()),
        n_bytes=sum(len(text.encode("utf-8")) for text in texts),
        n_words=sum(len(text.split()) for text in texts),
        context_length=context_length,
        stride=stride,
        prefix=prefix[1] if prefix else "",
        method=method,
        special_tokens=special_tokens,
    )
