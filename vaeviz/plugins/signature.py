"""The signature of a function that is registered by name: inputs by position, options by keyword."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from vaeviz.errors import list_words
from vaeviz.plugins.options import Option, options_of

T = TypeVar("T")


@dataclass(frozen=True)
class InputSignature:
    """A named function whose positional parameters name its inputs. Calling it calls the function.

    Parameters
    ----------
    function : callable
        The function. Its keyword-only parameters are its options.
    name : str
        The name under which it is registered.
    """

    function: Callable[..., Any] = field(repr=False)
    name: str

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function.

        Parameters
        ----------
        *args, **kwargs
            Its arguments.

        Returns
        -------
        object
            What it returns.
        """
        return self.function(*args, **kwargs)

    @cached_property
    def _positional(self) -> list[inspect.Parameter]:
        parameters = inspect.signature(self.function).parameters.values()
        return [parameter for parameter in parameters if parameter.kind is not parameter.KEYWORD_ONLY]

    @property
    def required(self) -> tuple[str, ...]:
        """Inputs without which the function cannot be called."""
        return tuple(p.name for p in self._positional if p.default is p.empty)

    @property
    def optional(self) -> tuple[str, ...]:
        """Inputs that the function uses if they are supplied."""
        return tuple(p.name for p in self._positional if p.default is not p.empty)

    @cached_property
    def options(self) -> dict[str, Option]:
        """Options of the function by name."""
        return options_of(self.function)

    @property
    def summary(self) -> str:
        """First line of the docstring."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]

    @cached_property
    def docstring_sections(self) -> dict[str, list[str]]:
        """Paragraphs of each section of the docstring by its title; those before the first title by ``"Summary"``."""
        title = re.compile(r"^(\w[\w ]*)\n-{3,}$", re.MULTILINE)
        first, *rest = title.split(inspect.getdoc(self.function) or "")
        texts = {"Summary": first, **dict(zip(rest[::2], rest[1::2]))}
        return {name: [" ".join(text.split()) for text in texts[name].strip().split("\n\n") if text] for name in texts}

    def missing_inputs(self, inputs: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the required inputs that are not supplied.

        Parameters
        ----------
        inputs : mapping
            Inputs by name; None counts as not supplied.

        Returns
        -------
        tuple of str
            Their names, in the order of the signature.
        """
        return tuple(name for name in self.required if inputs.get(name) is None)

    def why_not_applicable(self, inputs: Mapping[str, Any]) -> str:
        """Return the reason why the function cannot be called with these inputs.

        Parameters
        ----------
        inputs : mapping
            Inputs by name; None counts as not supplied.

        Returns
        -------
        str
            "needs ..." with the names of the missing inputs, or an empty text if none is missing.
        """
        missing = self.missing_inputs(inputs)
        return f"needs {list_words(missing)}" if missing else ""

    def select_inputs(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return those of the inputs that the function takes.

        Parameters
        ----------
        inputs : mapping
            Inputs by name; those that are None are left out.

        Returns
        -------
        dict
            Keyword arguments of the function.
        """
        return {name: inputs[name] for name in self.required + self.optional if inputs.get(name) is not None}


def hide_private_parameters(cls: type[T]) -> type[T]:
    """Leave parameters that start with an underscore out of the signature of a class that help and editors show.

    Parameters
    ----------
    cls : type
        A dataclass with fields that only vaeviz sets.

    Returns
    -------
    type
        The same class.
    """
    init: Any = cls.__init__
    signature = inspect.signature(init)
    shown = [parameter for name, parameter in signature.parameters.items() if not name.startswith("_")]
    init.__signature__ = signature.replace(parameters=shown)
    return cls
