"""What a language model is asked: the document in a template, the template in a chat where there is one."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from auditor.models.inputs import Text
from auditor.models.text.assembly import Occurrence
from auditor.models.text.chat import ChatTemplate
from auditor.records.explanations import Segment
from auditor.records.types import Document

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

    @cached_property
    def _around(self) -> tuple[str, str] | None:
        """What the chat template puts around every message; None where that depends on the text in it."""
        return ("", "") if self.chat is None else self.chat.around([self._message((text, text)) for text in _TRIED])

    def _message(self, text: Text) -> str:
        return "".join(self._parts(text))

    def _parts(self, text: Text) -> list[str]:
        values = {"{text}": text[0], "{pair}": text[1] or ""}
        return [values.get(part, part) for part in _SLOT.split(self.template)]
