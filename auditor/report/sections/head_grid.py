"""A grid of all heads, layers down and heads across: one drawing for every section that has one."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Grid:
    """One layer × head grid."""

    title: str
    finding: str
    drawing: str
    low: str
    high: str
