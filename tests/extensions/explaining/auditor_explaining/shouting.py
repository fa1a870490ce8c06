"""How much of a text is written in capitals?"""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from pydantic import Field
from pydantic.dataclasses import dataclass

from auditor.models import Classifies
from auditor.probes.contract import STRICT, Sitting
from auditor.records.types import Document, NotMeasurable, Unmeasured
from auditor_explaining.shouting_summary import Shouting


@dataclass(frozen=True, config=STRICT)
class ShoutingProbe:
    """Counts letters."""

    name: ClassVar[str] = "shouting"
    needs: ClassVar[type] = Classifies
    record: ClassVar[type] = Shouting

    limit: int | None = Field(default=None, ge=1)

    @property
    def model(self) -> None:
        """The audited model itself."""

    def measure(
        self, model: Classifies, documents: Sequence[Document], sitting: Sitting[object]
    ) -> Iterator[Shouting | Unmeasured]:
        """Yields the share of upper-case letters."""
        del model, sitting
        for document in documents:
            letters = [letter for letter in document.text if letter.isalpha()]
            if letters:
                yield Shouting(document.id, sum(map(str.isupper, letters)) / len(letters))
            else:
                yield NotMeasurable(document.id, "no-letter", "the text has no letter")
