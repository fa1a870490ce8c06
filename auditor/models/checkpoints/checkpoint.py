"""A checkpoint before its weights are read: where its files are, what it is, whether it can be audited.

Everything that can be wrong with a model is found here, in seconds and without loading a weight: a folder or hub id
that is not there, weights as pickle, an architecture for another task, labels without names.
"""

import hashlib
import json
import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from safetensors import SafetensorError, safe_open
from transformers import AutoConfig, PretrainedConfig
from transformers.quantizers import AutoHfQuantizer

from auditor import tasks
from auditor.errors import ModelError, first_line
from auditor.models.checkpoints.download import fetch
from auditor.models.checkpoints.remote_code import require_shipped_code
from auditor.models.checkpoints.weights import require_weights, weight_names

CHAT_TEMPLATES = ("chat_template.jinja", "additional_chat_templates/*.jinja")
TOKENIZER_FILES = (
    "tokenizer*",
    "vocab*",
    "merges.txt",
    "special_tokens_map.json",
    "added_tokens.json",
    "spiece.model",
    "sentencepiece*",
    *CHAT_TEMPLATES,
)
ADAPTERS = ("adapter_config.json", "adapter_model.safetensors")
"""transformers puts these on top of the weights where the package peft is installed."""
VOCABULARIES = ("tokenizer.json", "vocab*", "*.model")
"""Any of these; without one, transformers would make an empty tokenizer and say nothing."""


@dataclass(frozen=True)
class Checkpoint:
    """A folder with a model that can be loaded for `task`."""

    name: str
    folder: Path
    task: str
    revision: str | None
    config: PretrainedConfig
    trust_remote_code: bool = False

    @property
    def labels(self) -> tuple[str, ...]:
        """The label names of a classification head, in the model's order, all different (see `told_apart`)."""
        by_id: dict[int, str] = self.config.id2label or {}
        return told_apart([str(by_id[i]).encode("utf-8", "replace").decode("utf-8") for i in sorted(by_id)])

    @property
    def multi_label(self) -> bool:
        """Whether the checkpoint says that a text may have several labels."""
        return str(self.config.problem_type) == "multi_label_classification"

    @property
    def model_class(self) -> str:
        """The class that wrote the checkpoint."""
        return str((self.config.architectures or [type(self.config).__name__])[0])

    @property
    def has_chat_template(self) -> bool:
        """Whether the tokenizer knows how to put messages into a chat."""
        if any(file.is_file() for pattern in CHAT_TEMPLATES for file in self.folder.glob(pattern)):
            return True
        try:
            return bool(json.loads((self.folder / "tokenizer_config.json").read_bytes()).get("chat_template"))
        except (OSError, ValueError, AttributeError):
            return False

    @cached_property
    def n_parameters(self) -> int:
        """Numbers in the weight files, from their headers."""
        total = 0
        for file in self.weight_files:
            try:
                with safe_open(file, framework="numpy") as tensors:
                    total += sum(math.prod(tensors.get_slice(key).get_shape()) for key in tensors.keys())  # noqa: SIM118
            except SafetensorError as error:
                raise ModelError(f"{self.name}: {file.name} is damaged ({error}); fetch it again") from error
        return total

    @cached_property
    def weight_files(self) -> tuple[Path, ...]:
        """The files that transformers loads; a second copy beside them, in another layout, counts for nothing."""
        return tuple(self.folder / name for name in weight_names(self.name, self.folder))

    @cached_property
    def hashes(self) -> dict[str, str]:
        """sha256 of every file that decides what the model answers, by file name."""
        patterns = (*TOKENIZER_FILES, "config.json", "generation_config.json", *ADAPTERS)
        files = {file for pattern in patterns for file in self.folder.glob(pattern) if file.is_file()}
        files |= {*self.weight_files, *self.code_files}
        return {file.relative_to(self.folder).as_posix(): _sha256(file) for file in sorted(files)}

    @property
    def code_files(self) -> tuple[Path, ...]:
        """The Python files that come with the model and may be run."""
        return tuple(sorted(self.folder.rglob("*.py"))) if self.trust_remote_code else ()

    @property
    def code_sha256(self) -> str | None:
        """One hash over these; None where no code is run. Where there is no revision, it says which code it was."""
        files = {name: digest for name, digest in self.hashes.items() if name.endswith(".py")}
        return _combined(files) if files else None

    @property
    def weights_sha256(self) -> str:
        """One hash over the weight files."""
        return _combined({name: digest for name, digest in self.hashes.items() if name.endswith(".safetensors")})

    @property
    def tokenizer_sha256(self) -> str:
        """One hash over the tokenizer's files."""
        ends = (".safetensors", "config.json", ".py")
        files = {n: d for n, d in self.hashes.items() if not n.endswith(ends) or n == "tokenizer_config.json"}
        return _combined(files)


def told_apart(names: Sequence[str]) -> tuple[str, ...]:
    """Names of labels as they stand everywhere: `(id 3)` follows those that are blank or that another label has too.

    Names that differ by blanks alone are the same to a reader. What UTF-8 cannot write is `?` by now.
    """
    bare = [name.strip() for name in names]
    return tuple(
        name if stripped and bare.count(stripped) == 1 else f"{stripped} (id {i})".strip()
        for i, (name, stripped) in enumerate(zip(names, bare, strict=True))
    )


