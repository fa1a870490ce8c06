"""Models whose answers are known by construction."""

import math
import re
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import torch

from auditor.models.inputs import Encoded, Identity, Question, Sequences, Text, Tokens, Window
from auditor.models.text.perturbing import Perturbing
from auditor.records.types import Document, Span


def identity(labels: tuple[str, ...] = (), max_length: int = 64, *, multi_label: bool = False) -> Identity:
    return Identity("stub", "stub", "Stub", labels, multi_label, 0, max_length, "cpu", "float32")


class Reader:
    """Knows no special tokens."""

    def special_tokens(self, texts: Sequence[Text]) -> list[tuple[str, ...]]:
        return [()] * len(texts)


class Oracle(Reader, Perturbing):
    """A classifier that is any function of the text; counts what it is asked."""

    def __init__(self, labels: tuple[str, ...], answer: Callable[[str], Sequence[float]]) -> None:
        self.identity = identity(labels)
        self.answer = answer
        self.asked: list[str] = []

    def ask(self, documents: Sequence[Document]) -> list[Question]:
        return [Question(self.identity.labels)] * len(documents)

    def encode(self, texts: Sequence[Text]) -> Sequences:
        self.asked += [text + (f" | {pair}" if pair is not None else "") for text, pair in texts]
        start = len(self.asked) - len(texts)
        return Sequences.of([Encoded((start + i,)) for i in range(len(texts))])

    def assemble(self, *_: object) -> None:
        return None

    def outputs(self, sequences: Sequences, questions: Sequence[Question]) -> torch.Tensor:
        assert len(sequences) == len(questions)
        return torch.tensor([self.answer(self.asked[text]) for text in sequences.ids.tolist()], dtype=torch.float64)

    def probabilities(self, outputs: torch.Tensor, question: Question) -> torch.Tensor:  # noqa: ARG002
        return outputs

    def continuation(self, question: Question) -> str | None:  # noqa: ARG002
        return None

    def tokens(self, texts: Sequence[Text]) -> list[Tokens]:
        found = []
        for text, _ in texts:
            spans = tuple(Span(m.start(), m.end()) for m in re.finditer(r"\S{1,3}", text))
            pieces = tuple(text[s.start : s.stop] for s in spans)
            found.append(Tokens(Encoded(tuple(range(len(spans)))), pieces, spans, (False,) * len(spans)))
        return found


class Chain(Reader):
    """A first-order Markov chain over the characters a, b, c …; knows the exact log-probability of any text."""

    def __init__(self, transitions: np.ndarray, max_length: int, *, prefix: bool = True) -> None:
        self.table = np.log(transitions)
        self.identity = identity(max_length=max_length)
        self.has_prefix = prefix
        self.windows: list[Window] = []

    @property
    def prefix(self) -> tuple[int, str] | None:
        return (0, "<s>") if self.has_prefix else None

    def spell(self, text: str) -> Tokens:
        ids = tuple(ord(c) - ord("a") for c in text)
        spans = tuple(Span(i, i + 1) for i in range(len(text)))
        return Tokens(Encoded(ids), tuple(text), spans, (False,) * len(ids))

    def logprobs(self, windows: Sequence[Window]) -> list[np.ndarray]:
        self.windows += windows
        for window in windows:
            assert 0 < len(window.targets) <= len(window.ids) <= self.identity.max_length
        return [
            np.array([self.table[p, t] for p, t in zip(w.ids[-len(w.targets) :], w.targets, strict=True)])
            for w in windows
        ]

    def exact(self, text: str) -> float:
        """Negative log-likelihood of the text behind an `a`, nats."""
        ids = [0, *(ord(c) - ord("a") for c in text)]
        return -sum(self.table[p, t] for p, t in pairwise(ids))


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))
