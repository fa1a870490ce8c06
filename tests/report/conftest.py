import logging
from collections.abc import Iterator

import pytest
from invented_classifier import ATTACHMENTS, classifier

from auditor.report import render_html, render_pdf


@pytest.fixture(scope="session")
def classifier_run():
    return classifier()


@pytest.fixture(scope="session")
def classifier_html(classifier_run):
    return render_html(*classifier_run)


@pytest.fixture(scope="session")
def classifier_pdf(classifier_run, classifier_html):
    return render_pdf(classifier_html, classifier_run[0], ATTACHMENTS)


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
