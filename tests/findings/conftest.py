"""Summaries of other people, registered beside those of the package for one test."""

import sys
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType

import pytest

from auditor.findings.contract import registry


@pytest.fixture
def registered(monkeypatch):
    """`registered(length=SUMMARY)` has an entry point `length` of that object; `registered()` takes them all away."""

    def register(**summaries):
        module = ModuleType("auditor_of_others")
        vars(module).update(summaries)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        added = [EntryPoint(name, f"{module.__name__}:{name}", registry.GROUP) for name in summaries]

        def entries(group):
            return [*entry_points(group=group), *(entry for entry in added if entry.group == group)]

        monkeypatch.setattr("auditor.registry.entry_points", entries)
        registry.summaries.cache_clear()

    yield register
    registry.summaries.cache_clear()
