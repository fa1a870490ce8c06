"""Write constraints.txt: one version of every package that the project may install, for every Python it runs on.

    make lock                           what is missing is added, nothing else moves
    make lock ARGS=--upgrade            everything moves to its newest release
    make lock ARGS="--upgrade-package torch --upgrade-package ruff"

pip resolves, once for each Python and system. It reads environment markers as the Python that runs it (as does its
`--python-version`), so the copy of `packaging` inside it is told those of the other one; the release of pip is locked.
Every run is held to what the runs before it chose, so that one version serves all wherever that is possible.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "constraints.txt"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
SYSTEMS = (
    {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "x86_64"},
    {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "aarch64"},
    {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix", "platform_machine": "arm64"},
    {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt", "platform_machine": "AMD64"},
)
# What only a build of torch for CUDA asks for. It names their versions itself, others in each of its builds.
OF_TORCH = ("cuda-", "nvidia-", "triton")
HEAD = """\
# The version of every package, transitive and building ones included, made by `make lock` from pyproject.toml.
# Used by every target of the Makefile and by CI; for users: pip install -c constraints.txt .
# Holds on CPython 3.11 to 3.14 on Linux, macOS (Apple silicon) and Windows; where Pythons differ, a line says which.
# Left out: hashes, as torch==2.13.0 is another file with CUDA than without; and nvidia-*, cuda-* and triton, which a
# torch for CUDA names itself, other versions in each of its builds, and one for the CPU does not want.
"""
RESOLVER = """\
import json, sys
from pip._internal.cli.main import main
from pip._vendor.packaging import markers
known, told = markers.default_environment, json.loads(sys.argv[1])
markers.default_environment = lambda: {**known(), **told}
sys.exit(main(sys.argv[2:]))
"""


def declared() -> list[str]:
    """Everything that pyproject.toml names: dependencies, extras, the tools, the build backend."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    table = project["project"]
    lists = [table["dependencies"], *table["optional-dependencies"].values(), *project["dependency-groups"].values()]
    return sum(lists, list(project["build-system"]["requires"]))


def resolve(values: dict[str, str], held: Sequence[str]) -> list[Requirement]:
    """What pip would install for all extras and tools where the markers have these values.

    Raises:
        SystemExit: nothing satisfies the ranges of pyproject.toml and what is held; pip has said why.
    """
    with tempfile.TemporaryDirectory() as folder:
        constraints, report = Path(folder, "held.txt"), Path(folder, "report.json")
        constraints.write_text("".join(f"{line}\n" for line in held), encoding="utf-8")
        options = ["--quiet", "--dry-run", "--ignore-installed", "--report", str(report), "-c", str(constraints)]
        command = [sys.executable, "-c", RESOLVER, json.dumps(values), "install", *options, *declared()]
        if code := subprocess.run(command, cwd=ROOT, check=False).returncode:
            raise SystemExit(code)
        found = [item["metadata"] for item in json.loads(report.read_bytes())["install"]]
    pins = {canonicalize_name(one["name"]): one["version"].split("+")[0] for one in found}
    return [Requirement(f"{name}=={version}") for name, version in pins.items() if not name.startswith(OF_TORCH)]


def all_pins(held: list[str]) -> Iterator[Requirement]:
    """The pins of every Python and system, marked with the Python."""
    for python, system in product(PYTHONS, (SYSTEMS[0], SYSTEMS[-1])):
        pins = resolve(environment(python, system), held)
        names = {Requirement(line).name for line in held}
        held += [str(pin) for pin in pins if pin.name not in names]
        yield from (Requirement(f'{pin} ; python_version == "{python}"') for pin in pins)


def kept(upgrade: bool, packages: Sequence[str]) -> list[str]:
    """The lines of constraints.txt that are not to move: inside the ranges of pyproject.toml, and not asked for."""
    lines = [line for line in LOCK.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    needs = [Requirement(line) for line in declared()]
    moved = {*packages, *(need.name for need in needs for line in lines if is_outside(Requirement(line), need))}
    return [] if upgrade else [line for line in lines if Requirement(line).name not in moved]


def is_outside(pin: Requirement, need: Requirement) -> bool:
    """Whether a package is pinned to a release that is not wanted."""
    same = pin.name == canonicalize_name(need.name)
    return same and not need.specifier.contains(str(pin.specifier).removeprefix("=="), prereleases=True)


def environment(python: str, system: dict[str, str]) -> dict[str, str]:
    """The values of all markers for one Python on one system."""
    cpython = {"implementation_name": "cpython", "platform_python_implementation": "CPython"}
    return {"python_version": python, "python_full_version": f"{python}.0", "extra": ""} | cpython | system


def pins(requirements: Iterable[Requirement]) -> list[str]:
    """One line per package and version, with the Pythons that it is for where these differ.

    Raises:
        ValueError: a package needs two versions on one Python, which these lines cannot say.
    """
    versions: dict[str, dict[str, set[str]]] = {}
    for requirement in requirements:
        for python in PYTHONS:
            if any(applies(requirement, environment(python, system)) for system in SYSTEMS):
                versions.setdefault(requirement.name, {}).setdefault(python, set()).add(str(requirement.specifier))
    return [line for name in sorted(versions) for line in lines_of(name, versions[name])]


def applies(requirement: Requirement, values: dict[str, str]) -> bool:
    """Whether a line is meant for an environment."""
    return requirement.marker is None or requirement.marker.evaluate(values)


def lines_of(name: str, by_python: dict[str, set[str]]) -> list[str]:
    """The lines of one package: a single one without a marker where one version serves every Python."""
    if several := [python for python, versions in by_python.items() if len(versions) > 1]:
        raise ValueError(f"{name} needs {by_python[several[0]]} at once on Python {several[0]}, by system")
    wanted = {python: min(versions) for python, versions in by_python.items()}
    if len(distinct := sorted(set(wanted.values()))) == 1:
        return [name + distinct[0]]
    markers = {v: " or ".join(f'python_version == "{p}"' for p in wanted if wanted[p] == v) for v in distinct}
    return [f"{name}{version} ; {markers[version]}" for version in distinct]


def tried() -> list[str]:
    """What `make test-lowest` and `make test-newest` install: all but the extra bench, which pins what it compares."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return sum((project["optional-dependencies"][extra] for extra in ("dev", "samples")), project["dependencies"])


def lowest() -> list[str]:
    """The lowest release that each of their ranges allows, one for each package."""
    bounds = ((need.name, one) for need in map(Requirement, tried()) for one in need.specifier)
    return sorted(f"{name}=={one.version}" for name, one in bounds if one.operator in (">=", "=="))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--upgrade", action="store_true")
    parser.add_argument("--upgrade-package", action="append", default=[])
    parser.add_argument("--lowest", type=Path, metavar="FILE", help="write the lowest releases there instead")
    asked = parser.parse_args()
    if asked.lowest:
        asked.lowest.write_text("".join(f"{line}\n" for line in lowest()), encoding="utf-8")
        raise SystemExit
    text = HEAD + "\n".join(pins(all_pins(kept(asked.upgrade, asked.upgrade_package)))) + "\n"
    # An unchanged lock keeps its time, so that no environment is made anew.
    if text != LOCK.read_text(encoding="utf-8"):
        LOCK.write_text(text, encoding="utf-8")
