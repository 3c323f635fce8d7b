"""Precision of the matrix products in training: float32, or bfloat16 where hardware supports it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Literal

import torch

from vaeviz.errors import Fix, InputError

Precision = Literal["float32", "bfloat16"]

BFLOAT16_FEATURES = {"avx512_bf16", "amx_bf16", "bf16"}  # names of x86 and Arm units, in torch and in /proc/cpuinfo
CPUINFO = Path("/proc/cpuinfo")


def autocast_for(precision: Precision, device: torch.device) -> AbstractContextManager[Any]:
    """Return a context in which layers multiply in a precision.

    Parameters
    ----------
    precision : {"float32", "bfloat16"}
        Precision of the products. Weights and all other operations stay float32.
    device : torch.device
        Where the products are computed.

    Returns
    -------
    context manager
        The context.

    Raises
    ------
    InputError
        If the device has no hardware support for bfloat16, where it would be slower than float32.
    """
    if precision == "float32":
        return nullcontext()
    if not has_bfloat16_units(device):
        raise InputError(
            f"Precision bfloat16 is not supported by {_device_name(device)}. It needs a GPU of compute capability 8.0 "
            "or more, or a CPU with AVX512-BF16, AMX or Arm BF16.",
            got="bfloat16",
            expected="float32",
            fix=Fix('Pass precision="float32".', "Add --precision float32."),
        )
    return torch.autocast(device.type, torch.bfloat16, cache_enabled=False)  # no weight is used twice in a step


def has_bfloat16_units(device: torch.device) -> bool:
    """Return True if a device multiplies bfloat16 numbers faster than float32 numbers.

    Parameters
    ----------
    device : torch.device
        The device.

    Returns
    -------
    bool
        Whether there is hardware support.
    """
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    return device.type == "cpu" and bool(BFLOAT16_FEATURES & _cpu_features())


def _cpu_features() -> set[str]:
    """List the features of the CPU as torch 2.11 and later know them, else as Linux does."""
    if hasattr(torch.cpu, "get_capabilities"):
        return {name for name, is_there in torch.cpu.get_capabilities().items() if is_there is True}
    lines = CPUINFO.read_text(encoding="utf-8").lower().splitlines() if CPUINFO.is_file() else []
    return {flag for line in lines if line.startswith(("flags", "features")) for flag in line.split()}


def _device_name(device: torch.device) -> str:
    return "this CPU" if device.type == "cpu" else str(device)
