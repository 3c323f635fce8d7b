"""Write the graphs of single operations with the outputs that torch computes, as fixtures of the unit tests.

Run in a Python environment with torch: ``python explorer/test/write_operations.py``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

torch.manual_seed(0)
IMAGE, SIGNAL, ROWS = torch.randn(2, 4, 5, 6), torch.randn(2, 4, 7), torch.randn(3, 6)
CASES: list[dict[str, Any]] = []


def tensor(values: Tensor) -> dict[str, Any]:
    """Return an array as JSON, with seven significant digits."""
    return {"data": [float(f"{v:.7g}") for v in values.flatten().tolist()], "shape": list(values.shape)}


def add(
    op: str, inputs: list[Tensor], expected: Tensor, weights: dict[str, Tensor] | None = None, **attributes: Any
) -> None:
    """Keep a case of one operation; weights are named by their attributes."""
    weights = weights or {}
    names = [f"input{i}" for i in range(len(inputs))]
    node = {"op": op, "inputs": names, "output": "y", **{name: name for name in weights}, **attributes}
    graph = {"inputs": names, "output": "y", "nodes": [node]}
    graph["weights"] = {name: tensor(values) for name, values in weights.items()}
    values = {name: tensor(value) for name, value in zip(names, inputs, strict=True)}
    CASES.append({"graph": graph, "inputs": values, "output": tensor(expected)})


for name in [
    "relu",
    "relu6",
    "selu",
    "silu",
    "mish",
    "hardswish",
    "hardsigmoid",
    "sigmoid",
    "tanh",
    "softplus",
    "gelu",
    "elu",
    "celu",
    "leaky_relu",
]:
    add(name, [ROWS], getattr(F, name)(ROWS))
add("gelu", [ROWS], F.gelu(ROWS, approximate="tanh"), approximate="tanh")
add("leaky_relu", [ROWS], F.leaky_relu(ROWS, 0.2), negative_slope=0.2)
add("elu", [ROWS], F.elu(ROWS, 0.5), alpha=0.5)
add("softplus", [30 * ROWS], F.softplus(30 * ROWS, 2, 5), beta=2, threshold=5)
add("clamp", [ROWS], ROWS.clamp(min=-0.5), min=-0.5)
add("hardtanh", [ROWS], F.hardtanh(ROWS, -0.3, 0.4), min=-0.3, max=0.4)
for name in ["exp", "neg", "abs", "sin", "cos"]:
    add(name, [ROWS], getattr(torch, name)(ROWS))
for name in ["log", "sqrt"]:
    add(name, [ROWS.abs()], getattr(torch, name)(ROWS.abs()))

for name, torch_op in {"add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div}.items():
    add(name, [ROWS, ROWS[:, :1]], torch_op(ROWS, ROWS[:, :1]))
add("maximum", [IMAGE, IMAGE[:1, :, :1]], torch.maximum(IMAGE, IMAGE[:1, :, :1]))
add("sub", [ROWS], 2 - ROWS, value=2, reverse=True)
add("pow", [ROWS], ROWS**2, value=2)
add("equal", [ROWS.round()], (ROWS.round() == 1).float(), value=1)

add("linear", [ROWS], F.linear(ROWS, w := torch.randn(4, 6), b := torch.randn(4)), {"weight": w, "bias": b})
add("matmul", [ROWS], ROWS @ (w := torch.randn(6, 2)), {"weight": w})
add("gather", [torch.tensor([2.0, 0.0])], torch.stack([(w := torch.randn(3, 4))[2], w[0]]), {"weight": w})
for options in ({}, {"stride": [2, 1], "padding": [1, 2]}, {"dilation": [2, 2], "padding": [2, 2]}):
    w, b = torch.randn(6, 4, 3, 3), torch.randn(6)
    add("conv2d", [IMAGE], F.conv2d(IMAGE, w, b, **options), {"weight": w, "bias": b}, **options)
w = torch.randn(6, 2, 3, 3)
add("conv2d", [IMAGE], F.conv2d(IMAGE, w, groups=2), {"weight": w}, groups=2, bias=None)
for options in (
    {},
    {"stride": [2, 2], "padding": [1, 1], "output_padding": [1, 1]},
    {"stride": [2, 3], "padding": [0, 1], "dilation": [2, 1]},
):
    w, b = torch.randn(4, 3, 3, 4), torch.randn(3)
    add("conv_transpose2d", [IMAGE], F.conv_transpose2d(IMAGE, w, b, **options), {"weight": w, "bias": b}, **options)
w = torch.randn(4, 3, 3, 3)
add(
    "conv_transpose2d",
    [IMAGE],
    F.conv_transpose2d(IMAGE, w, groups=2, stride=2),
    {"weight": w},
    groups=2,
    stride=[2, 2],
)
w, b = torch.randn(5, 4, 3), torch.randn(5)
add("conv1d", [SIGNAL], F.conv1d(SIGNAL, w, b, stride=2, padding=1), {"weight": w, "bias": b}, stride=[2], padding=[1])
w, b = torch.randn(4, 3, 4), torch.randn(3)
expected = F.conv_transpose1d(SIGNAL, w, b, stride=2, padding=1, output_padding=1)
options = {"stride": [2], "padding": [1], "output_padding": [1]}
add("conv_transpose1d", [SIGNAL], expected, {"weight": w, "bias": b}, **options)

mean, var, w, b = torch.randn(4), torch.rand(4), torch.randn(4), torch.randn(4)
statistics = {"running_mean": mean, "running_var": var, "weight": w, "bias": b}
add("batch_norm", [IMAGE], F.batch_norm(IMAGE, mean, var, w, b, eps=1e-3), statistics, eps=1e-3)
add("group_norm", [IMAGE], F.group_norm(IMAGE, 2, w, b), {"weight": w, "bias": b}, num_groups=2, eps=1e-5)
w, b = torch.randn(6), torch.randn(6)
layer_options = {"normalized_shape": [6], "eps": 1e-5}
add("layer_norm", [IMAGE], F.layer_norm(IMAGE, [6], w, b), {"weight": w, "bias": b}, **layer_options)

add("reshape", [ROWS], ROWS.reshape(3, 2, 3), shape=[-1, 2, 3])
add("flatten", [IMAGE], IMAGE.flatten(1), start_dim=1)
add("permute", [IMAGE], IMAGE.permute(0, 2, 3, 1), dims=[0, 2, 3, 1])
add("cat", [IMAGE, IMAGE[:, :1]], torch.cat([IMAGE, IMAGE[:, :1]], 1), dim=1)
add("slice", [IMAGE], IMAGE[:, :, 1:-1], dim=2, start=1, end=-1, step=1)
add("slice", [IMAGE], IMAGE[..., ::2], dim=-1, start=0, end=None, step=2)
add("expand", [ROWS[:, None]], ROWS[:, None].expand(-1, 4, -1), shape=[-1, 4, -1])
add("unsqueeze", [ROWS], ROWS.unsqueeze(-1), dim=-1)
add("squeeze", [ROWS[:, None]], ROWS, dim=1)
add("pad", [IMAGE], F.pad(IMAGE, (1, 2, 0, -1)), pads=[1, 2, 0, -1], value=0)
add("softmax", [IMAGE], IMAGE.softmax(1), dim=1)
add("log_softmax", [ROWS], ROWS.log_softmax(-1), dim=-1)
add("mean", [IMAGE], IMAGE.mean((2, 3), keepdim=True), dim=[2, 3], keepdim=True)
add("sum", [IMAGE], IMAGE.sum(1), dim=[1], keepdim=False)
add("pixel_shuffle", [IMAGE], F.pixel_shuffle(IMAGE, 2), upscale_factor=2)
for size in ([10, 12], [7, 8], [3, 4]):
    add("upsample_nearest", [IMAGE], F.interpolate(IMAGE, size), size=size)
    for corners in (False, True):
        expected = F.interpolate(IMAGE, size, mode="bilinear", align_corners=corners)
        add("upsample_bilinear", [IMAGE], expected, size=size, align_corners=corners)
add("upsample_nearest", [SIGNAL], F.interpolate(SIGNAL, 14), size=[14])
add("max_pool2d", [IMAGE], F.max_pool2d(IMAGE, 2, padding=1), kernel_size=[2, 2], stride=[2, 2], padding=[1, 1])
add("avg_pool2d", [IMAGE], F.avg_pool2d(IMAGE, 3, 2, 1), kernel_size=[3, 3], stride=[2, 2], padding=[1, 1])

lines = ",\n".join(json.dumps(case) for case in CASES)
Path(__file__).with_name("fixtures").joinpath("operations.json").write_text(f"[\n{lines}\n]\n")
