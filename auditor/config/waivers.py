"""The file of waivers: failures that somebody answers for until a day.

[[waiver]]
finding = "checks.accuracy.at_least"     the id of a check, or `baseline.` and the name of a number
owner = "Ada Lovelace"
expires = 2027-01-31                     the last day on which it holds
reason = "The new annotation guide changes 40 labels; see ticket 123."
"""

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from auditor.config.base import Name, Table
from auditor.config.loading import read_tables
from auditor.errors import ConfigError

Line = Annotated[str, Field(min_length=1, max_length=120)]
Reason = Annotated[str, Field(min_length=1, max_length=600)]
_EXPECTED = {
    "missing": "missing",
    "extra_forbidden": "unknown key; known here: finding, owner, expires, reason",
    "date_type": "expected a day such as 2027-01-31, without quotation marks",
}


class WaiverConfig(Table):
    """One failure that is waived."""

    finding: Name
    """Its id: `checks.accuracy.at_least`, or `baseline.accuracy` for a number that got worse than the baseline's."""
    owner: Line
    """Who answers for it."""
    expires: datetime.date
    """The last day on which it holds, in UTC."""
    reason: Reason


class WaiverFile(Table):
    """The whole file."""

    waiver: list[WaiverConfig] = Field(default_factory=list)


def read(path: Path) -> tuple[WaiverConfig, ...]:
    """The waivers of a file.

    Raises:
        ConfigError: every fault of the file, one line each.
    """
    try:
        waivers = tuple(WaiverFile.model_validate(read_tables(path)).waiver)
    except ValidationError as error:
        raise ConfigError("\n".join(f"{path}: {line}" for line in dict.fromkeys(_faults(error)))) from None
    findings = [waiver.finding for waiver in waivers]
    if repeated := [name for name in dict.fromkeys(findings) if findings.count(name) > 1]:
        raise ConfigError(f"{path}: waives {' and '.join(repeated)} more than once")
    return waivers


def _faults(error: ValidationError) -> Iterator[str]:
    for fault in error.errors(include_url=False):
        key = ".".join(str(part) for part in fault["loc"])
        yield f"{key}: {_EXPECTED.get(fault['type'], fault['msg'].replace('Input should be', 'expected'))}"
