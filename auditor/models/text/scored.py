"""What is scored in many windows: equal inputs are read once, a state is asked for all its targets."""

from collections.abc import Sequence
from dataclasses import dataclass

from auditor.models.inputs import Encoded, Sequences, Window


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """The distinct inputs of some windows, and where among the (R, slots) scores that of each target is."""

    sequences: Sequences
    """The distinct inputs."""
    rows: list[range]
    """The positions of each input whose states are wanted, R in all."""
    targets: list[list[int]]
    """R entries: the tokens that are asked of each state, one a slot."""
    places: list[list[tuple[int, int]]]
    """Row and slot of each target, window by window."""

    @classmethod
    def of(cls, windows: Sequence[Window]) -> "Scored":
        """Gathers the windows by their input."""
        by_ids: dict[tuple[int, ...], list[int]] = {}
        for index, window in enumerate(windows):
            by_ids.setdefault(window.ids, []).append(index)
        rows: list[range] = []
        targets: list[list[int]] = []
        places: list[list[tuple[int, int]]] = [[] for _ in windows]
        for ids, indices in by_ids.items():
            start = len(ids) - max(len(windows[i].targets) for i in indices)
            first = len(targets) - start
            rows.append(range(start, len(ids)))
            targets += [[] for _ in rows[-1]]
            for i in indices:
                for position, token in enumerate(windows[i].targets, len(ids) - len(windows[i].targets)):
                    places[i].append((first + position, len(targets[first + position])))
                    targets[first + position].append(token)
        return cls(Sequences.of([Encoded(ids) for ids in by_ids]), rows, targets, places)
