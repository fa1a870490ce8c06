"""Which adapter asks the models of a task, how it is made of a loaded model, and what it offers.

Every adapter, ours or a third party's, has one door, `adapt`: what was loaded of a checkpoint, and what a user may say
about how it is asked. `auditor.tasks` names the class.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import Final, Protocol, Self

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from auditor import tasks
from auditor.errors import InstallationError
from auditor.models.computing.batching import Batcher
from auditor.models.inputs import Identity, Text
from auditor.records.proof import Proof


@dataclass(frozen=True, slots=True)
class Loaded:
    """Model, tokenizer, identity and batcher of a checkpoint, for an adapter."""

    model: PreTrainedModel
    """Of the task's class, on its device, in eval mode."""
    tokenizer: PreTrainedTokenizerBase
    identity: Identity
    """Its labels are those of the checkpoint."""
    batcher: Batcher
    """Forms batches, and counts what the model computes."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a model is asked; each adapter reads what concerns it."""

    texts: Sequence[Text] | None = None
    """The longest that will be asked about; None: nobody knows."""
    most_tokens: int | None = None
    """No more tokens of them will be read at once, where that is known."""
    compile: bool = False
    prompt: str = "{text}"
    """What a language model is asked; `{text}` and `{pair}` stand for the document."""
    candidates: Sequence[str] | None = None
    """The continuations to choose from; None for the model's own."""
    max_new_tokens: int = 20
    chat: bool = False
    """Whether the prompt goes through the tokenizer's chat template."""


AS_IT_IS: Final = Settings()


class Adapter(Protocol):
    """Adapts the models of one `AutoModelFor…` class; what else it has are capabilities."""

    identity: Identity
    batcher: Batcher
    proofs: dict[str, Proof]
    """How the model is asked, question by question, as far as that was shown; empty where it is always asked alone."""

    @classmethod
    def adapt(cls, loaded: Loaded, settings: Settings) -> Self:
        """The adapter of a loaded model; settings that the task does not have are at their defaults.

        Raises:
            ModelError: The settings do not fit the model, or it cannot be asked.
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
    members = {name for kind in capability.__mro__ for name in vars(kind) if not name.startswith("_")}
    return all(hasattr(adapter, name) for name in members)
