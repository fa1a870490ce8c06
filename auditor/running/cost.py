"""What a run will cost, before it runs: of each probe how often it asks at most, and about how long that takes."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from auditor.probes.contract import Evaluations

HEADINGS = ("", "documents", "evaluations, at most", "estimated", "tokens", "time")


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a probe will compute for all of its documents, judged by those that were tried."""

    evaluations: int
    """Inputs that a model reads, gradients among them."""
    gradients: int
    tokens: int
    seconds: float


@dataclass(frozen=True, slots=True)
class ProbeCost:
    """What one probe costs."""

    probe: str
    documents: int
    most: "Evaluations | None"
    """Of all its documents together; None where the probe does not say."""
    tried: int
    """Documents that were measured for the estimate; 0 where one would have taken long, or had to be measured before
    by a probe that was not tried."""
    estimate: Estimate | None
    """None where nothing is known."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run costs on this machine, in one process, without the report."""

    probes: tuple[ProbeCost, ...]
    once: float
    """Seconds for what is done once: models are loaded, how they are asked is proven, probes prepare themselves."""
    took: float
    """Seconds that finding this out took."""
    device: str

    @property
    def least_seconds(self) -> float:
        """Of what is known, together."""
        return self.once + sum(probe.estimate.seconds for probe in self.probes if probe.estimate)

    @property
    def unknown(self) -> list[str]:
        """The probes whose time is unknown."""
        return [probe.probe for probe in self.probes if probe.estimate is None]

    @property
    def seconds(self) -> float | None:
        """Of all together; None where the time of one probe is unknown."""
        return None if self.unknown else self.least_seconds

    @property
    def lines(self) -> Iterator[str]:
        """A table and two sentences, for people."""
        yield from _aligned([HEADINGS, *map(_row, self.probes)])
        yield ""
        whole = f"about {_time(self.least_seconds)}"
        if self.unknown:
            whole += f", and what {', '.join(self.unknown)} takes besides,"
        yield (
            f"estimated: {whole} on {self.device}, {_time(self.once)} of it to load models, prove how they are asked "
            "and prepare the probes; without the report"
        )
        yield (
            f"from a few documents of each probe, measured in {_time(self.took)}; nothing was written. Evaluations of "
            "gradients read a text forwards and backwards"
        )

    def as_json(self) -> dict[str, Any]:
        """The same as values of JSON, for machines."""
        return {
            "probes": {cost.probe: {k: v for k, v in asdict(cost).items() if k != "probe"} for cost in self.probes},
            "once": self.once,
            "seconds": self.seconds,
            "took": self.took,
            "device": self.device,
        }


def _row(cost: ProbeCost) -> tuple[str, ...]:
    most = "not stated" if cost.most is None else _evaluations(cost.most.forward, cost.most.backward)
    if cost.estimate is None:
        return (cost.probe, f"{cost.documents:,}", most, "not known", "", "")
    estimate = cost.estimate
    asked = _evaluations(estimate.evaluations - estimate.gradients, estimate.gradients)
    return (cost.probe, f"{cost.documents:,}", most, asked, f"{estimate.tokens:,}", _time(estimate.seconds))


def _evaluations(forward: int, backward: int) -> str:
    return f"{forward:,} + {backward:,} gradients" if backward else f"{forward:,}"


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, *cells in rows:
        yield "  ".join(
            [f"{name:<{widths[0]}}", *(f"{c:>{w}}" for c, w in zip(cells, widths[1:], strict=True))]
        ).rstrip()


def _time(seconds: float) -> str:
    """To two digits, in the unit that people would say."""
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.2g} {unit}" if seconds < 10 * size else f"{seconds / size:,.0f} {unit}"
    return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
