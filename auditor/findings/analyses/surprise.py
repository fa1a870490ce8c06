"""The documents that surprised a model most, as page one names them."""

from collections.abc import Iterator, Sequence

from auditor.findings.contract.types import Pointer
from auditor.findings.wording.sentences import middle
from auditor.languages import say
from auditor.languages.numbers import listed

_NAMED = 3
_NAME_LENGTH = 32


def point_at_surprising(documents: Sequence[tuple[str, str]], overall: str, section: str) -> Iterator[Pointer]:
    """The conclusion on them, worst first; nothing where there are none.

    Args:
        documents: Id and value, in words.
        overall: The value of all documents, a sentence.
        section: Id of the section that shows them.
    """
    named = [
        say("{document} ({value})", document=middle(name, _NAME_LENGTH), value=value)
        for name, value in documents[:_NAMED]
    ]
    if named:
        text = say("{documents}. {overall}", documents=listed(named), overall=overall)
        yield Pointer(severity="note", topic=say("Most surprising"), text=text, section=section)
