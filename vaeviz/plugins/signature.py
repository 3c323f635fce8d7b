"""What a function asks for: inputs by position, options by keyword."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from vaeviz.plugins.options import Option, options_of


@dataclass(frozen=True)
class InputSignature:
    """A named function whose positional parameters name its inputs. Calling it calls the function."""

    function: Callable
    name: str

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    @cached_property
    def _positional(self) -> list[inspect.Parameter]:
        parameters = inspect.signature(self.function).parameters.values()
        return [parameter for parameter in parameters if parameter.kind is not parameter.KEYWORD_ONLY]

    @property
    def required(self) -> tuple[str, ...]:
        """Inputs without which it cannot be called."""
        return tuple(p.name for p in self._positional if p.default is p.empty)

    @property
    def optional(self) -> tuple[str, ...]:
        """Inputs that it uses when they are there."""
        return tuple(p.name for p in self._positional if p.default is not p.empty)

    @cached_property
    def options(self) -> dict[str, Option]:
        return options_of(self.function)

    @property
    def summary(self) -> str:
        """The first line of the docstring."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]

    def missing(self, inputs: Mapping[str, Any]) -> tuple[str, ...]:
        """The required inputs that `inputs` does not supply."""
        return tuple(name for name in self.required if inputs.get(name) is None)

    def lacking(self, inputs: Mapping[str, Any]) -> str:
        """Why it cannot be called with these inputs; empty if it can."""
        missing = self.missing(inputs)
        return f"needs {' and '.join(missing)}" if missing else ""

    def given(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Those of the inputs that it asks for."""
        return {name: inputs[name] for name in self.required + self.optional if inputs.get(name) is not None}
