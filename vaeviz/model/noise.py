"""Replace the random numbers that a model draws by constants."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np


@contextmanager
def fixed_noise(value: float) -> Iterator[None]:
    """Replace the standard normal numbers that torch and NumPy draw by one constant.

    Parameters
    ----------
    value : float
        The constant: 0 makes a sample of q(z | x) its mean, and 1 its mean plus its standard deviation.

    Yields
    ------
    None
        Nothing. Noise of NumPy generators, of other libraries, and of compiled or scripted functions, stays random.
    """
    with _fixed_numpy_noise(value), nullcontext() if "torch" not in sys.modules else _fixed_torch_noise(value):
        yield


@contextmanager
def _fixed_numpy_noise(value: float) -> Iterator[None]:
    """Replace the normal numbers that NumPy's global functions draw in this thread."""
    thread, is_active = threading.get_ident(), True  # another thread may replace them at the same time

    def constant(draw: Callable[..., Any]) -> Callable[..., Any]:
        def draw_constant(*args: Any, **kwargs: Any) -> Any:
            drawn = draw(*args, **kwargs)  # of the right shape and type
            if threading.get_ident() != thread or not is_active:
                return drawn
            moments = {"loc": 0.0, "scale": 1.0}
            if draw.__name__ == "normal":
                moments |= dict(zip(moments, args)) | {name: kwargs[name] for name in moments.keys() & kwargs.keys()}
            replaced = np.zeros_like(drawn) + moments["loc"] + np.asarray(moments["scale"]) * value
            return replaced if isinstance(drawn, np.ndarray) else float(replaced)

        return draw_constant

    draws = {name: getattr(np.random, name) for name in ("randn", "standard_normal", "normal")}
    for name, draw in draws.items():
        setattr(np.random, name, constant(draw))
    try:
        yield
    finally:
        is_active = False
        for name, draw in draws.items():
            setattr(np.random, name, draw)


@contextmanager
def _fixed_torch_noise(value: float) -> Iterator[None]:
    """Replace the normal numbers that torch draws."""
    import torch
    from torch.overrides import TorchFunctionMode

    class FixedNoise(TorchFunctionMode):
        def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            kwargs = kwargs or {}
            if function is torch.randn:
                kwargs.pop("generator", None)
                return torch.full_like(torch.empty(*args, **kwargs), value)
            if function is torch.randn_like:
                return torch.full_like(args[0], value, **kwargs)
            if function in (torch.Tensor.normal_, torch.normal):
                drawn = function(*args, **kwargs)  # of the right shape, dtype and device
                given = args[1:] if function is torch.Tensor.normal_ else args
                moments = {"mean": 0.0, "std": 1.0} | dict(zip(("mean", "std"), given)) | kwargs
                return drawn.copy_(torch.zeros_like(drawn) + moments["mean"] + moments["std"] * value)
            return function(*args, **kwargs)

    with FixedNoise():
        yield
