"""What this machine has of what an audit needs, one finding per line."""

import os
import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module, metadata
from pathlib import Path
from typing import Literal

from auditor import __version__, hub, registry
from auditor.errors import DiskError, InstallationError, ModelError, PdfUnavailableError
from auditor.records import disk

ROOMY = 2 * 2**30
"""Bytes: below this a run with a large corpus may fill the disk."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `auditor doctor`."""

    subject: str
    state: Literal["fine", "note", "missing"]
    text: str
    exit_code: int = 0


def examine(output: Path) -> list[Finding]:
    """Look at everything; imports torch and WeasyPrint.

    Args:
        output: Where runs are to be written.
    """
    return [*_software(), *_device(), _pdf(), _fonts(), _disk(output), *_hub()]


def _software() -> Iterator[Finding]:
    yield _installation()
    yield Finding("python", "fine", f"{platform.python_version()} on {platform.platform(terse=True)}")
    for package in ("transformers", "safetensors", "pyarrow"):
        try:
            yield Finding(package, "fine", metadata.version(package))
        except metadata.PackageNotFoundError:
            yield Finding(package, "missing", f"pip install {package}", ModelError.exit_code)


def _installation() -> Finding:
    try:
        for group in ("probes", "tasks", "summaries", "chapters", "executors"):
            registry.registered(f"auditor.{group}")
    except InstallationError as error:
        return Finding("auditor", "missing", f"{__version__}: {error}", error.exit_code)
    return Finding("auditor", "fine", __version__)


def _device() -> Iterator[Finding]:
    try:
        torch = import_module("torch")
    except (ImportError, OSError) as error:
        cure = f"cannot be imported ({_first_line(error)}): pip install torch. Finished runs can still be rendered"
        yield Finding("torch", "missing", cure, ModelError.exit_code)
        return
    yield Finding("torch", "fine", str(torch.__version__))
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            card = torch.cuda.get_device_properties(index)
            yield Finding("device", "fine", f"cuda:{index} {card.name}, {card.total_memory / 2**30:.0f} GiB")
    elif torch.backends.mps.is_available():
        yield Finding("device", "fine", "mps")
    else:
        yield Finding("device", "note", f"no GPU found: cpu with {torch.get_num_threads()} threads")


def _pdf() -> Finding:
    try:
        from auditor.report.page.pdf import load_weasyprint

        weasyprint = load_weasyprint()
    except PdfUnavailableError as error:
        return Finding("pdf", "missing", str(error), error.exit_code)
    except ImportError as error:
        return Finding("pdf", "missing", f"{_first_line(error)}: pip install weasyprint", PdfUnavailableError.exit_code)
    pango = weasyprint.text.ffi.pango.pango_version()
    numbers = pango // 10_000, pango // 100 % 100, pango % 100
    return Finding("pdf", "fine", f"WeasyPrint {weasyprint.__version__}, Pango {'.'.join(map(str, numbers))}")


def _fonts() -> Finding:
    from auditor.report.branding.fonts import families

    absent = [path.name for files in families().values() for path in files if not path.is_file()]
    if absent:
        return Finding("fonts", "missing", f"{', '.join(absent)}: install auditor again", PdfUnavailableError.exit_code)
    return Finding("fonts", "fine", ", ".join(families()))


def _disk(output: Path) -> Finding:
    try:
        folder = disk.require_room(output)
    except DiskError as error:
        return Finding("disk", "missing", str(error), error.exit_code)
    free = shutil.disk_usage(folder).free
    text = f"{free / 2**30:.1f} GiB free in {folder}"
    return Finding("disk", "fine" if free >= ROOMY else "note", text)


def _hub() -> Iterator[Finding]:
    """The variables that decide whether a model is fetched, and from where; the token is never shown."""
    offline = [
        name for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE") if os.environ.get(name, "0") not in ("", "0")
    ]
    if offline:
        yield Finding("hub", "note", f"offline ({', '.join(offline)}): only models on this disk or in the cache")
    elif hub.answers():
        yield Finding("hub", "fine", "online: a model that is not on this disk is fetched")
    else:
        yield Finding("hub", "note", "does not answer: only models on this disk or in the cache")
    yield Finding("hub cache", "fine", os.environ.get("HF_HOME") or "~/.cache/huggingface")


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
