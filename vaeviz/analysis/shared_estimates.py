"""Estimates that a figure and a check of one set both need, computed once."""

from __future__ import annotations

import functools
import hashlib
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import numpy as np

from vaeviz.model.posterior import Posterior
from vaeviz.plugins.diagnostics import capture_warnings

MAX_KEPT = 16  # results of one process; each holds some thousand codes

Result = TypeVar("Result")

_kept_results: ContextVar[dict[tuple[Any, ...], tuple[Any, list[Warning]]] | None]
_kept_results = ContextVar("kept_results", default=None)


@contextmanager
def share_estimates() -> Iterator[None]:
    """Compute each shared estimate once until the block ends.

    The results belong to all who ask for them, so nobody may change their arrays.
    """
    token = _kept_results.set({})
    try:
        yield
    finally:
        _kept_results.reset(token)


def shared_estimate(function: Callable[..., Result]) -> Callable[..., Result]:
    """Return the kept result of a function for equal posteriors and settings, inside of `share_estimates`.

    Parameters
    ----------
    function : callable
        Estimates something from a `Posterior` and hashable settings, which decide the result.

    Returns
    -------
    callable
        The function. Each call emits the warnings of the first.
    """

    @functools.wraps(function)
    def estimate(posterior: Posterior, **settings: Any) -> Result:
        kept = _kept_results.get()
        if kept is None:
            return function(posterior, **settings)
        key = function.__qualname__, _content_hash(posterior), *sorted(settings.items())
        if key not in kept:
            while len(kept) >= MAX_KEPT:
                del kept[next(iter(kept))]
            with capture_warnings() as raised:
                result = function(posterior, **settings)
            kept[key] = result, raised
        result, raised = kept[key]
        for warning in raised:
            warnings.warn(warning, stacklevel=2)
        return result

    return estimate


def _content_hash(posterior: Posterior) -> bytes:
    """Return a hash of means and standard deviations, since each process has posteriors of its own."""
    digest = hashlib.blake2b(f"{posterior.prior} {posterior.mean.shape}".encode())
    for values in (posterior.mean, posterior.std):
        if values is not None:
            digest.update(np.ascontiguousarray(values).data)
    return digest.digest()
