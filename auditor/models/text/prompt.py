"""What a language model is asked: the document in a template, the template in a chat where there is one."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from auditor.models.inputs import Text, UnreadableError
from auditor.models.text.assembly import Occurrence
from auditor.models.text.chat import ChatTemplate
from auditor.records.explanations import Segment
from auditor.records.types import Document, Span

_SLOT = re.compile(r"(\{text\}|\{pair\})")
_TRIED = ("", "x", " x ", "\nx\n")
"""Texts on which it is tried whether a chat template changes the message around them."""


@dataclass(frozen=True)
class Prompt:
    """A template in which `{text}` and `{pair}` stand for the document, and the chat around it."""

    template: str
    chat: ChatTemplate | None = None

    def fill(self, text: Text) -> str:
        """The whole prompt for a text and a pair."""
        message = self._message(text)
        return message if self.chat is None else self.chat.render(message)

    def pieces(self, document: Document) -> list[str] | None:
        """The undisturbed prompt: what stays, a field of the document, what stays, and so on; joined it is `fill`.

        Returns:
            None where the chat template changes the message, so that nobody knows what becomes of a perturbed one.
        """
        if self._around is None:
            return None
        before, after = self._around
        first, *inner, last = self._parts((document.text, document.pair))
        pieces = [before + first, *inner, last + after] if inner else [before + first + after]
        return pieces if "".join(pieces) == self.fill((document.text, document.pair)) else None

    def occurrences(self, pieces: Sequence[str], segments: Sequence[Segment]) -> list[Occurrence]:
        """Where the segments stand in the joined pieces, at every occurrence of the document."""
        occurrences, offset = [], 0
        for name, piece in zip(_SLOT.split(self.template), pieces, strict=True):
            occurrences += [
                Occurrence(offset + span.start, offset + span.stop, i)
                for i, one in enumerate(segments)
                for span in one.spans
                if name == f"{{{span.field}}}"
            ]
            offset += len(piece)
        return occurrences

    def places(self, text: Text, spans: Sequence[Span]) -> tuple[Span, ...]:
        """Where stretches of the prompt lie in the text or the pair; one that lies in neither is empty.

        Of a stretch that reaches beyond a field the part counts that lies in it, of two fields the longer part.

        Raises:
            UnreadableError: The chat template changes the message by more than the white space at its ends.
        """
        start, fields = self._start(text), []
        for part, value in zip(_SLOT.split(self.template), self._parts(text), strict=True):
            if _SLOT.fullmatch(part):
                fields.append((start, Span(0, len(value), part.strip("{}"))))
            start += len(value)
        return tuple(_within(span, fields) for span in spans)

    def _start(self, text: Text) -> int:
        """Where the message begins in the prompt; before the prompt, where white space before it was taken away."""
        if self.chat is None:
            return 0
        rendered, message, around = self.chat.render(self._message(text)), self._message(text), self.chat.around(())
        before = around[0] if around else ""
        for kept in (message, message.strip()):
            if rendered.startswith(before + kept):
                return len(before) - message.index(kept)
        raise UnreadableError("the chat template changes the text, so that its words cannot be found in the prompt")

    @cached_property
    def _around(self) -> tuple[str, str] | None:
        """What the chat template puts around every message; None where that depends on the text in it."""
        return ("", "") if self.chat is None else self.chat.around([self._message((text, text)) for text in _TRIED])

    def _message(self, text: Text) -> str:
        return "".join(self._parts(text))

    def _parts(self, text: Text) -> list[str]:
        values = {"{text}": text[0], "{pair}": text[1] or ""}
        return [values.get(part, part) for part in _SLOT.split(self.template)]


def _within(span: Span, fields: Sequence[tuple[int, Span]]) -> Span:
    """The part of a stretch of the prompt that lies in a field, of those at (start, field) that with most of it."""
    cut = (Span(max(span.start - start, 0), min(span.stop - start, field.stop), field.field) for start, field in fields)
    return max((one for one in cut if one.start < one.stop), key=lambda one: one.stop - one.start, default=Span(0, 0))
