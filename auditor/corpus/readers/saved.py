"""A folder that the package datasets wrote with `save_to_disk`, read with pyarrow alone.

    dataset_info.json   the features of the columns, the names of classes among them
    state.json          which files hold the rows, in order
    data-*.arrow        the rows

A DatasetDict is a folder of such folders, one per split, and dataset_dict.json with their names.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from auditor.corpus.faults import fault, quote, suggestion
from auditor.corpus.readers.archives import Content
from auditor.corpus.readers.classes import classes_of
from auditor.corpus.readers.rows import Source
from auditor.corpus.readers.tables import load_table
from auditor.errors import CorpusError
from auditor.records.dialect import Dialect

_INFO, _STATE, _SPLITS = "dataset_info.json", "state.json", "dataset_dict.json"
_MOST_SPLITS = 12


def open_folder(path: Path, split: str | None) -> Source:
    """The rows of a saved dataset.

    Args:
        path: The folder.
        split: The split; None where the dataset has none.

    Raises:
        CorpusError: it is no such folder, it lacks the split, or its files are damaged.
        OSError: a file cannot be read.
    """
    if split is not None or (path / _SPLITS).is_file():
        path = path / _known_split(path, split)
    if not (path / _STATE).is_file():
        raise fault(path, "", "is a folder; expected one file, or a folder that the package datasets saved")
    info, state = _read(path, _INFO), _read(path, _STATE)
    names = [part.get("filename") for part in state.get("_data_files") or [] if isinstance(part, dict)]
    parts = tuple(Content(_part(path, name), str(name)) for name in names)
    if not parts:
        raise fault(path / _STATE, "", "names no data files; save the dataset again")
    table = load_table(path, "arrow", parts, classes_of(info.get("features")))
    files = [path / _INFO, path / _STATE, *(part.path for part in parts)]
    return Source(path, Dialect("dataset", classes=table.classes), sha256_of_files(files), table.rows)


def sha256_of_files(files: list[Path]) -> str:
    """SHA-256 of the output of `sha256sum` for files of one folder, sorted by name."""
    lines = []
    for file in sorted(files, key=lambda file: file.name):
        with file.open("rb") as opened:
            lines.append(f"{hashlib.file_digest(opened, 'sha256').hexdigest()}  {file.name}\n")
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _known_split(path: Path, split: str | None) -> str:
    """The name of the split, which is that of its folder.

    Raises:
        CorpusError: the dataset lacks it, or has splits and none is asked for.
    """
    splits = _read(path, _SPLITS).get("splits") if (path / _SPLITS).is_file() else []
    names = [name for name in splits if isinstance(name, str)] if isinstance(splits, list) else []
    if not names:
        raise fault(path, "", "holds no splits; leave out corpus.split")
    if split in names and Path(split).name == split:
        return split
    listed = ", ".join(quote(name) for name in names[:_MOST_SPLITS])
    what = "is in splits" if split is None else f"has no split {quote(split)}{suggestion(split, names)}"
    raise fault(path, "", f"{what}; name one in corpus.split or --split: {listed}")


def _part(path: Path, name: object) -> Path:
    """The path of a data file.

    Raises:
        CorpusError: its name, which state.json gives, is not that of a file in the folder.
    """
    if not isinstance(name, str) or Path(name).name != name or not (path / name).is_file():
        raise _broken(path, f"names the file {quote(str(name))}, which is not in the folder")
    return path / name


def _read(path: Path, name: str) -> dict[str, Any]:
    """The JSON object in a file of the folder."""
    try:
        content = json.loads((path / name).read_bytes())
    except FileNotFoundError as error:
        raise _broken(path, f"has no {name}") from error
    except (ValueError, RecursionError) as error:
        raise fault(path / name, "", "not JSON; save the dataset again") from error
    if not isinstance(content, dict):
        raise fault(path / name, "", "expected an object; save the dataset again")
    return content


def _broken(path: Path, what: str) -> CorpusError:
    return fault(path, "", f"{what}; save the dataset again")
