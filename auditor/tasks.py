"""The tasks of models: one declaration each, and nothing else in the package knows a task by its name.

A task is what a model was made for, by Hugging Face's name. Its declaration says which class of transformers loads such
a model, which adapter asks it, which settings of [model] it has, which probes run where none is asked for, and what its
labels are. What its models can be asked (the capabilities) is said by the adapter itself. Third parties register theirs
by the entry point `auditor.tasks`, as this package does: a declaration and an adapter are a task.

Plain data: neither torch nor the adapter is imported.
"""

from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import Literal, get_args

from auditor.errors import ConfigError, InstallationError
from auditor.languages import N_
from auditor.registry import did_you_mean, load, registered

GROUP = "auditor.tasks"

Setting = Literal["multi_label", "prompt", "chat", "candidates", "max_new_tokens"]
"""The keys of [model] that only some tasks have."""
SETTINGS: tuple[Setting, ...] = get_args(Setting)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a model was made for."""

    name: str
    """Hugging Face's."""
    title: str
    """A message: what the first page of a report calls it."""
    auto_class: str
    """The class of transformers that loads its models."""
    architectures: tuple[str, ...]
    """How the names of its models' classes end, which config.json gives; of all tasks the longest end decides."""
    adapter: str
    """`module:Class` of what asks its models, imported when one is loaded; see `auditor.models.adapters.Adapter`."""
    labels: Literal["checkpoint", "candidates", "none"]
    """Whether a model chooses among the labels of its checkpoint, among candidates of [model], or among none."""
    default_probes: tuple[str, ...]
    """Those that run where none is asked for."""
    constant_probes: tuple[str, ...] = ()
    """Those that run whatever else is asked for."""
    settings: frozenset[Setting] = frozenset()
    """The keys of [model] that it has, of those that not every task has."""
    causal: bool | None = None
    """Whether no token of its models sees those behind it; None where only a loaded model tells."""

    @property
    def writes(self) -> bool:
        """Whether its models continue a text."""
        return "max_new_tokens" in self.settings


TEXT_CLASSIFICATION = Task(
    name="text-classification",
    title=N_("Text classification"),
    auto_class="AutoModelForSequenceClassification",
    architectures=("ForSequenceClassification",),
    adapter="auditor.models.text.classification:TextClassification",
    labels="checkpoint",
    default_probes=("prediction", "lime", "occlusion", "attention_rollout", "faithfulness", "attention"),
    constant_probes=("prediction",),
    settings=frozenset({"multi_label"}),
)
TEXT_GENERATION = Task(
    name="text-generation",
    title=N_("Text generation"),
    auto_class="AutoModelForCausalLM",
    architectures=("ForCausalLM", "LMHeadModel"),
    adapter="auditor.models.text.generation:TextGeneration",
    labels="candidates",
    default_probes=("prediction", "lime", "occlusion", "attention_rollout", "faithfulness", "attention", "perplexity"),
    constant_probes=("prediction",),
    settings=frozenset({"prompt", "chat", "candidates", "max_new_tokens"}),
    causal=True,
)
FILL_MASK = Task(
    name="fill-mask",
    title=N_("Masked language model"),
    auto_class="AutoModelForMaskedLM",
    architectures=("ForMaskedLM", "WithLMHeadModel"),
    adapter="auditor.models.text.fill_mask:FillMask",
    labels="none",
    default_probes=("attention", "pseudo_perplexity"),
    causal=False,
)


def tasks() -> dict[str, Task]:
    """All tasks by name, ours first.

    Raises:
        InstallationError: This package is not installed, or another one's task cannot be loaded.
    """
    return {name: _declared(entry) for name, entry in registered(GROUP).items()}


def task(name: str) -> Task:
    """The declaration of a task.

    Raises:
        ConfigError: Nobody has registered such a task.
        InstallationError: As `tasks`.
    """
    known = registered(GROUP)
    if name not in known:
        raise ConfigError(f"there is no task {name!r}{did_you_mean(name, known)}; known: {', '.join(known)}")
    return _declared(known[name])


def described(name: str) -> Task:
    """What is known of the task of a finished run, also where the package that declared it is not installed.

    Raises:
        InstallationError: This package is not installed.
    """
    try:
        return task(name)
    except ConfigError:
        return Task(
            name=name, title=name, auto_class="", architectures=(), adapter="", labels="none", default_probes=()
        )


def with_setting(key: str) -> tuple[str, ...]:
    """The names of the tasks that have a key of [model]."""
    return tuple(name for name, one in tasks().items() if key in one.settings)


def _declared(entry: EntryPoint) -> Task:
    declared = load(entry)
    if not isinstance(declared, Task) or declared.name != entry.name:
        raise InstallationError(f"{GROUP}: expected the declaration of the task {entry.name!r}, found {declared!r:.80}")
    return declared
