"""Reads datasets of the hub, addressed by name.

    hf://datasets/OWNER/NAME[@REVISION][/SUBSET]

The package datasets, an optional dependency, downloads and caches them; its errors are passed on.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from auditor.corpus.faults import quote
from auditor.corpus.readers.classes import Classes, classes_of, named
from auditor.corpus.readers.rows import Row, Source
from auditor.errors import CorpusError
from auditor.records.dialect import Dialect

SCHEME = "hf://"
_ADDRESS = re.compile(
    r"hf://datasets/(?P<name>[\w.-]+(?:/[\w.-]+)?)(?:@(?P<revision>[^/@]+))?(?:/(?P<subset>[\w.-]+))?", re.ASCII
)
_BATCH = 1024


def open_hub(address: str, split: str | None) -> Source:
    """The rows of a dataset of the hub.

    Args:
        address: As above; begins with `SCHEME`.
        split: The split, as datasets writes it ("test", "train[:100]"); None where there is only one.

    Raises:
        CorpusError: the address is malformed, the package is not installed, or it cannot load that split.
    """
    parsed = _ADDRESS.fullmatch(address)
    if parsed is None:
        raise CorpusError(f"{address}: expected hf://datasets/OWNER/NAME, with @REVISION and /SUBSET where needed")
    if find_spec("datasets") is None:
        raise CorpusError(f"{address}: needs the package datasets; pip install datasets")
    if Path(parsed["name"]).is_dir():
        what = f"the folder {parsed['name']} lies here, and the package datasets would read it instead"
        raise CorpusError(f"{address}: {what}; start from another folder")
    table = _only_split(address, _load(address, parsed, split))
    classes = classes_of(table.features.to_dict())
    path = Path(parsed["name"])
    return Source(path, Dialect("dataset", classes=classes), _sha256(table), lambda: _rows(path, table, classes))


def may_be_name(text: str) -> bool:
    """Whether a text could be the name of a dataset: NAME or OWNER/NAME."""
    return address_of(f"{SCHEME}datasets/{text}") is not None


def address_of(text: str) -> dict[str, str | None] | None:
    """`name`, `revision` and `subset` of an address as above; None of anything else."""
    parsed = _ADDRESS.fullmatch(text)
    return parsed.groupdict() if parsed else None


def _load(address: str, parsed: re.Match[str], split: str | None) -> Any:  # datasets has no types
    import datasets

    try:
        return datasets.load_dataset(parsed["name"], parsed["subset"], split=split, revision=parsed["revision"])
    except (datasets.exceptions.DatasetsError, OSError, ValueError, RuntimeError, ImportError) as error:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise CorpusError(f"{address}: {reason}") from error


def _only_split(address: str, loaded: Any) -> Any:
    """The table that was loaded, or the only one of the splits that were.

    Raises:
        CorpusError: there are several splits.
    """
    if not isinstance(loaded, dict):
        return loaded
    if len(loaded) == 1:
        return next(iter(loaded.values()))
    listed = ", ".join(quote(str(name)) for name in loaded)
    raise CorpusError(f"{address}: is in splits; name one in corpus.split or --split: {listed}")


def _values(table: Any) -> Iterator[dict[str, Any]]:
    for batch in table.with_format("arrow").iter(_BATCH):
        yield from batch.to_pylist()


def _rows(path: Path, table: Any, classes: Classes) -> Iterator[Row]:
    for number, values in enumerate(_values(table), 1):
        location = f"row {number}"
        yield Row(number, location, named(path, location, values, classes))


def _sha256(table: Any) -> str:
    """SHA-256 of the rows, one JSON object per line: files in the cache differ between releases of datasets."""
    digest = hashlib.sha256()
    for values in _values(table):
        digest.update(json.dumps(values, ensure_ascii=True, sort_keys=True, default=str).encode() + b"\n")
    return digest.hexdigest()
