"""Evaluate ln p(x | z): the only module that calls a foreign likelihood."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from vaeviz.data.arrays import as_array
from vaeviz.data.batches import check_row_count, check_samples, iterate_batches
from vaeviz.errors import Fix, InputError, NotApplicable
from vaeviz.model.calling import ForeignFunction, call_error, callable_name, positional_arity
from vaeviz.model.conditions import condition_values
from vaeviz.model.posterior import Posterior


def log_likelihood(likelihood: Any, x: Any, z: Any) -> np.ndarray:
    """Return ln p(x | z) of each pair of a sample and a code.

    The likelihood runs in batches, in eval mode and without gradients.

    Parameters
    ----------
    likelihood : callable
        Receives a batch of samples, shape ``(n, ...)``, and of codes, shape ``(n, D)``, and returns n numbers, in NumPy
        or torch. A conditional one receives the condition as well, ``(x, z, y)``; classes and names are looked up in
        its attribute ``conditions`` if it has one.
    x : array_like, shape (N, ...)
        Samples.
    z : array_like, shape (N, D), or Posterior
        Codes. A `Posterior` supplies its means and its conditions.

    Returns
    -------
    ndarray of float64, shape (N,)
        ln p(x | z) in nats.

    Raises
    ------
    InputError
        If the likelihood fails, loses rows, or returns anything but one finite number per pair.
    NotApplicable
        If it needs a condition and receives none, or the reverse.

    Examples
    --------
    >>> import numpy as np
    >>> import vaeviz
    >>> vaeviz.log_likelihood(lambda x, z: -((x - z) ** 2).sum(axis=1), np.ones((3, 2)), np.zeros((3, 2)))
    array([-2., -2., -2.])
    """
    x = check_samples(x, "x")
    posterior = z if isinstance(z, Posterior) else None
    codes = check_samples(z if posterior is None else posterior.mean, "z", reference=x)
    with numpy_scorer(likelihood, () if posterior is None else posterior.code_shape) as score:
        parts = (
            score(batch, codes[rows], None if posterior is None else posterior.condition_of(rows))
            for rows, batch in iterate_batches(x, None, desc="scoring")
        )
        return np.concatenate(list(parts))


@contextmanager
def numpy_scorer(likelihood: Any, code_shape: tuple[int, ...] = ()) -> Iterator[Callable[..., np.ndarray]]:
    """Provide a function that returns ln p(x | z, y) of one batch.

    Parameters
    ----------
    likelihood : callable
        See `log_likelihood`.
    code_shape : tuple of int, default ()
        Shape of one code as the model uses it. ``()`` means ``(D,)``.

    Yields
    ------
    callable
        Receives x, shape ``(n, ...)``, z, shape ``(n, D)``, and y, shape ``(n, ...)``, or None. Returns n numbers.
    """
    if not callable(likelihood):
        got = type(likelihood).__name__
        raise InputError(
            f"likelihood is of type {got}, expected a callable (x, z) -> (N,).",
            got=got,
            expected="a callable",
            fix=f"Pass vaeviz.decoder_likelihood(decoder, {likelihood!r})." if isinstance(likelihood, str) else "",
        )
    name, (n_needed, n_accepted) = callable_name(likelihood), positional_arity(likelihood)
    known = getattr(likelihood, "conditions", None)
    with ForeignFunction(likelihood) as call:

        def score(x: np.ndarray, z: np.ndarray, condition: Any = None) -> np.ndarray:
            x = np.ascontiguousarray(x, dtype=np.float32)
            z = np.ascontiguousarray(z, dtype=np.float32)
            if condition is None and n_needed > 2:
                raise NotApplicable(
                    f"The likelihood {name} takes x, z and a condition, but received no condition.",
                    fix=Fix("Pass condition=y with one row per sample.", "Add --condition labels."),
                )
            if condition is not None and n_accepted < 3:
                raise NotApplicable(
                    f"The likelihood {name} takes no condition.", fix="Write it as a function of x, z and y."
                )
            conditions = [] if condition is None else [condition_values(condition, known)]
            try:
                returned = call(x, z.reshape(len(z), *code_shape) if code_shape else z, *conditions)
                return _read_log_likelihoods(returned, len(x))
            except Exception as error:
                raise call_error("likelihood", name, [x, z], error) from error

        yield score


def _read_log_likelihoods(returned: Any, n_rows: int) -> np.ndarray:
    values = as_array(returned)
    check_row_count(values, n_rows)
    if values.size != n_rows:
        raise InputError(
            f"The likelihood returned shape {values.shape}, expected ({n_rows},).",
            got=str(values.shape),
            expected=f"({n_rows},)",
            fix="Return one log-likelihood per pair.",
        )
    values = values.reshape(n_rows).astype(np.float64)
    if not np.isfinite(values).all():
        raise InputError("The likelihood returned NaN or infinite values.", got="NaN or infinite values")
    return values
