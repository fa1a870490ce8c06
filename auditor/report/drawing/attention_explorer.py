"""The attention maps of documents as JSON, from which the page's script draws any head on request.

    documents   tokens as they are printed, and the map in base64: for each head, for each query, n_keys positions of
                keys and then their n_keys weights, heaviest first, one byte each (255 is a weight of 1)
    heads       [layer, head], in the order of the map
    n_keys      8, 6 or 4: the most with which all documents fit into `BUDGET` characters

Where not all documents fit even with 4 keys, only the first ones are included; where not one fits, only the heads that
follow a pattern, the strongest of each. `<`, `>`, `&` and the two line ends of JavaScript are escaped, so that no token
can end the script that holds the JSON.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from auditor.findings.types import AttentionFindings
from auditor.languages import say
from auditor.records.types import AttentionMap, AttentionStatistics
from auditor.report.drawing import formats
from auditor.report.drawing.attention_maps import BLANK

BUDGET = 320_000
"""Characters of all maps together, in base64."""
KEYS = (8, 6, 4)
STRONGEST = 8
"""Heads of each pattern, where not all heads fit."""
_ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}

Head = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Explorer:
    """The maps that the page can draw."""

    data: Markup
    """The JSON described above."""
    documents: tuple[str, ...]
    """Ids of the documents included."""
    n_left_out: int
    """The number of mapped documents that did not fit."""
    has_all_heads: bool
    n_keys: int
    """Keys kept of each query."""


def build(records: Sequence[AttentionStatistics], findings: AttentionFindings) -> Explorer | None:
    """The maps of as many documents as fit, in the order of `records`; None where not one fits."""
    all_heads = [(layer, head) for layer in range(findings.n_layers) for head in range(findings.n_heads)]
    strongest = sorted({(layer, head) for c in findings.classes for layer, head, _ in c.heads[:STRONGEST]})
    for heads in (all_heads, strongest):
        n_keys = next((n for n in KEYS if _size(records, heads, n) <= BUDGET), KEYS[-1])
        included = [r for i, r in enumerate(records) if _size(records[: i + 1], heads, n_keys) <= BUDGET]
        if included and heads:
            return Explorer(
                data=escaped(_payload(included, heads, n_keys)),
                documents=tuple(record.document_id for record in included),
                n_left_out=len(records) - len(included),
                has_all_heads=len(heads) == len(all_heads),
                n_keys=n_keys,
            )
    return None


def escaped(payload: object) -> Markup:
    """A value as JSON that can stand in a script: it neither ends it nor contains markup."""
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.translate(_ESCAPES))


def _size(records: Sequence[AttentionStatistics], heads: Sequence[Head], n_keys: int) -> int:
    """The number of characters of the maps in base64."""
    n_rows = sum(record.map.n_tokens for record in records if record.map) * len(heads)
    return n_rows * n_keys * 2 * 4 // 3


def _payload(records: Sequence[AttentionStatistics], heads: Sequence[Head], n_keys: int) -> dict[str, object]:
    """The object that becomes JSON; placeholders in `words` are filled by the script."""
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


def _packed(attention_map: AttentionMap, heads: Sequence[int], n_keys: int) -> str:
    """The first n_keys keys and weights of every query of these heads, in base64."""
    keys, weights, n_tokens = attention_map.keys, attention_map.weights, attention_map.n_tokens
    starts = [(head * n_tokens + query) * attention_map.n_keys for head in heads for query in range(n_tokens)]
    rows = (keys[start : start + n_keys] + weights[start : start + n_keys] for start in starts)
    return base64.b64encode(b"".join(rows)).decode("ascii")
