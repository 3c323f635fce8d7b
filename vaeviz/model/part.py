"""The common base of an encoder and a decoder: names, ranges, layouts, batch sizes and conditions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, fields
from numbers import Integral, Real
from reprlib import repr as short_repr
from typing import Any, ClassVar, Literal, get_args

import numpy as np

from vaeviz.data.labels import ClassLabels
from vaeviz.errors import Fix, GuessWarning, InputError, NotApplicable, UnknownName, advise, declare, warn_user
from vaeviz.model.calling import callable_name, positional_arity, positional_parameters
from vaeviz.model.conditions import (
    KnownConditions,
    as_condition,
    condition_value,
    condition_values,
    name_of_value,
    names_condition,
    parse_conditions,
    summarize_names,
)
from vaeviz.plugins.options import check_arguments

Prior = Literal["normal", "other"]
Layout = Literal["channels_first", "channels_last"]
Output = Literal["values", "logits"]

_CHOICES: dict[str, tuple[str, ...]] = {
    "output": get_args(Output),
    "layout": get_args(Layout),
    "prior": get_args(Prior),
}

MISSING_ARGUMENT = re.compile(r"missing \d+ required positional arguments?: '(\w+)'")  # as Python says it
GRAPH_ARGUMENT = re.compile(r"edge|adj")  # of all nodes at once, so that these cannot come in batches

WEIGHT_NAMES = ("params", "parameters", "variables")  # of the first argument of a function that JAX transforms


@dataclass(frozen=True, eq=False, repr=False)
class ModelPart:
    """A callable of one model, and what is declared about it. None means undeclared.

    The parameters are described by its subclasses `Encoder` and `Decoder`.
    """

    fn: Callable[..., Any]
    _: KW_ONLY
    layout: Layout | None = None
    value_range: tuple[float, float] | None = None
    prior: Prior | None = None
    batch_size: int | None = None
    pad: bool | None = None
    conditions: Any = None
    condition: np.ndarray | None = None
    name: str = ""

    role: ClassVar[str]
    input_name: ClassVar[str]

    def __post_init__(self) -> None:
        self._check_choices()
        self._check_shapes()
        self._check_value_range()
        check_arguments(type(self), vars(self))
        if self.pad and self.batch_size is None:
            fix = declare(type(self).__name__, batch_size=32, pad=True)
            raise InputError("pad=True needs the number of rows that fn accepts.", expected="batch_size", fix=fix)
        object.__setattr__(self, "conditions", parse_conditions(self.conditions))
        object.__setattr__(self, "name", self.name or callable_name(self.fn))

    def __repr__(self) -> str:
        values = {one.name: getattr(self, one.name) for one in fields(self) if one.repr}
        declared = [
            f"{name}={short_repr(value)}"
            for name, value in values.items()
            if value is not None and name not in ("fn", "name")
        ]
        return f"{type(self).__name__}({', '.join([self.name, *declared])})"

    def _check_choices(self) -> None:
        for name, known in _CHOICES.items():
            value = getattr(self, name, None)
            if name == "prior" and value is not None and not isinstance(value, str):
                raise self._prior_error(value)
            if value is not None and not (isinstance(value, str) and value in known):
                raise UnknownName(name, str(value), known)

    def _prior_error(self, prior: Any) -> InputError:
        declaration = declare(type(self).__name__, prior="other")
        kind = type(prior).__name__
        return InputError(
            f"prior is an object of type {kind}, but it is declared by name.",
            got=kind,
            expected=" or ".join(map(repr, get_args(Prior))),
            fix=Fix(
                f"{declaration.python} To decode codes z drawn from it, write vaeviz.decode(decoder, z).",
                declaration.command_line,
            ),
        )

    def _check_value_range(self) -> None:
        value_range: Any = self.value_range
        if value_range is None:
            return
        is_pair = isinstance(value_range, (tuple, list)) and len(value_range) == 2
        if is_pair and all(isinstance(end, Real) for end in value_range) and value_range[0] < value_range[1]:
            return
        per_channel = {
            "encoder": "vaeviz.Encoder(fn, preprocess=lambda x: (x - mean) / std)",
            "decoder": "vaeviz.Decoder(lambda z: fn(z) * std + mean)",
        }[self.role]
        range_fix = declare(type(self).__name__, value_range=(-1, 1))
        raise InputError(
            f"value_range is {value_range!r}, expected two numbers, (low, high) with low < high.",
            got=repr(value_range),
            expected="(low, high)",
            fix=Fix(
                f"{range_fix.python} For a mean and a standard deviation per channel, write {per_channel}.",
                range_fix.command_line,
            ),
        )

    def _check_shapes(self) -> None:
        for name in ("input_shape", "latent_shape", "sample_shape"):
            shape = getattr(self, name, None)
            if shape is not None and not (isinstance(shape, tuple) and all(isinstance(n, Integral) for n in shape)):
                raise InputError(
                    f"{name} is {shape!r}, expected a tuple of integers.",
                    got=repr(shape),
                    expected="a tuple of integers",
                    fix=declare(type(self).__name__, **{name: (16,)}),
                )

    @property
    def known_conditions(self) -> KnownConditions | None:
        """Values that the condition may take, by name. None if they are not declared."""
        known: KnownConditions | None = self.conditions
        return known

    @property
    def is_conditional(self) -> bool:
        """True if fn needs a condition that is not fixed: one is declared, or fn has two required arguments."""
        return self.condition is None and (self.conditions is not None or positional_arity(self.fn)[0] > 1)

    @property
    def accepts_condition(self) -> bool:
        """True if fn can receive a condition: it is conditional, or has a second argument that may be a condition."""
        return self.is_conditional or positional_parameters(self.fn) is None or self.names_condition

    @property
    def names_condition(self) -> bool:
        """True if a condition is declared, or the name of the second argument of fn says that it is one."""
        return self.condition is None and (self.conditions is not None or names_condition(self._second_argument))

    @property
    def _second_argument(self) -> str:
        """Name of the second positional parameter of fn. Empty if there is none."""
        return next(iter(self._arguments[1:]), "")

    @property
    def _arguments(self) -> list[str]:
        """Names of the positional parameters of fn. Empty if it does not say them."""
        return list(positional_parameters(self.fn) or ())

    @property
    def condition_name(self) -> str:
        """Name of the fixed condition. Empty if none is fixed."""
        return "" if self.condition is None else name_of_value(self.condition, self.known_conditions)

    def fix_condition(self, value: Any) -> np.ndarray:
        """Return the value to fix as the condition.

        Parameters
        ----------
        value : Any
            A class or its name, or a number or vector.

        Returns
        -------
        ndarray
            The number or vector that fn receives.
        """
        return condition_value(value, self.known_conditions)

    def condition_rows(self, condition: Any, n_samples: int) -> ClassLabels | np.ndarray | None:
        """Return the condition of each sample as it was given, else the fixed one.

        Parameters
        ----------
        condition : array_like, shape (N, ...), or None
            Classes, names, numbers or vectors.
        n_samples : int
            Number of samples N.

        Returns
        -------
        ClassLabels or ndarray, shape (N, ...), or None
            The rows. A fixed condition is given by its name if it is known, so that other models know it, too.
        """
        if condition is not None:
            return as_condition(condition, n_samples)
        if self.condition is None:
            return None
        name = self.condition_name
        value = np.asarray(name) if self.known_conditions and name in self.known_conditions else self.condition
        return np.broadcast_to(value, (n_samples, *value.shape))

    def condition_values(self, condition: Any) -> np.ndarray | None:
        """Return the numbers that fn receives with each row.

        Parameters
        ----------
        condition : array_like, shape (N, ...), or None
            Classes, names, numbers or vectors.

        Returns
        -------
        ndarray, shape (N, ...), or None
            The numbers. None if fn takes no condition.

        Raises
        ------
        NotApplicable
            If a conditional part receives none, or fn takes its weights first.
        """
        if self.is_conditional and not self.names_condition and self._arguments[0] in WEIGHT_NAMES:
            raise self._weights_error()
        if condition is None:
            if self.is_conditional:
                raise self.missing_condition_error()
            if self.names_condition:
                warn_user(self._unused_argument_warning())
            return None
        if self.accepts_condition or self.condition is not None:
            return condition_values(condition, self.known_conditions)
        if self._second_argument:
            warn_user(self._unknown_argument_warning())
        return None

    def _unknown_argument_warning(self) -> GuessWarning:
        declaration = declare(type(self).__name__, conditions=("first", "second"))
        return GuessWarning(
            f"The {self.role} {self.name} did not receive the condition: its second argument {self._second_argument} "
            "is not known to be a condition.",
            fix=advise(("If it is one", declaration), ("If not", self._one_argument_fix("Leave out --condition."))),
        )

    def _unused_argument_warning(self) -> GuessWarning:
        """Return the warning for a part that can do without a condition, and received none."""
        given = Fix("Pass condition= with one row per sample, such as the labels.", "Add --condition labels.")
        without = self._one_argument_fix(f"Name a function of {self.input_name} alone.")
        return GuessWarning(
            f"The {self.role} {self.name} received no condition, although its argument {self._second_argument} takes "
            "one.",
            fix=advise(("To pass one", given), ("To leave it out", without)),
        )

    def _one_argument_fix(self, command_line: str) -> Fix:
        """Return the advice to write a function of the samples or codes alone."""
        first = self.input_name
        return Fix(f"Write vaeviz.{type(self).__name__}(lambda {first}: fn({first})).", command_line)

    def _weights_error(self) -> NotApplicable:
        """Return the error for a fn that takes its weights first and the samples or codes last."""
        required = [name for name, is_required in (positional_parameters(self.fn) or {}).items() if is_required]
        call, name = f"fn({', '.join([*required[:-1], self.input_name])})", self.input_name
        return NotApplicable(
            f"The {self.role} {self.name} takes {', '.join(required[:-1])} before {required[-1]}.",
            fix=Fix(f"Write vaeviz.{type(self).__name__}(lambda {name}: {call}).", f"Name a function of {name} alone."),
        )

    def missing_condition_error(self) -> NotApplicable:
        """Return the error for a conditional part that receives no condition.

        Returns
        -------
        NotApplicable
            The error to raise.
        """
        second = self._second_argument
        if second and not self.names_condition:
            return NotApplicable(
                f"The {self.role} {self.name} needs a second argument, {second}, and received none.",
                fix=advise(
                    ("If it is a condition", self._condition_fix()),
                    ("If not", self._argument_fix(second)),
                ),
            )
        names = f" ({summarize_names(self.known_conditions)})" if self.known_conditions else ""
        return NotApplicable(
            f"The {self.role} {self.name} takes {self.input_name} and a condition{names}, but received no condition.",
            fix=self._condition_fix(),
        )

    def missing_argument_fix(self, error: Exception, condition: Any) -> Fix | None:
        """Return the advice for a fn that misses an argument, which may be a condition.

        Parameters
        ----------
        error : Exception
            What fn raised.
        condition : Any
            The condition that it received.

        Returns
        -------
        Fix or None
            The advice. None if no argument is missing.
        """
        missing = MISSING_ARGUMENT.search(str(error))
        if missing is None or condition is not None:
            return None
        return self._condition_fix() if names_condition(missing[1]) else self._argument_fix(missing[1])

    def _argument_fix(self, *names: str) -> Fix:
        """Return the advice to write a function of the samples or codes alone, with the user's values of the others."""
        first, values = self.input_name, ", ".join(names)
        whole = f", batch_size=len({first})" if any(GRAPH_ARGUMENT.search(name) for name in names) else ""
        return Fix(
            f"Write vaeviz.{type(self).__name__}(lambda {first}: fn({first}, {values}){whole}), with your {values}.",
            f"Name a function of {first} alone.",
        )

    def _condition_fix(self) -> Fix:
        fixed = "vaeviz.Encoder(fn)" if self.role == "encoder" else "fn"
        value = next(iter(self.known_conditions or ()), 0)
        return Fix(
            f"Pass condition= with one row per sample, or fix one, such as vaeviz.condition_on({fixed}, {value!r}).",
            "Add --condition labels, or --condition VALUE to fix one.",
        )


def describe_conditions(known: Mapping[str, np.ndarray]) -> Any:
    """Return known conditions as one would declare them.

    Parameters
    ----------
    known : mapping of str to ndarray
        The values by name.

    Returns
    -------
    tuple or list or dict
        Names that mean their positions, numbers that mean themselves, or the mapping.

    Examples
    --------
    >>> describe_conditions(parse_conditions(("cat", "dog")))
    ('cat', 'dog')
    """
    plain = {name: value.tolist() for name, value in known.items()}
    for declared in (tuple(plain), list(plain.values())):
        try:
            parsed = parse_conditions(declared)
        except InputError:
            continue
        if parsed and {name: value.tolist() for name, value in parsed.items()} == plain:
            return declared
    return plain
