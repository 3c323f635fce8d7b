"""A decoder: a callable that maps codes to samples, and what is declared about it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any, Literal

import numpy as np

from vaeviz.model.conditions import is_conditional
from vaeviz.model.part import Layout, Prior, check_and_name


@dataclass(frozen=True, eq=False)
class Decoder:
    """A callable that maps codes to samples, and what is declared about it. Undeclared is None.

    fn: takes a batch of codes (n, *latent_shape), and the condition (n, ...) if there is one. Returns samples
        (n, ...): the means of p(x | z), or logits.
    output: ``"logits"`` if a sigmoid is still to be applied.
    latent_shape: the shape of one code, ``(D,)`` or e.g. ``(4, 8, 8)``.
    layout: where fn puts the channels of an image.
    value_range: the range of fn's output that stands for [0, 1], e.g. ``(-1, 1)`` after a tanh.
    sample_shape: the shape of one sample, e.g. ``(28, 28)`` where fn returns (n, 784).
    prior: ``"normal"`` if the model assumes p(z) = N(0, I).
    batch_size: how many codes fn is sent at once.
    pad: whether fn takes exactly that many, see `Encoder`.
    conditions: the values that the condition of a conditional model may take, see `Encoder`.
    condition: given to fn with every code, see :func:`given`.
    """

    fn: Callable
    _: KW_ONLY
    output: Literal["values", "logits"] | None = None
    latent_shape: tuple[int, ...] | None = None
    layout: Layout | None = None
    value_range: tuple[float, float] | None = None
    sample_shape: tuple[int, ...] | None = None
    prior: Prior | None = None
    batch_size: int | None = None
    pad: bool | None = None
    conditions: Any = None
    condition: np.ndarray | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        check_and_name(self)

    @property
    def is_conditional(self) -> bool:
        """Whether fn wants a condition beside z that is not fixed."""
        return is_conditional(self)

    @property
    def latent_size(self) -> int | None:
        """D, the number of latent dimensions, where it is declared."""
        return None if self.latent_shape is None else math.prod(self.latent_shape)