def find(
    name: str,
    folder: Path | None,
    *,
    task: str | None = None,
    revision: str | None = None,
    trust_remote_code: bool = False,
    offline: bool = False,
) -> Checkpoint:
    """Finds a checkpoint and what it is for; downloads it where `name` is a hub id.

    Args:
        name: As the user wrote it, for messages and the report.
        folder: The folder it names, or None for a hub id.
        task: What to use it for; the checkpoint's own task if None.
        revision: Branch, tag or commit on the hub.
        trust_remote_code: Whether code inside the checkpoint may run.
        offline: Whether to look for a hub id in the cache only.

    Raises:
        ModelError: If it is not there, has no safetensors weights, its code lies elsewhere, or it is for another task:
            regression is none.
    """
    folder, fetched_revision = (folder, revision) if folder else fetch(name, revision, trust_remote_code, offline)
    if not folder.is_dir():
        raise ModelError(
            f"{name}: expected a folder with a model, found {'a file' if folder.exists() else 'nothing'} there"
        )
    if trust_remote_code:
        require_shipped_code(name, folder)
    config = _config(name, folder, trust_remote_code)
    require_weights(name, folder)
    _require_tokenizer(name, folder)
    _require_quantiser(name, config)
    checkpoint = Checkpoint(name, folder, _task(name, config, task), fetched_revision, config, trust_remote_code)
    if tasks.task(checkpoint.task).labels == "checkpoint":
        _require_labels(checkpoint)
    return checkpoint


def _require_labels(model: Checkpoint) -> None:
    ids = sorted(model.config.id2label or {})
    if ids != list(range(len(ids))):
        raise ModelError(
            f"{model.name}: expected id2label in config.json to name the outputs of the model from 0, found the ids "
            f"{', '.join(map(str, ids[:10]))}; count from 0 there"
        )
    if len(set(model.labels)) < len(ids):
        raise ModelError(f"{model.name}: two labels in id2label of config.json have one name; give each its own")
    if str(model.config.problem_type) == "regression":
        raise ModelError(
            f"{model.name}: expected a model that chooses among labels, found one that gives a number (problem_type = "
            '"regression"), which has no probabilities; audit a classifier'
        )


def _config(name: str, folder: Path, trust_remote_code: bool) -> PretrainedConfig:
    if not (folder / "config.json").is_file():
        raise ModelError(f"{name}: expected a Hugging Face model folder, found no config.json in it")
    try:
        return AutoConfig.from_pretrained(folder, trust_remote_code=trust_remote_code)
    except (OSError, ValueError, KeyError, TypeError, ImportError) as error:
        if "trust_remote_code" in str(error):
            raise ModelError(
                f"{name}: this checkpoint brings its own code; review it, then give trust_remote_code, for a model on "
                "the hub together with a revision of 40 hexadecimal digits"
            ) from error
        raise ModelError(f"{name}: config.json cannot be understood: {first_line(error)}") from error


def _require_tokenizer(name: str, folder: Path) -> None:
    if not any(file for pattern in VOCABULARIES for file in folder.glob(pattern)):
        raise ModelError(
            f"{name}: expected a tokenizer (tokenizer.json) beside the weights, found none; save it there too"
        )


def _require_quantiser(name: str, config: PretrainedConfig) -> None:
    """Refuses quantised weights whose package, or whose device, is not there."""
    settings = getattr(config, "quantization_config", None)
    if settings is None:
        return
    method = settings["quant_method"] if isinstance(settings, dict) else settings.quant_method
    try:
        AutoHfQuantizer.from_config(settings, pre_quantized=True).validate_environment(device_map=None)
    except (ImportError, RuntimeError, ValueError, KeyError) as error:
        raise ModelError(
            f"{name}: its weights are quantised ({method}) and cannot be read here: {first_line(error)}; install what "
            "is missing beside auditor, or audit the weights that are not quantised"
        ) from error


def _task(name: str, config: PretrainedConfig, asked: str | None) -> str:
    """The task that is wanted, or the first that the checkpoint is for."""
    known, architectures = tasks.tasks(), list(config.architectures or [])
    offered = [one.name for architecture in architectures for one in _done_by(architecture, known.values())]
    if asked is None and offered:
        return offered[0]
    if asked in offered:
        return str(asked)
    expected = tasks.task(asked).name if asked else " or ".join(known)
    purpose = f", which is for {offered[0]}" if offered else ""
    raise ModelError(
        f"{name}: expected a model for {expected}, found {', '.join(architectures) or 'no architecture'}{purpose}"
    )


def _done_by(architecture: str, known: Collection[tasks.Task]) -> Iterator[tasks.Task]:
    """The tasks whose models are called so: those with the longest end, for XLMWithLMHeadModel is no LMHeadModel."""
    ends = {one.name: max((len(e) for e in one.architectures if architecture.endswith(e)), default=0) for one in known}
    longest = max(ends.values(), default=0)
    return (one for one in known if longest and ends[one.name] == longest)


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _combined(hashes: dict[str, str]) -> str:
    return hashlib.sha256(
        "".join(f"{digest}  {name}\n" for name, digest in sorted(hashes.items())).encode()
    ).hexdigest()
