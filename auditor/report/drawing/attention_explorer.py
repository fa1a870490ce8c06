"""What the page needs to show any head of the mapped documents on request, as JSON inside a script that never runs.

    documents   id, tokens as they are printed, base64 of the map: heads one behind the other, of each its queries, of
                each n_keys positions of keys, then n_keys weights, heaviest first, a byte each (255 is 1)
    heads       [layer, head] of each, in the order of the map
    n_keys      8, 6 or 4: as many as let all documents fit into `BUDGET` characters

Where even with the fewest keys not all documents fit, those drawn first are taken; where not one does, only heads that
follow a pattern, the strongest of each. `<`, `>`, `&` and the two line ends of JavaScript are escaped, so that no token
can end the script.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from auditor.findings.analyses.attention import AttentionFindings
from auditor.languages import say
from auditor.records.types import AttentionMap, AttentionStatistics
from auditor.report.drawing import formats
from auditor.report.drawing.attention_maps import BLANK

BUDGET = 320_000
"""Characters of all maps together."""
KEYS = (8, 6, 4)
STRONGEST = 8
"""Heads of one pattern, where not all heads fit."""
_ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}

Head = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Explorer:
    """What can be looked at: documents, layers, heads."""

    data: Markup
    documents: tuple[str, ...]
    n_left_out: int
    """Mapped documents that did not fit."""
    has_all_heads: bool
    n_keys: int


def build(records: Sequence[AttentionStatistics], found: AttentionFindings) -> Explorer | None:
    """The maps of as many documents as fit, in the order in which they were drawn; None where there is none."""
    everything = [(layer, head) for layer in range(found.n_layers) for head in range(found.n_heads)]
    strongest = sorted({(layer, head) for c in found.classes for layer, head, _ in c.heads[:STRONGEST]})
    for heads in (everything, strongest):
        n_keys = next((n for n in KEYS if _size(records, heads, n) <= BUDGET), KEYS[-1])
        shown = [r for i, r in enumerate(records) if _size(records[: i + 1], heads, n_keys) <= BUDGET]
        if shown and heads:
            return Explorer(
                data=escaped(_payload(shown, heads, n_keys)),
                documents=tuple(record.document_id for record in shown),
                n_left_out=len(records) - len(shown),
                has_all_heads=len(heads) == len(everything),
                n_keys=n_keys,
            )
    return None


def escaped(payload: object) -> Markup:
    """JSON that cannot end the script it stands in, nor be mistaken for markup."""
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.translate(_ESCAPES))


def _size(records: Sequence[AttentionStatistics], heads: Sequence[Head], n_keys: int) -> int:
    """Characters of base64."""
    n_rows = sum(record.map.n_tokens for record in records if record.map) * len(heads)
    return n_rows * n_keys * 2 * 4 // 3


def _payload(records: Sequence[AttentionStatistics], heads: Sequence[Head], n_keys: int) -> dict[str, object]:
    return {
        "keys": n_keys,
        "heads": heads,
        "words": {
            "place": say("Layer {layer}, head {head}", layer="{layer}", head="{head}"),
            "reading": say(
                "{place}: “{token}” attends most to {keys}.", place="{place}", token="{token}", keys="{keys}"
            ),
            "key": say("“{token}” {weight}", token="{token}", weight="{weight}"),
            "nothing": say(
                "{place}: “{token}” spreads its attention evenly over many tokens.", place="{place}", token="{token}"
            ),
        },
        "documents": [
            {
                "tokens": [formats.visible(token.strip()) or BLANK for token in record.tokens[: record.map.n_tokens]],
                "map": _packed(record.map, [layer * record.n_heads + head for layer, head in heads], n_keys),
            }
            for record in records
            if record.map
        ],
    }


def _packed(found: AttentionMap, cells: Sequence[int], n_keys: int) -> str:
    most = found.n_keys
    starts = [(cell * found.n_tokens + query) * most for cell in cells for query in range(found.n_tokens)]
    rows = (found.keys[at : at + n_keys] + found.weights[at : at + n_keys] for at in starts)
    return base64.b64encode(b"".join(rows)).decode("ascii")
