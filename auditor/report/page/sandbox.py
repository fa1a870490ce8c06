"""The Jinja environment: escaping cannot be switched off, and templates cannot reach Python's internals.

A template may read fields and call functions of the values that the report passes to it. It may not read names that
begin with an underscore, methods of the findings (they can read files), modules or classes. The filters `safe` and
`urlize` are removed, for they turn text from a corpus into markup; so are `random` and `lipsum`, for the same results
must give the same bytes.
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
"""Prefix under which a user's template can use the template that it overrides."""


class Sandbox(ImmutableSandboxedEnvironment):
    """The environment of the report's templates, a user's and third parties'."""

    def __init__(
        self,
        folder: Path,
        user: Callable[[str], tuple[str, str] | None],
        third_party: Callable[[str], tuple[str, str] | None],
        finalize: Callable[[object], object],
    ) -> None:
        """An environment over three sources.

        Args:
            folder: The folder of the report's templates.
            user: Name → text and path of a user's template, which comes first.
            third_party: Name → text and path of a template of a third party's section.
            finalize: Value of an expression → what is printed.
        """
        builtin = jinja2.FileSystemLoader(folder)
        super().__init__(
            loader=jinja2.ChoiceLoader(
                [_loader(user), jinja2.PrefixLoader({BUILTIN: builtin}), builtin, _loader(third_party)]
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
    """The public functions of a module as a namespace, without the modules that it imports."""
    return SimpleNamespace(**_functions(vars(module)))


def _functions(names: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in names.items() if isfunction(value) and not name.startswith("_")}


def _loader(source: Callable[[str], tuple[str, str] | None]) -> jinja2.FunctionLoader:
    def load(name: str) -> tuple[str, str, Callable[[], bool]] | None:
        template = source(name)
        return None if template is None else (*template, lambda: True)

    return jinja2.FunctionLoader(load)
