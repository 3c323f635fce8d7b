"""What an encoder and a decoder have in common."""

from __future__ import annotations

from numbers import Integral
from typing import Any, Literal, get_args

from vaeviz.errors import InputError, UnknownName
from vaeviz.model.calling import callable_name
from vaeviz.model.conditions import parse_conditions

Prior = Literal["normal"]
Layout = Literal["channels_first", "channels_last"]


def check_and_name(declared: Any) -> None:
    _check_choices(declared)
    object.__setattr__(declared, "conditions", parse_conditions(declared.conditions))
    if declared.batch_size is not None and declared.batch_size < 1:
        raise InputError(f"batch_size = {declared.batch_size}: expected 1 or more")
    if declared.pad and declared.batch_size is None:
        kind = type(declared).__name__
        raise InputError(f"pad=True: say how many rows fn takes, {kind}(fn, batch_size=N, pad=True)")
    if declared.name is None:
        object.__setattr__(declared, "name", callable_name(declared.fn))


CHOICES = {
    "output": ("values", "logits"),
    "layout": get_args(Layout),
    "prior": get_args(Prior),
}


def _check_choices(declared: Any) -> None:
    """`InputError` for a declaration that means nothing, which would be taken for another."""
    for name, known in CHOICES.items():
        value = getattr(declared, name, None)
        if value is not None and value not in known:
            raise UnknownName(name, str(value), known)
    if declared.value_range is not None and not declared.value_range[0] < declared.value_range[1]:
        raise InputError(f"value_range = {declared.value_range}: expected (low, high) with low < high")
    for name in ("input_shape", "latent_shape", "sample_shape"):
        shape = getattr(declared, name, None)
        if shape is not None and not (isinstance(shape, tuple) and all(isinstance(side, Integral) for side in shape)):
            raise InputError(f"{name} = {shape!r}: expected a tuple of integers, e.g. (16,)")
