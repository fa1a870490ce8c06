"""Columns of classes (ClassLabel of the package datasets): ids in the table are replaced by the names of the classes.

The names come from the `features` that the package writes as JSON, into the schema of a Parquet or Arrow file under the
key "huggingface" or into dataset_info.json:

    {"label": {"_type": "ClassLabel", "names": ["positive", "negative"]}}

and, for lists of classes, {"_type": "List" or "Sequence", "feature": {…}}. The names are read, so that the order in
which another model numbers its labels cannot matter; −1, which datasets writes where there is no class, is no value.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from auditor.corpus.faults import fault, kind, quote

Classes = Mapping[str, tuple[str, ...]]
"""Column → names of its classes, in the order of their ids."""


def classes_of_schema(metadata: Mapping[bytes, bytes] | None) -> Classes:
    """The classes in the schema of a Parquet or Arrow file; empty where its features are missing or broken."""
    try:
        return classes_of(json.loads((metadata or {}).get(b"huggingface", b"{}"))["info"]["features"])
    except (KeyError, TypeError, ValueError, RecursionError):
        return {}


def classes_of(features: object) -> Classes:
    """Column → names of its classes, for the columns of classes, or of lists of classes, among features."""
    classes = {name: _names(feature) for name, feature in (features if isinstance(features, dict) else {}).items()}
    return {name: names for name, names in classes.items() if names}


def named(path: Path, location: str, values: Mapping[str, Any], classes: Classes) -> Mapping[str, Any]:
    """The values of a row, with ids of classes replaced by names, and by None where there is no class.

    Raises:
        CorpusError: a value is no id of a class.
    """
    if not classes:
        return values
    replaced = {column: _named(path, location, column, values[column], names) for column, names in classes.items()}
    return {**values, **replaced}


def _names(feature: object) -> tuple[str, ...]:
    if isinstance(feature, list):  # how old releases wrote lists
        return _names(feature[0]) if len(feature) == 1 else ()
    if not isinstance(feature, dict):
        return ()
    if feature.get("_type") in ("List", "LargeList", "Sequence"):
        return _names(feature.get("feature"))
    names = feature.get("names") if feature.get("_type") == "ClassLabel" else None
    return tuple(map(str, names)) if isinstance(names, list) else ()


def _named(path: Path, location: str, column: str, value: object, names: tuple[str, ...]) -> object:
    if isinstance(value, list):
        return [_named(path, location, column, element, names) for element in value]
    if isinstance(value, float):  # a column of whole numbers with gaps, as pandas keeps it
        value = None if math.isnan(value) else int(value) if value.is_integer() else value
    if value is None or value == -1:
        return None
    if isinstance(value, str) and value in names:
        return value
    if not isinstance(value, int) or isinstance(value, bool):
        what = f"expected the id of a class in column {quote(column)}, found {kind(value)}"
        raise fault(path, location, f"{what}; write the file again")
    if not 0 <= value < len(names):
        what = f"the class {value} in column {quote(column)} has no name: the file names 0 to {len(names) - 1}"
        raise fault(path, location, f"{what}; write it again with all of them")
    return names[value]
