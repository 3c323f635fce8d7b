"""``log_likelihood``: the only place where a foreign p(x | z) is called."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from vaeviz.data.arrays import as_array
from vaeviz.data.batches import check_row_count, check_samples, describe_batch, iterate_batches, one_line
from vaeviz.errors import InputError, NotApplicable
from vaeviz.model.calling import callable_name, numpy_caller, positional_arity
from vaeviz.model.conditions import condition_values
from vaeviz.model.posterior import Posterior


def log_likelihood(likelihood: Any, x: Any, z: Any) -> np.ndarray:
    """ln p(x | z) of each pair, (N,), float64, in nats.

    likelihood: a callable from a batch of x (n, *sample) and of codes z (n, D) to n numbers, in NumPy or torch; a
        torch module that it is bound to or closes over is run on its own device. x: (N, ...). z: (N, D), or the
        means of a `Posterior`, which also knows the condition that a conditional likelihood (x, z, y) takes; classes
        and names are looked up in its attribute `conditions`, where it has one.

    Runs in batches, in eval mode, without gradients. Raises `InputError` if the likelihood fails, loses rows, or
    returns anything but finite numbers, one for each pair.
    """
    x = check_samples(x, "x")
    code_shape, condition = (z.code_shape, z.condition_of) if isinstance(z, Posterior) else ((), lambda rows: None)
    z = check_samples(z.mean if isinstance(z, Posterior) else z, "z", reference=x)
    with numpy_scorer(likelihood, code_shape) as score:
        parts = ((batch, z[rows], condition(rows)) for rows, batch in iterate_batches(x, None, desc="scoring"))
        return np.concatenate([score(*part) for part in parts])


@contextmanager
def numpy_scorer(likelihood: Any, code_shape: tuple[int, ...] = ()) -> Iterator[Callable[..., np.ndarray]]:
    """A function from one batch x (n, *sample), z (n, D) and y (n, ...) or None to ln p(x | z, y), (n,), checked.

    code_shape: the shape that one code has for the model, () when it is simply (D,). `NotApplicable` where a
    conditional likelihood misses y, or another one is given it.
    """
    if not callable(likelihood):
        raise InputError(f"likelihood: got {type(likelihood).__name__}, expected a callable (x, z) -> (N,)")
    name, (fewest, most) = callable_name(likelihood), positional_arity(likelihood)
    known = getattr(likelihood, "conditions", None)
    with numpy_caller(likelihood) as call:

        def score(x: np.ndarray, z: np.ndarray, condition: Any = None) -> np.ndarray:
            x = np.ascontiguousarray(x, dtype=np.float32)
            z = np.ascontiguousarray(z, dtype=np.float32)
            if condition is None and fewest > 2:
                raise NotApplicable(f"likelihood {name} takes a condition beside x and z: give condition=y")
            if condition is not None and most < 3:
                raise NotApplicable(f"likelihood {name} takes no condition: write it as a function of x, z and y")
            given = [] if condition is None else [condition_values(condition, known)]
            try:
                return _read(call(x, z.reshape(len(z), *code_shape) if code_shape else z, *given), len(x))
            except Exception as error:
                raise InputError(
                    f"likelihood {name}, given {describe_batch(x)} and {describe_batch(z)}: {one_line(error)}"
                ) from error

        yield score


def _read(returned: Any, rows: int) -> np.ndarray:
    values = as_array(returned)
    check_row_count(values, rows)
    if values.size != rows:
        raise InputError(f"got back shape {values.shape}, expected ({rows},): one log-likelihood for each pair")
    values = values.reshape(rows).astype(np.float64)
    if not np.isfinite(values).all():
        raise InputError("got NaN or infinite values")
    return values
