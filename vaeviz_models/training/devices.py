"""Where to compute."""

from __future__ import annotations

import torch

from vaeviz.errors import InputError


def pick_device(name: str = "auto") -> torch.device:
    """The device of that name; ``"auto"`` takes CUDA, then MPS, then the CPU. `InputError` if it is not there."""
    if name == "auto":
        available = (("cuda", torch.cuda.is_available()), ("mps", torch.backends.mps.is_available()), ("cpu", True))
        return torch.device(next(kind for kind, there in available if there))
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0].partition(". ")[0][:200]
        raise InputError(f"device {name!r} cannot be used here: {reason}; write auto, cpu, cuda or mps") from None
    return device
