"""Makes WeasyPrint lay out pages with links twice instead of three times, for the page numbers beside links.

While WeasyPrint 70 builds boxes, it records for every link which counters of which target it prints; when the page of a
target is made, the links to it are updated. Three bugs make it lay out every page with a link three times:

    name     the target in `attr(href url)` is not resolved to its name, so that no link is recorded under a target
    counter  the counter of the target is taken for one of the link's page, whose content is parsed again at each new
             value of any counter; only this gives the links their page numbers
    change   a target reports a change of its counters when only the total number of pages changed, which links do not
             print

All three are corrected here, for links that print counters of the target of their `href` only; and a link that comes
after its target is updated before its own page is made. The bytes of the PDF stay the same; other links are left to
WeasyPrint.
"""

from typing import Any
from urllib.parse import unquote

_BEHIND_HREF = ("attr()", ("href", "url", ""))
"""`attr(href url)` as WeasyPrint parses it."""


def with_fewer_layouts(collector: type[Any]) -> type[Any]:
    """A subclass of WeasyPrint's `TargetCollector` without the three bugs."""

    class FewerLayouts(collector):  # type: ignore[misc]
        """Records which counters of which target each box prints."""

        def collect_missing_counters(
            self, box: Any, css_token: str, parse_again: Any, missing: Any, missing_of_targets: Any
        ) -> None:
            """Record the counters that a box lacks: those of its page, and those of targets by name."""
            name = _target(box) if css_token == "content" and set(missing_of_targets) == {None} else ""
            if name in self.target_lookup_items and missing is missing_of_targets[None]:
                missing, missing_of_targets = [], {name: missing_of_targets[None]}
            super().collect_missing_counters(box, css_token, parse_again, missing, missing_of_targets)

        def cache_target_page_counters(self, name: str, values: Any, index: int, pages: Any) -> None:
            """Update the boxes that print counters of a target whose page was made."""
            boxes = [item for item in self.counter_lookup_items.values() if name in item.missing_target_counters]
            printed = {counter for item in boxes for counter in item.missing_target_counters[name]}
            values = {counter: value for counter, value in values.items() if counter in printed}
            super().cache_target_page_counters(name, values, index, pages)
            for item in boxes:
                if item.pending:
                    item.pending = False
                    item.parse_again(item.cached_page_counter_values)

    return FewerLayouts


def _target(box: Any) -> str:
    """The name of a link's target, where its box prints counters of that target only; else ""."""
    counters = [(kind, value[0]) for kind, value in box.style["content"] if "counter" in kind]
    if any(counter != ("target-counter()", _BEHIND_HREF) for counter in counters):
        return ""
    return unquote((box.element.get("href") or "").partition("#")[2])
