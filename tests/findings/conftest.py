"""Summaries of other people, registered beside those of the package for one test."""

import sys
from importlib.metadata import entry_points
from types import ModuleType

import pytest

from auditor.findings import registry


@pytest.fixture
def registered(monkeypatch):
    """`registered(length=SUMMARY)` has an entry point `length` of that object; `registered()` takes them all away."""
    installed = list(entry_points(group=registry.GROUP))

    def register(**summaries):
        module = ModuleType("auditor_of_others")
        vars(module).update(summaries)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        entries = [type(installed[0])(name, f"{module.__name__}:{name}", registry.GROUP) for name in summaries]
        monkeypatch.setattr(registry, "entry_points", lambda group: [*installed, *entries])  # noqa: ARG005
        registry.summaries.cache_clear()

    yield register
    registry.summaries.cache_clear()
