"""The floors of the house: imports only go down, and the heavy libraries live where they are said to live."""

import ast
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from auditor.running.row_keys import MEASURES

ROOT = Path(__file__).parents[1]
FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "auditor").rglob("*.py"))
}
# From the ground up. The parts of floor 2 are strangers, but that report may import findings, and models may import
# corpus: what an explainer switches off is cut from the document as it was read.
STAIRS = (
    {"auditor", "collector", "errors", "languages"},
    {"registry", "hub"},
    {"records", "tasks"},
    {"models", "corpus", "config", "findings", "report"},
    {"probes"},
    {"running"},
    {"audit"},
    {"terminal", "__main__"},
)
FLOORS = {part: floor for floor, parts in enumerate(STAIRS) for part in parts}
# Who may import a library at all, lazily or not.
HOMES = {
    "torch": ("auditor.models", "auditor.probes"),
    "transformers": ("auditor.models", "auditor.probes"),
    "ray": ("auditor.running.executors.ray",),
    "matplotlib": ("auditor.report.drawing.figures",),
    "weasyprint": ("auditor.report.page.pdf", "auditor.report.page.signature_lines"),
    "pypdfium2": ("auditor.report.page.pdf_reading",),
    "pyhanko": tuple(
        f"auditor.report.page.{name}" for name in ("signatures", "signed_revisions", "signing", "signing_key")
    ),
    "babel": ("auditor.languages",),
    "mlflow": ("auditor.running.exporters.mlflow",),
    "tensorboard": ("auditor.running.exporters.tensorboard",),
    "sklearn": ("auditor.findings.statistics.sparse_regression",),
}
VAGUE = {"utils", "util", "helpers", "helper", "common", "core", "misc"}


def _part(module: str) -> str:
    return (module.split(".") * 2)[1]


def _imports(node: ast.AST, *, lazy: bool = True) -> Iterator[str]:
    """Full names of what a file imports: everywhere, or only what runs when the file is imported."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, "imports are absolute, so that this test can read them"
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        elif lazy or not _is_later(child):
            yield from _imports(child, lazy=lazy)


def _is_later(node: ast.AST) -> bool:
    is_for_types = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
    return is_for_types or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)


def _own(name: str) -> str | None:
    """The module of this project that an imported name lies in; None for another library."""
    while name not in FILES and "." in name:
        name = name.rpartition(".")[0]
    return name if name in FILES else None


TREES = {module: ast.parse(path.read_text(encoding="utf-8")) for module, path in FILES.items()}


def _reached(start: str, *, lazy: bool = True) -> set[str]:
    """Every name imported by a module or a part of the house, however long the path."""
    waiting = [module for module in FILES if module == start or module.startswith(start + ".")] if lazy else [start]
    seen, names = set(), set()
    while waiting:
        module = waiting.pop()
        if module in seen:
            continue
        seen.add(module)
        packages = [module.rsplit(".", n)[0] for n in range(1, module.count(".") + 1)]  # their __init__ runs first
        found = set(_imports(TREES[module], lazy=lazy))
        names |= found
        waiting += [*packages, *filter(None, map(_own, found))]
    return names


def _may_import(part: str, other: str) -> bool:
    if FLOORS[part] == FLOORS[other]:
        return (
            part == other
            or (part, other) in {("report", "findings"), ("models", "corpus")}
            or FLOORS[part] >= FLOORS["audit"]
        )
    return FLOORS[other] < FLOORS[part]


def test_every_part_of_the_house_has_a_floor():
    assert {_part(module) for module in FILES} == set(FLOORS)


def test_imports_only_go_down():
    steps = {(module, own) for module in FILES for own in map(_own, _imports(TREES[module])) if own}
    assert [step for step in sorted(steps) if not _may_import(*map(_part, step))] == []


@pytest.mark.parametrize("library", HOMES)
def test_a_heavy_library_is_imported_only_where_it_lives(library):
    users = {m for m, tree in TREES.items() if any(name.split(".")[0] == library for name in _imports(tree))}
    strangers = {m for m in users if not any(m == home or m.startswith(home + ".") for home in HOMES[library])}
    assert strangers == set()


def _libraries(names: set[str]) -> set[str]:
    return {name.split(".")[0] for name in names}


@pytest.mark.parametrize("part", ["errors", "records", "corpus", "config", "findings", "report", "running.exporters"])
def test_torch_is_out_of_reach_of_what_renders_a_report(part):
    assert not _libraries(_reached(f"auditor.{part}")) & {"torch", "transformers"}


def test_the_command_line_and_the_pdf_module_load_nothing_heavy_when_imported():
    assert not _libraries(_reached("auditor.__main__", lazy=False)) & {*HOMES, "scipy", "pyarrow", "fontTools"}
    assert "weasyprint" not in _libraries(_reached("auditor.report.page.pdf", lazy=False))


def test_what_measures_a_row_imports_nothing_that_its_key_does_not_know():
    digested = tuple(f"auditor.{name.removesuffix('.py').replace('/', '.')}" for name in MEASURES)
    changes_no_row = {"auditor", "auditor.errors", "auditor.hub", "auditor.languages", "auditor.registry"}
    measuring = {m for m in FILES if any(m == one or m.startswith(one + ".") for one in digested)}
    imported = {own for module in measuring for own in map(_own, _imports(TREES[module])) if own}
    assert imported - measuring - changes_no_row == set()
    assert {f"auditor.{part}" for part in ("probes.lime", "corpus.readers", "models", "records")} < measuring


def test_modules_have_telling_names_and_fit_on_a_few_screens():
    assert [module for module in FILES if VAGUE & set(module.split("."))] == []
    assert [m for m, path in FILES.items() if len(path.read_text(encoding="utf-8").splitlines()) > 400] == []


def _of_rooms(folder: str, steps: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """Which file or folder directly in a folder imports which other; the folder's own `__init__` imports from above."""
    rooms: dict[str, set[str]] = {}
    for module, other in steps:
        if module.startswith(f"{folder}.") and other.startswith(f"{folder}."):
            one, another = (name.removeprefix(f"{folder}.").split(".")[0] for name in (module, other))
            rooms.setdefault(one, set()).update({another} - {one})
    return rooms


STEPS = {(module, own) for module in FILES for own in map(_own, _imports(TREES[module])) if own and own != module}
PACKAGES = sorted({module.rpartition(".")[0] for module in FILES if "." in module})


def test_no_files_import_each_other_in_a_circle():
    files: dict[str, set[str]] = {}
    for module, other in STEPS:
        files.setdefault(module, set()).add(other)
    try:
        TopologicalSorter(files).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


@pytest.mark.parametrize("folder", PACKAGES)
def test_inside_a_folder_no_arrow_runs_up(folder):
    try:
        TopologicalSorter(_of_rooms(folder, STEPS)).prepare()
    except CycleError as error:
        pytest.fail(f"{folder}: " + " -> ".join(error.args[1]))
