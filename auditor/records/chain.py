"""The runs of an audit, each holding those before it: whoever rewrites an old one is found by the next.

When a run is complete for the first time, its manifest takes the hashes of every complete run of the audit that no
manifest names yet: of one night a link to the night before, of two runs at once one link each, taken by the run that
ends after both. A run that is rendered again keeps the links that it had.

    "before": [{"run_id": "20260131-235959-0a1b2c3d", "sums": "…", "facts": "…"}]

    sums     SHA-256 of the SHA256SUMS of that run
    facts    SHA-256 of the lines of it about plan, structure and evidence, and of its own links: no rendering changes
             them, and each link vouches for all before it

A run whose facts are others was rewritten. One whose other files changed was rendered, compared or signed again if its
manifest says which sums it had before (`sums_before`), else rewritten. One that `prune` removed stands in a file beside
the runs, with the links that it had, so that the chain goes on behind it; one that is gone and not in that file was
removed by hand. The file is a record of what this program did, no proof against whoever may write in the folder: the
newest run is named by nobody, and a forger of everything forges the chain too. A signature (`auditor sign`) is that.

    <root>/<audit>/pruned.jsonl     {"run_id": …, "sums": …, "facts": …, "before": […]}
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from auditor.errors import DiskError, StoreError
from auditor.records import disk, sums
from auditor.records.run import Run
from auditor.records.store import RunSummary, runs_in, summary_of
from auditor.records.sums import Fault

KEY: Final = "before"
PRUNED: Final = "pruned.jsonl"
_FACTS = ("plan.json", sums.STRUCTURE, "evidence/")


@dataclass(frozen=True, slots=True)
class Link:
    """A run as a later one remembers it."""

    run_id: str
    sums: str
    facts: str


@dataclass
class Chain:
    """What the runs of an audit say about each other, as far as it concerns one of them."""

    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What is no fault: runs that were pruned, or rendered again."""
    n_runs: int = 0
    """Runs before this one whose files are those that a later run remembers."""


def links(run: Run) -> list[dict[str, str]]:
    """What the manifest of a run that is being finished keeps of the runs before it."""
    known = run.manifest()
    if known is not None:
        return list(known.get(KEY, []))
    summary = summary_of(run.path)
    if summary.audit is None:
        return []
    complete = [one for one in runs_in(summary.audit) if one.state == "complete" and one.path != run.path]
    named = {link.run_id for one in complete for link in _links(one.manifest)}
    named |= {link.run_id for entry in _pruned(summary.audit).values() for link in _links(entry)}
    remembered = (_link(one) for one in complete if one.run_id not in named)
    return [asdict(link) for link in remembered if link]


def note_pruned(run: RunSummary) -> None:
    """Say beside the runs that one is about to be removed, with what later runs remember of it, and it of others.

    Raises:
        DiskError: the folder cannot be written.
    """
    link = _link(run)
    if run.audit and link and run.manifest:
        entry = {**asdict(link), KEY: run.manifest.get(KEY, [])}
        disk.append(run.audit / PRUNED, (json.dumps(entry, sort_keys=True) + "\n").encode())


def verify(run: Run) -> Chain | None:
    """What is wrong with the runs before this one, and with this one by what later runs say; None outside its audit.

    Reads the manifests and sums of the audit, not the files of other runs.

    Raises:
        DiskError: a file cannot be read.
    """
    summary = summary_of(run.path)
    if summary.audit is None:
        return None
    known, chain = {one.run_id: one for one in runs_in(summary.audit)}, Chain()
    _add_unreadable(known, summary.audit)
    pruned = _pruned(summary.audit)
    for later in known.values():
        for link in _links(later.manifest):
            if link.run_id == run.run_id:
                _compare(link, summary, later.run_id, chain, "SHA256SUMS")
    waiting = [(run.run_id, link) for link in _links(run.manifest() or {})]
    seen = {run.run_id}
    while waiting:
        by, link = waiting.pop()
        if link.run_id in seen:
            continue
        seen.add(link.run_id)
        waiting += [(link.run_id, further) for further in _judge(link, by, known, pruned, chain)]
    return chain


def _judge(
    link: Link, by: str, known: Mapping[str, RunSummary], pruned: Mapping[str, dict[str, Any]], chain: Chain
) -> Iterable[Link]:
    """Judges one run of before; what it links to in turn."""
    if link.run_id in known:
        before = known[link.run_id]
        chain.n_runs += _compare(link, before, by, chain, f"../{link.run_id}")
        return _links(before.manifest)
    if link.run_id not in pruned:
        problem = f"is gone, and was not removed by `auditor prune`; {by} was made after it"
        chain.faults.append(Fault(f"../{link.run_id}", problem))
        return ()
    entry = pruned[link.run_id]
    if entry.get("facts") != link.facts:
        chain.faults.append(Fault(f"../{link.run_id}", f"was changed before it was pruned: {by} knows other evidence"))
    chain.notes.append(f"{link.run_id} was pruned")
    return _links(entry)


def _compare(link: Link, run: RunSummary, by: str, chain: Chain, path: str) -> bool:
    """Whether a run is the one that a later one remembers; else the chain has a fault more, said of a path."""
    remembered, problem = _link(run), ""
    if remembered is None or not run.manifest:
        problem = f"is not the complete run any more that {by} was made after"
    elif remembered.facts != link.facts:
        problem = f"was rewritten: plan, evidence or links are not those that {by} was made after"
    elif remembered.sums != link.sums and link.sums not in run.manifest.get("sums_before", ()):
        problem = f"was rewritten: SHA256SUMS is not the one that {by} was made after"
    elif remembered.sums != link.sums:
        chain.notes.append(f"{link.run_id} was rendered again after {by}: evidence is the same, other files are not")
    if problem:
        chain.faults.append(Fault(path, problem))
    return not problem


def _link(run: RunSummary) -> Link | None:
    """The hashes of a run as they are now; None where its sums cannot be read."""
    try:
        content = disk.read(run.path / "SHA256SUMS")
        lines = sums.parse(content)
    except (FileNotFoundError, StoreError):
        return None
    facts = sums.render({name: digest for name, digest in lines.items() if name.startswith(_FACTS)})
    before = json.dumps(run.manifest.get(KEY, []), sort_keys=True).encode()
    return Link(run.run_id, sums.sha256(content), sums.sha256(facts + before))


def _links(manifest: Mapping[str, Any]) -> Iterator[Link]:
    """The links in a manifest, or in a line about a pruned run; those that cannot be read are none."""
    kept = manifest.get(KEY)
    for one in kept if isinstance(kept, list) else ():
        with suppress(KeyError, TypeError):
            yield Link(str(one["run_id"]), str(one["sums"]), str(one["facts"]))


def _add_unreadable(known: dict[str, RunSummary], audit: Path) -> None:
    """Runs of other formats have no title that a listing could read; their folders are called like them."""
    for path in audit.glob("*/plan.json"):
        known.setdefault(path.parent.name, summary_of(path.parent))


def _pruned(audit: Path) -> dict[str, dict[str, Any]]:
    """Run id → what was known of a run that was removed; lines that were cut are passed over."""
    entries: dict[str, dict[str, Any]] = {}
    try:
        lines = disk.read(audit / PRUNED).decode("utf-8", "replace").splitlines()
    except (FileNotFoundError, DiskError):
        return entries
    for line in lines:
        with suppress(ValueError, TypeError, KeyError):
            entry = json.loads(line)
            entries[str(entry["run_id"])] = dict(entry)
    return entries
