"""An encoder: a callable that maps samples to codes, and what is declared about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import numpy as np

from vaeviz.model.conditions import is_conditional
from vaeviz.model.outputs import parse_returns
from vaeviz.model.part import Layout, Prior, check_and_name
from vaeviz.model.posterior import Posterior


@dataclass(frozen=True, eq=False)
class Encoder:
    """A callable that maps samples to codes, and what is declared about it. Undeclared is None.

    fn: takes a batch (n, *input_shape), and the condition (n, ...) if there is one. Returns a mean (n, D),
        ``(mean, log_var)``, ``(mean, log_var, z)``, a mapping of names to those, or a distribution.
    returns: names the outputs: any of ``mean``, ``log_var``, ``var``, ``std``, and other names for the rest.
    input_shape: the shape of one sample that fn takes, ``(-1,)`` for flat.
    layout: where fn wants the channels of an image.
    value_range: the range that fn wants for data in [0, 1], e.g. ``(-1, 1)``.
    preprocess: applied to each batch (n, ...) before all else.
    prior: ``"normal"`` if the model assumes p(z) = N(0, I).
    batch_size: how many samples fn is sent at once.
    pad: whether fn takes exactly that many: the last batch is filled up, and what comes back for the filling dropped.
    conditions: the values that the condition of a conditional model may take: ``range(10)``, names of classes that fn
        takes by their places, or names with what fn takes for each, ``{"cat": [1, 0], "dog": [0, 1]}``.
    condition: given to fn with every sample, see :func:`given`.
    unpack: for an x that holds more than samples, as an AnnData does: (x, condition) to (samples (N, ...), condition).
    """

    fn: Callable
    _: KW_ONLY
    returns: str | None = None
    input_shape: tuple[int, ...] | None = None
    layout: Layout | None = None
    value_range: tuple[float, float] | None = None
    preprocess: Callable | None = None
    prior: Prior | None = None
    batch_size: int | None = None
    pad: bool | None = None
    conditions: Any = None
    condition: np.ndarray | None = None
    unpack: Callable[[Any, Any], tuple[Any, Any]] | None = None
    name: str | None = None
    remembered: tuple[Any, Posterior] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.returns is not None:
            parse_returns(self.returns)
        check_and_name(self)

    @property
    def is_conditional(self) -> bool:
        """Whether fn wants a condition beside x that is not fixed."""
        return is_conditional(self)
