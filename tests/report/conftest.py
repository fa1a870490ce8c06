import logging
from collections.abc import Iterator

import pytest
from invented_branding import branded
from invented_classifier import classifier


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
