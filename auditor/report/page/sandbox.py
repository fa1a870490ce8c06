"""Where templates are filled: escaping cannot be switched off, and no template reaches into Python.

A template may read fields and call what the report hands it. It may not read a name that begins with an underscore,
nor any method of the findings (they can read files), nor a module or a class. `safe` and `urlize` are taken away,
for they turn text from a corpus into markup; `random` and `lipsum`, for the same results give the same bytes.
"""

from collections.abc import Callable, Mapping
from inspect import isfunction
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup
from pydantic import BaseModel

_WITHDRAWN_FILTERS = ("safe", "urlize", "random")
_WITHDRAWN_GLOBALS = ("lipsum",)
_UNESCAPING = ("translate",)
BUILTIN = "builtin"
"""Prefix under which an override finds the template that it overrides."""


class Sandbox(ImmutableSandboxedEnvironment):
    """The one environment of the report's own templates, of a reader's and of third parties'."""

    def __init__(
        self,
        folder: Path,
        own: Callable[[str], tuple[str, str] | None],
        packaged: Callable[[str], tuple[str, str] | None],
        finalize: Callable[[object], object],
    ) -> None:
        """An environment over three sources.

        Args:
            folder: Of the report's own templates.
            own: Name → text and place of a reader's template, which goes first.
            packaged: Name → text and place of a template that came with a third party's section.
            finalize: What is done to a value before it is printed.
        """
        builtin = jinja2.FileSystemLoader(folder)
        super().__init__(
            loader=jinja2.ChoiceLoader(
                [_found_by(own), jinja2.PrefixLoader({BUILTIN: builtin}), builtin, _found_by(packaged)]
            ),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            finalize=finalize,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        for name in _WITHDRAWN_FILTERS:
            del self.filters[name]
        for name in _WITHDRAWN_GLOBALS:
            del self.globals[name]

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:  # Any: whatever a template holds
        """Whether a template may read this attribute."""
        if isinstance(obj, ModuleType | type) or (isinstance(obj, Markup) and attr in _UNESCAPING):
            return False
        if isinstance(obj, BaseModel):
            return attr in type(obj).model_fields
        return super().is_safe_attribute(obj, attr, value)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        for modifier in tree.find_all((nodes.EvalContextModifier, nodes.ScopedEvalContextModifier)):
            raise jinja2.TemplateSyntaxError("escaping cannot be switched off", modifier.lineno, name, filename)
        return tree


def functions(module: ModuleType) -> SimpleNamespace:
    """The public functions of a module, without the modules that it imports."""
    return SimpleNamespace(**_functions(vars(module)))


def _functions(names: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in names.items() if isfunction(value) and not name.startswith("_")}


def _found_by(source: Callable[[str], tuple[str, str] | None]) -> jinja2.FunctionLoader:
    def load(name: str) -> tuple[str, str, Callable[[], bool]] | None:
        found = source(name)
        return None if found is None else (*found, lambda: True)

    return jinja2.FunctionLoader(load)
