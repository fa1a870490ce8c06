"""constraints.txt names one version of everything that is installed, on every Python and system that it speaks of."""

import ast
import importlib.util
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, packages_distributions, requires, version
from itertools import product
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LINES = [line for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
# The first is used where it is installed; the next are extras, of which whoever needs one says so; the others are parts
# of jinja2, pydantic, weasyprint and pyhanko, which name their releases.
UNDECLARED = {
    *("datasets", "shap", "mlflow", "tensorboard", "ray", "pyhanko"),
    *("markupsafe", "pydantic_core", "pydyf", "pyhanko_certvalidator", "cryptography"),
}
PINS = [Requirement(line) for line in LINES]


def _lock() -> ModuleType:
    spec = importlib.util.spec_from_file_location("lock", ROOT / ".ci" / "lock.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


lock = _lock()
ENVIRONMENTS = [
    pytest.param(lock.environment(python, system), id=f"{python}-{system['sys_platform']}-{system['platform_machine']}")
    for python, system in product(lock.PYTHONS, lock.SYSTEMS)
]


def pinned(environment: dict[str, str]) -> dict[str, Version]:
    """Name → version of the lines that are meant for an environment; fails where a package has two."""
    lines = [pin for pin in PINS if lock.applies(pin, environment)]
    assert len({pin.name for pin in lines}) == len(lines)
    return {pin.name: Version(str(pin.specifier).removeprefix("==")) for pin in lines}


def declared() -> Iterator[Requirement]:
    """Everything that pyproject.toml names: dependencies, extras, groups, the build backend."""
    project, groups = PROJECT["project"], PROJECT["dependency-groups"]
    lists = [project["dependencies"], *project["optional-dependencies"].values(), *groups.values()]
    yield from (Requirement(line) for line in sum(lists, PROJECT["build-system"]["requires"]))


def wanted(name: str, extras: frozenset[str], environment: dict[str, str]) -> list[Requirement]:
    """What an installed package with some extras asks for in an environment; nothing of one that is not installed."""
    try:
        lines = requires(name) or []
    except PackageNotFoundError:
        return []
    values = [environment | {"extra": extra} for extra in {"", *extras}]
    return [need for need in map(Requirement, lines) if any(lock.applies(need, value) for value in values)]


def reached(name: str, extras: frozenset[str], environment: dict[str, str]) -> set[str]:
    """The names of all packages below an installed one, but for those of torch's builds for CUDA."""
    seen, queue = set(), [(name, extras)]
    while queue:
        for need in wanted(*queue.pop(), environment):
            step = (canonicalize_name(need.name), frozenset(need.extras))
            if step not in seen and not step[0].startswith(lock.OF_TORCH):
                seen.add(step)
                queue.append(step)
    return {name for name, _ in seen}


def test_a_line_is_a_name_and_one_version_without_an_address_or_a_hash() -> None:
    for line in LINES:
        assert re.fullmatch(
            r'[a-z0-9-]+==[0-9][\w.]*( ; python_version == "[\d.]+"( or python_version == "[\d.]+")*)?', line
        )
    assert sorted(LINES, key=lambda line: re.split("==| ;", line)[0]) == LINES


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_declared_package_is_pinned_inside_its_range(environment: dict[str, str]) -> None:
    pins = pinned(environment)
    for need in declared():
        if lock.applies(need, environment):
            name = canonicalize_name(need.name)
            assert name in pins, f"{need} has no line in constraints.txt: make lock"
            assert pins[name] in need.specifier, f"constraints.txt has {name} {pins[name]}, not {need}: make lock"


def imported() -> Iterator[str]:
    """The top names of every absolute import in the package."""
    for path in (ROOT / "auditor").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (name.name.split(".")[0] for name in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.split(".")[0]


def test_every_package_that_is_imported_is_declared() -> None:
    names = {canonicalize_name(Requirement(line).name) for line in PROJECT["project"]["dependencies"]}
    tops = set(imported()) - sys.stdlib_module_names - {"auditor"}
    assert {"torch", "yaml"} <= tops
    providers = packages_distributions()
    found = {top for top in tops if not names & {canonicalize_name(name) for name in providers.get(top, [])}}
    assert found <= UNDECLARED


@pytest.mark.locked
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_package_below_those_is_pinned(environment: dict[str, str]) -> None:
    names = reached("auditor", frozenset(PROJECT["project"]["optional-dependencies"]), environment)
    assert len(names) > 100
    assert names - pinned(environment).keys() - {"auditor"} == set(), "make lock"


@pytest.mark.locked
def test_what_is_installed_is_what_is_locked() -> None:
    here = {"extra": ""}
    pins = {pin.name: str(pin.specifier).removeprefix("==") for pin in PINS if lock.applies(pin, here)}
    names = reached("auditor", frozenset({"dev", "samples"}), here) & pins.keys()
    found = {name: Version(version(name)).public for name in names}
    assert found == {name: pins[name] for name in names}, "make setup"


def test_a_package_whose_versions_differ_by_python_has_a_line_for_each() -> None:
    lines = [
        'a==2 ; python_full_version >= "3.12"',
        'a==1 ; python_full_version < "3.12"',
        "b==1",
        'c==1 ; os_name=="nt"',
    ]
    assert lock.pins(map(Requirement, lines)) == [
        'a==1 ; python_version == "3.11"',
        'a==2 ; python_version == "3.12" or python_version == "3.13" or python_version == "3.14"',
        "b==1",
        "c==1",
    ]


def test_a_package_whose_versions_differ_by_system_is_refused() -> None:
    lines = ['a==2 ; sys_platform == "linux"', 'a==1 ; sys_platform != "linux"']
    with pytest.raises(ValueError, match=r"a needs .* on Python 3\.11"):
        lock.pins(map(Requirement, lines))


def test_what_only_another_system_could_want_is_left_out() -> None:
    assert lock.pins([Requirement('a==1 ; sys_platform == "emscripten"')]) == []


def test_every_environment_of_the_makefile_is_made_with_the_lock() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    installs = [line for line in re.findall(r"-m pip install.*", makefile) if "$(2)" not in line]  # not the trials
    assert len(installs) >= 3
    assert all("-c constraints.txt" in line for line in installs)
    assert all("--build-constraint constraints.txt" in line for line in installs if " -e " in line)


def test_the_lowest_releases_are_the_lower_bounds() -> None:
    lowest = [Requirement(line) for line in lock.lowest()]
    assert len({one.name for one in lowest}) == len(lowest)
    found = {one.name: str(one.specifier).removeprefix("==") for one in lowest}
    for need in map(Requirement, lock.tried()):
        assert found[need.name] in {one.version for one in need.specifier if one.operator in (">=", "==")}


def test_a_resolution_is_held_to_the_lock_and_told_the_markers_of_another_python(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[tuple[str, str, list[str]]] = []

    def resolve(values: dict[str, str], held: list[str]) -> list[Requirement]:
        told.append((values["python_version"], values["sys_platform"], list(held)))
        return [Requirement("a==1"), *([Requirement("b==2")] if values["python_version"] == "3.13" else [])]

    monkeypatch.setattr(lock, "resolve", resolve)
    assert lock.pins(lock.all_pins(["a==1"])) == ["a==1", "b==2"]
    assert [python for python, _, _ in told[::2]] == list(lock.PYTHONS)
    assert {system for _, system, _ in told} == {"linux", "win32"}
    assert told[-1][2] == ["a==1", "b==2"]


def test_a_pin_that_a_new_range_leaves_out_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    before = lock.kept(upgrade=False, packages=[])
    assert len(before) == len(LINES)
    monkeypatch.setattr(lock, "declared", lambda: ["rich>=999", "regex"])
    assert {Requirement(line).name for line in set(before) - set(lock.kept(upgrade=False, packages=["babel"]))} == {
        "rich",
        "babel",
    }
