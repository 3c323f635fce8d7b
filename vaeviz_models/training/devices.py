"""Devices: where to compute."""

from __future__ import annotations

import torch

from vaeviz.errors import Fix, InputError


def pick_device(name: str = "auto") -> torch.device:
    """Return a device by name.

    Parameters
    ----------
    name : str, default "auto"
        ``"auto"`` picks CUDA, then MPS, then the CPU; any other name is a torch device.

    Returns
    -------
    torch.device
        The device.

    Raises
    ------
    InputError
        If the device cannot be used on this machine.
    """
    if name == "auto":
        available = (("cuda", torch.cuda.is_available()), ("mps", torch.backends.mps.is_available()), ("cpu", True))
        return torch.device(next(kind for kind, is_available in available if is_available))
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0].partition(". ")[0][:200]
        raise InputError(
            f"Device {name!r} cannot be used here: {reason}.",
            got=name,
            expected="auto, cpu, cuda or mps",
            fix=Fix('Pass device="auto", "cpu", "cuda" or "mps".', "Write --device auto, cpu, cuda or mps."),
        ) from None
    return device
