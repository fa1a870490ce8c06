import pytest

from auditor.languages import catalogue


@pytest.fixture(scope="session")
def messages():
    """All that the code and the templates can say: texts, and pairs for plurals."""
    return {message.id for message in catalogue.gather() if message.id}
