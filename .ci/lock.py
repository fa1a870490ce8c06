"""Write constraints.txt: one version of every package that the project may install, for every Python it runs on.

    make lock                           what is missing is added, nothing else moves
    make lock ARGS=--upgrade            everything moves to its newest release
    make lock ARGS="--upgrade-package torch --upgrade-package ruff"

uv resolves for all Pythons and systems at once. pip and pip-tools cannot: they read environment markers as the Python
that runs them (`pip install --dry-run --python-version 3.13` leaves out what is needed from 3.13 on).
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from subprocess import DEVNULL

from packaging.requirements import Requirement

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


def resolve(options: Iterable[str]) -> list[Requirement]:
    """What uv puts down for all extras and the building tools, kept at the versions of constraints.txt if it can.

    Raises:
        SystemExit: nothing satisfies the ranges of pyproject.toml; uv has said why.
    """
    scope = ["--universal", "--python-version", PYTHONS[0], "--all-extras", "--group", "tools"]
    style = ["--quiet", "--no-annotate", "--no-header"]
    with tempfile.TemporaryDirectory() as folder:
        # uv prefers the versions that the file it writes already has.
        out = Path(shutil.copy(LOCK, folder))
        command = ["uv", "pip", "compile", "pyproject.toml", *scope, *style, "--output-file", str(out), *options]
        if (done := subprocess.run([sys.executable, "-m", *command], cwd=ROOT, stdout=DEVNULL, check=False)).returncode:
            raise SystemExit(done.returncode)
        lines = out.read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if not line.startswith(("#", *OF_TORCH))]


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


if __name__ == "__main__":
    text = HEAD + "\n".join(pins(resolve(sys.argv[1:]))) + "\n"
    # An unchanged lock keeps its time, so that no environment is made anew.
    if text != LOCK.read_text(encoding="utf-8"):
        LOCK.write_text(text, encoding="utf-8")
