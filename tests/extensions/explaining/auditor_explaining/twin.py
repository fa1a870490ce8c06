"""A second explainer: LIME under another name, so that its weights are known."""

from typing import ClassVar

from pydantic.dataclasses import dataclass

from auditor.probes.contract import STRICT
from auditor.probes.lime.probe import LimeProbe


@dataclass(frozen=True, config=STRICT)
class TwinProbe(LimeProbe):
    """Explains as LIME does."""

    name: ClassVar[str] = "twin"
    method: ClassVar[str] = "twin"
