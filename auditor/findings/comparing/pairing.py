"""Which documents of two runs are the same: by id and by the hash of what the model and the scores see of them.

    same id, same hash                             paired
    same hash, the id of neither is paired yet     paired too ("renamed"), in the order of either corpus
    same id, another hash                          changed: another text, or another reference
    what is left                                   removed, added

Only paired documents are compared. The hash is SHA-256 of text, second sentence and reference labels: a document whose
reference was corrected would make a model better or worse that answers as before. Metadata may differ.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from auditor.findings.comparing.types import DocumentChanges
from auditor.findings.contract.evidence import Evidence
from auditor.records.types import Document


@dataclass(frozen=True, slots=True)
class Pairing:
    """The documents that both runs have."""

    ids: Mapping[str, str]
    """Id in the later run → id in the earlier one, in the order of the later corpus."""
    changes: DocumentChanges


def pair_documents(before: Evidence, after: Evidence) -> Pairing:
    """Pairs the documents of two runs."""
    earlier, later = _hashed(before.documents), _hashed(after.documents)
    same = {name: name for name, digest in later.items() if earlier.get(name) == digest}
    renamed = _renamed(
        {name: digest for name, digest in earlier.items() if name not in same},
        {name: digest for name, digest in later.items() if name not in same},
    )
    ids = {name: same.get(name, renamed.get(name, "")) for name in later if name in same or name in renamed}
    kept = set(ids.values())
    gone = [name for name in earlier if name not in kept]
    new = [name for name in later if name not in ids]
    changed = set(gone) & set(new)
    changes = DocumentChanges(
        n_paired=len(ids),
        n_renamed=len(renamed),
        added=tuple(name for name in new if name not in changed),
        removed=tuple(name for name in gone if name not in changed),
        changed=tuple(name for name in new if name in changed),
    )
    return Pairing(ids, changes)


def _hashed(documents: Iterable[Document]) -> dict[str, str]:
    return {document.id: text_hash(document) for document in documents}


def text_hash(document: Document) -> str:
    """SHA-256 of what the model and the scores see of a document, in hex."""
    seen = [document.text, document.pair, sorted(document.labels), document.unlabelled]
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()


def _renamed(earlier: Mapping[str, str], later: Mapping[str, str]) -> dict[str, str]:
    """Later id → earlier id of documents with the same hash."""
    waiting: dict[str, list[str]] = defaultdict(list)
    for name, digest in reversed(list(earlier.items())):
        waiting[digest].append(name)
    return {name: waiting[digest].pop() for name, digest in later.items() if waiting.get(digest)}
