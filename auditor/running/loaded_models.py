"""The models of a run: the audited one and those that probes ask instead of it, each loaded when it is first asked."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from heapq import nlargest
from typing import TYPE_CHECKING, Any

from auditor.records.proof import Proof
from auditor.records.structure import Structure
from auditor.running.preflight import Preflight
from auditor.running.progress import Progress

if TYPE_CHECKING:
    from auditor.models import Adapter

_DEVICE = {"device", "dtype", "batch_tokens", "device_map"}
_LABELS_AND_LENGTH = {"max_length", "multi_label"}
_ASKED = {"prompt", "candidates", "max_new_tokens", "chat"}
"""Keys of [model] that say how the audited model is asked; a reference model is not, nor told its labels and length."""
LONGEST = 8
"""Documents with the most characters among which the one with the most tokens is looked for."""


@dataclass
class LoadedModels:
    """Models by the name in a probe's table; None is the audited one."""

    preflight: Preflight
    progress: Progress
    _loaded: dict[str | None, "Adapter"] = field(default_factory=dict)

    def __getitem__(self, reference: str | None) -> "Adapter":
        """The model, loaded if it is not yet.

        Raises:
            ModelError: It cannot be loaded.
        """
        from auditor import models

        if reference not in self._loaded:
            config = self.preflight.config.model
            checkpoint = self.preflight.references[reference] if reference else self.preflight.checkpoint
            self.progress.say(f"loading {checkpoint.name}")
            asked = {} if reference else config.model_dump(include=_ASKED, exclude_none=True)
            settings = models.Settings(**asked, **self._lengths(reference), compile=config.compile)
            named = _DEVICE if reference else _DEVICE | _LABELS_AND_LENGTH
            self._loaded[reference] = models.load(checkpoint, settings, **config.model_dump(include=named))
        return self._loaded[reference]

    @property
    def work(self) -> Counter[str]:
        """What all of them were asked to compute so far."""
        total = Counter[str]()
        for model in self._loaded.values():
            total.update(model.batcher.work)
        return total

    @property
    def batch_tokens(self) -> dict[str, int]:
        """Model → tokens per batch that it came down to, of those whose device ran out of memory."""
        return {m.identity.name: m.batcher.budget for m in self._loaded.values() if m.batcher.n_halvings}

    @property
    def proofs(self) -> Mapping[str | None, tuple[Proof, ...]]:
        """What is proven about each that is loaded."""
        return {reference: tuple(model.proofs.values()) for reference, model in self._loaded.items()}

    @property
    def structures(self) -> tuple[Structure, ...]:
        """What each that is loaded is made of, where that was looked at."""
        of_models = (model.identity.structure for model in self._loaded.values())
        return tuple(one for one in of_models if one is not None)

    def _lengths(self, reference: str | None) -> dict[str, Any]:
        """The longest texts that a model will be asked about, and how much of them it will read at once."""
        asking = [probe for probe in self.preflight.probes if probe.model == reference]
        windows = [getattr(probe, "context_length", None) for probe in asking]
        documents = nlargest(LONGEST, self.preflight.documents, key=lambda d: len(d.text) + len(d.pair or ""))
        texts = [(document.text, document.pair) for document in documents if not document.is_blank]
        limits = [window for window in windows if window is not None]
        return {"texts": texts, "most_tokens": max(limits) if len(limits) == len(windows) else None}
