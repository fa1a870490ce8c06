"""A prompt as a chat model expects it: the tokenizer's chat template around one message of a user.

What the template writes is the whole input, the first token included where the template has it: the tokenizer adds no
special tokens of its own, so that none stands there twice. These are the ids of
`tokenizer.apply_chat_template([{"role": "user", "content": prompt}], add_generation_prompt=True)`.

A template that asks for today's date is given `DAY`, which Llama's templates fall back on too: else the answers of a
run would depend on the day on which it is resumed.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from jinja2 import TemplateError
from transformers import PreTrainedTokenizerBase

from auditor.errors import ModelError

DAY = date(2024, 7, 26)
_TODAY = re.compile(r"""strftime_now\(\s*(['"])(.*?)\1\s*\)""")
_MARK = "\ue000"
"""A character that no template writes."""


@dataclass(frozen=True, slots=True)
class ChatTemplate:
    """The chat template of a tokenizer."""

    tokenizer: PreTrainedTokenizerBase
    source: str
    """The template itself, with `DAY` for today."""

    def render(self, message: str) -> str:
        """The prompt for a user's message, up to where the model's answer begins."""
        messages = [{"role": "user", "content": message}]
        return str(
            self.tokenizer.apply_chat_template(
                messages, chat_template=self.source, tokenize=False, add_generation_prompt=True
            )
        )

    def around(self, messages: Sequence[str]) -> tuple[str, str] | None:
        """The text before and behind every message.

        Args:
            messages: What it is tried on.

        Returns:
            None where the template changes one of them, such as the white space at its ends.
        """
        before, mark, after = self.render(_MARK).partition(_MARK)
        unchanged = mark and all(self.render(message) == f"{before}{message}{after}" for message in messages)
        return (before, after) if unchanged else None


def chat_template(name: str, tokenizer: PreTrainedTokenizerBase) -> ChatTemplate:
    """The chat template of a tokenizer, tried out.

    Raises:
        ModelError: If there is none, it fails on a user's message, or leaves the message out.
    """
    if not tokenizer.chat_template:
        raise ModelError(
            f"{name}: chat = true, but the tokenizer has no chat template (chat_template.jinja): leave chat out, and "
            "write what the model expects around a text into prompt"
        )
    try:
        template = ChatTemplate(tokenizer, _on_the_day(tokenizer.get_chat_template()))
        rendered = template.render(_MARK)
    except (TemplateError, ImportError, ValueError, TypeError, KeyError, AttributeError) as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)[:300]
        raise ModelError(f"{name}: the chat template cannot be applied to a user's message: {reason}") from error
    if _MARK not in rendered:
        raise ModelError(f"{name}: the chat template leaves out a user's message, so the model would see no text")
    return template


def _on_the_day(template: str) -> str:
    return _TODAY.sub(lambda call: json.dumps(DAY.strftime(call[2])), template)
