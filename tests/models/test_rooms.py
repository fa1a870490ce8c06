"""The rooms of auditor/models: imports go down the stairs, and no files import each other in a circle."""

import ast
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.test_floors import FILES, TREES, _imports, _own

# From the ground up.
STAIRS = ({"inputs", "checkpoints"}, {"capabilities", "computing"}, {"attention", "adapters"}, {"text"}, {"models"})
FLOORS = {room: floor for floor, rooms in enumerate(STAIRS) for room in rooms}
MODULES = [module for module in FILES if f"{module}.".startswith("auditor.models.")]


def room(module: str) -> str:
    """The folder or file directly in auditor/models; `models` for its door."""
    return (module.split(".")[2:] or ["models"])[0]


def imported(module: str) -> set[str]:
    """The other files of auditor/models that a file imports, for types too."""
    names = {own for own in map(_own, _imports(TREES[module])) if own and own != module}
    return {name for name in names if name in MODULES}


def test_every_room_has_a_floor() -> None:
    assert {room(module) for module in MODULES} == set(FLOORS)


def test_imports_between_the_rooms_go_down() -> None:
    steps = {(room(module), room(other)) for module in MODULES for other in imported(module)}
    assert sorted((a, b) for a, b in steps if a != b and FLOORS[b] >= FLOORS[a]) == []


def test_no_files_import_each_other_in_a_circle() -> None:
    try:
        TopologicalSorter({module: imported(module) for module in MODULES}).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_imports_for_types_count() -> None:
    source = "if TYPE_CHECKING:\n    from auditor.models.text.adapter import TextModel\n"
    assert "auditor.models.text.adapter" in map(_own, _imports(ast.parse(source)))
