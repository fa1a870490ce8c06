import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from invented_branding import branded
from invented_classifier import classifier

from auditor.findings.contract import registry
from auditor.report import chapters
from auditor.report.page import templates


@pytest.fixture(scope="session")
def classifier_run():
    return branded(classifier(), "en")


@pytest.fixture(scope="session")
def classifier_html(report):
    return report("classifier").html.read_text(encoding="utf-8")


@pytest.fixture
def weasyprint_log() -> Iterator[list[str]]:
    """What WeasyPrint logs at the level of a warning or above."""
    messages: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: messages.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("weasyprint")
    logger.addHandler(handler)
    yield messages
    logger.removeHandler(handler)


Install = Callable[[Mapping[str, Mapping[str, str]], Mapping[str, str]], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """`install(entry points by group and name, files by path)`: the distribution auditor-length of a third party."""

    def install(groups: Mapping[str, Mapping[str, str]], files: Mapping[str, str]) -> None:
        entries = "".join(
            f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in named.items())
            for group, named in groups.items()
        )
        about = "Metadata-Version: 2.1\nName: auditor-length\nVersion: 1.0\n"
        distribution = {"METADATA": about, "entry_points.txt": entries}
        site = tmp_path / "site"
        for name, text in {
            **files,
            **{f"auditor_length-1.0.dist-info/{n}": t for n, t in distribution.items()},
        }.items():
            (site / name).parent.mkdir(parents=True, exist_ok=True)
            (site / name).write_text(text, encoding="utf-8")
        monkeypatch.syspath_prepend(str(site))
        for name in [name for name in sys.modules if name.partition(".")[0] == "auditor_length"]:
            monkeypatch.delitem(sys.modules, name)
        forget()

    yield install
    forget()


def forget() -> None:
    """What was read of the installed packages."""
    registry.summaries.cache_clear()
    chapters.chapters.cache_clear()
    templates.environment.cache_clear()
