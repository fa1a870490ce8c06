"""Files that repeat `auditor nightly`: for systemd, cron, GitHub Actions and Kubernetes, and an image for containers.

Each is a template in the folder `schedules`, in which `@NAME@` stands for what follows from the audit, quoted as the
format of the file wants it. Nothing secret is in them; where a token is needed they say where it comes from.
"""

import enum
import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from auditor.errors import ConfigError

FOLDER: Final = Path(__file__).parent / "schedules"
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_ZONE = re.compile(r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+)*")
_PLACEHOLDER = re.compile(r"@([A-Z_]+)@")


class Schedule(enum.StrEnum):
    """What may repeat an audit."""

    systemd = "systemd"
    cron = "cron"
    github = "github"
    kubernetes = "kubernetes"


@dataclass(frozen=True, slots=True)
class Night:
    """What is repeated, and when."""

    config: Path
    """The configuration, as it was named."""
    hour: int
    minute: int
    zone: str
    """By its IANA name."""
    folder: Path
    """Where the files will lie."""


def night(config: Path, at: str, zone: str, folder: Path) -> Night:
    """What the options describe.

    Raises:
        ConfigError: The configuration is not there, or the time or its zone is none.
    """
    if not config.is_file():
        raise ConfigError(f"{config}: not found; `auditor init {shlex.quote(str(config))}` writes one to start from")
    if not str(config.absolute()).isprintable():
        raise ConfigError(f"{str(config)!r}: has a character that no schedule can hold; give it another name")
    time = _TIME.fullmatch(at)
    if time is None:
        raise ConfigError(f"--at {at}: expected a time of the day such as 02:30")
    if not _is_zone(zone):
        raise ConfigError(f"--timezone {zone}: expected the name of a time zone, such as UTC or Europe/Berlin")
    return Night(config, int(time[1]), int(time[2]), zone, folder)


def _is_zone(name: str) -> bool:
    if _ZONE.fullmatch(name) is None:
        return False
    try:
        return name == "UTC" or bool(ZoneInfo(name).key)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        return False


def schedule(kind: Schedule, of: Night) -> dict[str, str]:
    """Name → text of the files.

    Raises:
        ConfigError: GitHub would not find the configuration in the repository.
    """
    names, quoted = _FILES[kind]
    return _filled(names, quoted(of))


def container(of: Night) -> dict[str, str]:
    """Name → text of the files of an image that runs the audit, and of the way to start it."""
    image = _filled(("Dockerfile",), {"CONFIG": _inside(of)})
    compose = _filled(("compose.yaml",), {**_container(of), "FOLDER": _mounted(of)})
    return {**image, **compose, ".dockerignore": _filled(("dockerignore",), {})["dockerignore"]}


def _filled(names: Sequence[str], values: Mapping[str, str]) -> dict[str, str]:
    return {
        name: _PLACEHOLDER.sub(lambda match: values[match[1]], (FOLDER / name).read_text(encoding="utf-8"))
        for name in names
    }


def _times(of: Night) -> dict[str, str]:
    at = {"HOUR": str(of.hour), "MINUTE": str(of.minute), "AT": f"{of.hour:02}:{of.minute:02}"}
    return {**at, "ZONE": of.zone}


def _systemd(of: Night) -> dict[str, str]:
    config = of.config.absolute()
    return {
        **_times(of),
        "TITLE": _unit(config.stem),
        "FOLDER": _unit(str(config.parent)),
        "HF_HOME": _unit_word(f"HF_HOME={_hub_files()}"),
        "AUDITOR": " ".join(map(_unit_argument, _auditor())),
        "CONFIG": _unit_argument(config.name),
    }


def _unit(text: str) -> str:
    """A value of a unit: % begins a specifier."""
    return text.replace("%", "%%")


def _unit_word(text: str) -> str:
    """A word of a unit, in quotes where it needs them."""
    escaped = _unit(text).replace("\\", "\\\\").replace('"', '\\"')
    return escaped if re.fullmatch(r"[\w@%+=:,./-]+", escaped) else f'"{escaped}"'


def _unit_argument(text: str) -> str:
    """A word of a command line, where $ begins a variable."""
    return _unit_word(text).replace("$", "$$")


def _cron(of: Night) -> dict[str, str]:
    config = of.config.absolute()
    return {
        **_times(of),
        "FOLDER": _cron_word(str(config.parent)),
        "HF_HOME": _hub_files(),
        "AUDITOR": " ".join(map(_cron_word, _auditor())),
        "CONFIG": _cron_word(config.name),
    }


def _cron_word(text: str) -> str:
    """A word of a command in a crontab, where % would end the line."""
    return shlex.quote(text).replace("%", "\\%")


def _github(of: Night) -> dict[str, str]:
    config = Path(os.path.relpath(of.config))
    if ".." in config.parts:
        raise ConfigError(f"{of.config}: is not below this folder; start where the repository begins")
    return {**_times(of), "CONFIG": json.dumps(config.as_posix(), ensure_ascii=False)}


def _container(of: Night) -> dict[str, str]:
    """Of files in which `$` begins a variable."""
    return {**_times(of), "CONFIG": _inside(of).replace("$", "$$")}


def _mounted(of: Night) -> str:
    """The folder of the configuration, seen from the file that mounts it, as Compose takes it."""
    folder = Path(os.path.relpath(of.config.parent, of.folder)).as_posix()
    return json.dumps(folder if folder.startswith(".") else f"./{folder}", ensure_ascii=False).replace("$", "$$")


def _inside(of: Night) -> str:
    """The configuration within a container, where its folder is /audit; as JSON, which is YAML too."""
    return json.dumps(f"/audit/{of.config.name}", ensure_ascii=False)


def _auditor() -> list[str]:
    """The command that starts this program here."""
    beside = Path(sys.executable).with_name("auditor")
    program = str(beside) if beside.is_file() else shutil.which("auditor")
    return [program] if program else [sys.executable, "-m", "auditor"]


def _hub_files() -> str:
    """Where the files of the hub lie on this machine."""
    return os.environ.get("HF_HOME") or str(Path.home() / ".cache" / "huggingface")


_FILES: Final[Mapping[Schedule, tuple[tuple[str, ...], Callable[[Night], dict[str, str]]]]] = {
    Schedule.systemd: (("auditor-nightly.service", "auditor-nightly.timer"), _systemd),
    Schedule.cron: (("crontab",), _cron),
    Schedule.github: (("nightly.yml",), _github),
    Schedule.kubernetes: (("cronjob.yaml",), _container),
}
