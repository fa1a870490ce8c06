"""Page numbers beside links, right after one more layout of their pages instead of two.

While boxes are built, WeasyPrint 70 notes for every counter of a target who waits for which target; when the page of a
target is made, those who wait are told. Three slips let it lay out every page with a link three times:

    name     the name behind `attr(href url)` is not looked up, so that nobody waits for any target by its name
    counter  the counter of the target is taken for a counter of the link's own page, which is parsed again with each
             new value of any counter; only this brings the numbers of pages into the links
    news     a target tells that its counters changed when only the number of all pages did, which no link prints

Here all three are put right, for links that print counters of what their `href` leads to, and who stands behind the
target is told before the own page is made. The bytes of the PDF stay the same; other links are left to WeasyPrint.
"""

from typing import Any
from urllib.parse import unquote

_BEHIND_HREF = ("attr()", ("href", "url", ""))
"""`attr(href url)` as WeasyPrint parses it."""


def settled(collector: type[Any]) -> type[Any]:
    """WeasyPrint's collector of targets without the three slips."""

    class Settled(collector):  # type: ignore[misc]
        """Who waits for which counters of which target."""

        def collect_missing_counters(self, box: Any, css_token: str, parse: Any, own: Any, of_targets: Any) -> None:
            """A box waits for counters: `own` ones, or those of targets by name."""
            name = _target(box) if css_token == "content" and set(of_targets) == {None} else ""
            if name in self.target_lookup_items and own is of_targets[None]:
                own, of_targets = [], {name: of_targets[None]}
            super().collect_missing_counters(box, css_token, parse, own, of_targets)

        def cache_target_page_counters(self, name: str, values: Any, index: int, pages: Any) -> None:
            """The page of a target is made: those who wait are told, where it is news to them."""
            waiting = [item for item in self.counter_lookup_items.values() if name in item.missing_target_counters]
            wanted = {counter for item in waiting for counter in item.missing_target_counters[name]}
            news = {counter: value for counter, value in values.items() if counter in wanted}
            super().cache_target_page_counters(name, news, index, pages)
            for item in waiting:
                if item.pending:
                    item.pending = False
                    item.parse_again(item.cached_page_counter_values)

    return Settled


def _target(box: Any) -> str:
    """The name of what a link leads to, where its box prints counters of that and no others."""
    counters = [(kind, value[0]) for kind, value in box.style["content"] if "counter" in kind]
    if any(counter != ("target-counter()", _BEHIND_HREF) for counter in counters):
        return ""
    return unquote((box.element.get("href") or "").partition("#")[2])
