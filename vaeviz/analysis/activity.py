"""Which latent dimensions carry information."""

from __future__ import annotations

import numpy as np

from vaeviz.errors import InputError
from vaeviz.model.posterior import Posterior


def activity(posterior: Posterior) -> np.ndarray:
    """How active each latent dimension is, (D,): its mean KL in nats, or for a deterministic encoder the
    variance of the means (Burda et al. 2016, section 5)."""
    kl = posterior.kl()
    return posterior.mean.var(axis=0, dtype=np.float64) if kl is None else kl.mean(axis=0)


def most_active_dims(posterior: Posterior, count: int) -> tuple[int, ...]:
    """The `count` most active dimensions, in order of their index."""
    order = np.argsort(-activity(posterior), kind="stable")
    return tuple(sorted(int(dim) for dim in order[:count]))


def active_dimensions(posterior: Posterior, least: float) -> tuple[int, ...]:
    """The dimensions whose activity is at least `least`, in order of their index."""
    return tuple(int(dim) for dim in np.flatnonzero(activity(posterior) >= least))


def check_dims(dims: tuple[int, ...], size: int, count: int | None = None) -> tuple[int, ...]:
    """`dims` if they are different dimensions of a latent of that size, and `count` of them; else `InputError`."""
    if len(set(dims)) < len(dims) or not all(0 <= dim < size for dim in dims) or count not in (None, len(dims)):
        written, wanted = ", ".join(map(str, dims)), f"{count} " if count else ""
        raise InputError(f"dims = ({written}): expected {wanted}different dimensions from 0 to {size - 1}")
    return tuple(dims)
