"""Which adapter asks the models of a task, how it is built, and what it offers.

Every adapter, ours or a third party's, is built through one door, `build`: a loaded model, its tokenizer, the facts
about it, and the settings of the audit. `auditor.tasks` names the class; it is imported here and nowhere else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import Protocol, Self

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from auditor import tasks
from auditor.errors import InstallationError
from auditor.models.capabilities import Identity, Text
from auditor.models.computing.batching import Batcher
from auditor.models.computing.proof import Proof


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a model is asked: the keys of [model] that its task has, and what is known of the texts that will come."""

    multi_label: bool | None = None
    """Whether a text may have several labels; None: as the checkpoint says."""
    prompt: str = "{text}"
    """What a language model is asked."""
    chat: bool = False
    """Whether the prompt goes through the tokenizer's chat template."""
    candidates: tuple[str, ...] | None = None
    """The continuations that a language model chooses among; None: it writes its own."""
    max_new_tokens: int = 20
    """Tokens of a continuation of its own."""
    compiles: bool = False
    """Whether to compile the model."""
    texts: Sequence[Text] | None = None
    """The longest that will be asked about; None: nobody knows."""
    most_tokens: int | None = None
    """No more tokens of them will be read at once, where that is known."""


class Adapter(Protocol):
    """Adapts the models of one `AutoModelFor…` class; what else it has are capabilities."""

    identity: Identity
    batcher: Batcher
    """Counts what the model computes."""
    proofs: Mapping[str, Proof]
    """How the model is asked, question by question, as far as that was shown; empty where it is always asked alone."""

    @classmethod
    def build(
        cls,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        identity: Identity,
        batcher: Batcher,
        settings: Settings,
    ) -> Self:
        """Adapts a model that lies on its device, in eval mode.

        Args:
            model: Of the task's class.
            tokenizer: Its own.
            identity: The facts about it; the labels are those of its checkpoint.
            batcher: Forms its batches.
            settings: Those that the task does not have are at their defaults.

        Raises:
            ModelError: The settings do not fit the model.
        """
        ...


def adapter_of(task: str) -> type[Adapter]:
    """The class that asks the models of a task.

    Raises:
        InstallationError: The class that its declaration names is not there.
    """
    declared = tasks.task(task)
    try:
        adapter: type[Adapter] = resolve_name(declared.adapter)
    except (ImportError, AttributeError) as error:
        raise InstallationError(f"task {task}: its adapter {declared.adapter} cannot be loaded: {error}") from error
    return adapter


def offers(task: str, capability: type) -> bool:
    """Whether models of this task have a capability of `auditor.models.capabilities`."""
    adapter = adapter_of(task)
    return all(hasattr(adapter, name) for name in vars(capability) if not name.startswith("_"))
