"""In what precision a training multiplies: float32, or bfloat16 on a device that has units for it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Literal

import torch

from vaeviz.errors import InputError

Precision = Literal["float32", "bfloat16"]

UNITS = {"avx512_bf16", "amx_bf16", "bf16"}
"""What processors call them: x86's two kinds and Arm's, in torch's words and in Linux'."""

CPUINFO = Path("/proc/cpuinfo")


def autocast_for(precision: Precision, device: torch.device) -> AbstractContextManager:
    """Within it, layers multiply in that precision. Weights and what is no product stay float32.

    Raises `InputError` for bfloat16 on a device without units for it, where it would be slower than float32.
    """
    if precision == "float32":
        return nullcontext()
    if not has_bfloat16_units(device):
        raise InputError(
            f'precision "bfloat16": {_named(device)} has no units for it; it needs a GPU of compute capability 8.0, '
            'or a CPU with AVX512-BF16, AMX or Arm BF16. Write precision "float32"'
        )
    return torch.autocast(device.type, torch.bfloat16, cache_enabled=False)  # no weight is used twice in a step


def has_bfloat16_units(device: torch.device) -> bool:
    """Whether products of bfloat16 numbers are faster there than those of float32."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    return device.type == "cpu" and bool(UNITS & _cpu_features())


def _cpu_features() -> set[str]:
    """What torch finds in the CPU, since 2.11; what Linux does, with an older torch; else nothing."""
    if hasattr(torch.cpu, "get_capabilities"):
        return {name for name, there in torch.cpu.get_capabilities().items() if there is True}
    lines = CPUINFO.read_text(encoding="utf-8").lower().splitlines() if CPUINFO.is_file() else []
    return {flag for line in lines if line.startswith(("flags", "features")) for flag in line.split()}


def _named(device: torch.device) -> str:
    return "this CPU" if device.type == "cpu" else str(device)
