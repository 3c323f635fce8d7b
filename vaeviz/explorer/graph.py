"""Networks as graphs of a few documented operations, and an interpreter of them in NumPy.

The interpreter is the reference for the one that runs in the page. Operations have the names, attributes and layouts
of torch (NCHW); the batch is the first axis.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from vaeviz.explorer.scene_arrays import DType, SceneArrays

Values = Any  # arrays in float32, of any shape
Operation = Callable[..., Values]

WEIGHTS = ("weight", "bias", "running_mean", "running_var")  # attributes that name an array


class UnsupportedOperation(Exception):
    """A network uses something that has no operation here."""


@dataclass(frozen=True)
class Node:
    """One operation of a graph.

    Parameters
    ----------
    op : str
        Name of the operation, a key of `OPERATIONS`.
    inputs : tuple of str
        Names of the values that it takes.
    output : str
        Name of the value that it returns.
    attributes : mapping
        Its other arguments. ``weight``, ``bias``, ``running_mean`` and ``running_var`` name arrays of the graph.
    """

    op: str
    inputs: tuple[str, ...]
    output: str
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def weights(self) -> dict[str, str]:
        """Names of the arrays that it uses, by attribute."""
        keys = ("value",) if self.op == "constant" else WEIGHTS
        return {key: self.attributes[key] for key in keys if self.attributes.get(key) is not None}


@dataclass(frozen=True, eq=False)
class Graph:
    """A network.

    Parameters
    ----------
    inputs : tuple of str
        Names of its inputs: ``"z"``, and ``"condition"`` for a conditional decoder.
    output : str
        Name of its output.
    nodes : tuple of Node
        Its operations in the order in which they run.
    weights : mapping of str to ndarray
        Its arrays by name.
    """

    inputs: tuple[str, ...]
    output: str
    nodes: tuple[Node, ...]
    weights: Mapping[str, np.ndarray]

    def run(self, *inputs: np.ndarray) -> np.ndarray:
        """Compute the output in float32.

        Parameters
        ----------
        *inputs : ndarray, shape (N, ...)
            One array per input.

        Returns
        -------
        ndarray of float32, shape (N, ...)
            The output.
        """
        values = {name: np.asarray(value, np.float32) for name, value in zip(self.inputs, inputs, strict=True)}
        for node in self.nodes:
            arrays = {key: self.weights[name].astype(np.float32) for key, name in node.weights.items()}
            given = [values[name] for name in node.inputs]
            with np.errstate(over="ignore", under="ignore", divide="ignore", invalid="ignore"):
                result = OPERATIONS[node.op](*given, **(dict(node.attributes) | arrays))
            values[node.output] = np.asarray(result, np.float32)
        return np.asarray(values[self.output])

    def pruned(self) -> Graph:
        """Return the graph without nodes and weights that its output does not need.

        Returns
        -------
        Graph
            The graph. Nodes that only pass a value on are removed as well.
        """
        source: dict[str, str] = {}
        nodes = []
        for node in self.nodes:
            node = replace(node, inputs=tuple(source.get(name, name) for name in node.inputs))
            if node.op == "identity":
                source[node.output] = node.inputs[0]
            else:
                nodes.append(node)
        output = source.get(self.output, self.output)
        needed, kept = {output}, []
        for node in reversed(nodes):
            if node.output in needed:
                needed.update(node.inputs)
                kept.append(node)
        used = {name for node in kept for name in node.weights.values()}
        weights = {name: values for name, values in self.weights.items() if name in used}
        return Graph(self.inputs, output, tuple(reversed(kept)), weights)

    def with_weights_as(self, dtype: DType) -> Graph:
        """Return the graph with its weights rounded to a type.

        Parameters
        ----------
        dtype : {"float32", "float16"}
            The type.

        Returns
        -------
        Graph
            The graph.
        """
        with np.errstate(over="ignore"):
            return replace(self, weights={name: values.astype(dtype) for name, values in self.weights.items()})

    def to_scene(self, arrays: SceneArrays) -> dict[str, Any]:
        """Return the graph as a scene holds it.

        Parameters
        ----------
        arrays : SceneArrays
            Receives the weights in their own type, float32 or float16.

        Returns
        -------
        dict
            Inputs, output, nodes, and references to the weights by name.
        """
        weights = {}
        for name, values in self.weights.items():
            half = values.dtype == np.float16
            weights[name] = arrays.add(f"weight-{name}", values, "float16" if half else "float32")
        nodes = [
            {"op": node.op, "inputs": list(node.inputs), "output": node.output, **node.attributes}
            for node in self.nodes
        ]
        return {"inputs": list(self.inputs), "output": self.output, "nodes": nodes, "weights": weights}


def _linear(x: Values, *, weight: Values, bias: Values | None = None) -> Values:
    y = x @ weight.T
    return y if bias is None else y + bias


def _conv(
    x: Values,
    *,
    weight: Values,
    bias: Values | None = None,
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    groups: int = 1,
    output_padding: list[int] | None = None,
) -> Values:
    """Convolve (N, C, *spatial) in one or two dimensions with weights (O, C / groups, *kernel)."""
    n_dims = x.ndim - 2
    x = np.pad(x, [(0, 0), (0, 0), *((size, size) for size in padding)])
    reach = [step * (size - 1) + 1 for step, size in zip(dilation, weight.shape[2:])]
    windows = np.lib.stride_tricks.sliding_window_view(x, reach, axis=tuple(range(2, x.ndim)))
    windows = windows[_every(*stride, *dilation)]
    taps = tuple(range(2 + n_dims, 2 + 2 * n_dims))
    parts = [
        np.tensordot(part, kernel, axes=((1, *taps), (1, *range(2, 2 + n_dims))))
        for part, kernel in zip(np.split(windows, groups, axis=1), np.split(weight, groups, axis=0))
    ]
    y = np.moveaxis(np.concatenate(parts, axis=-1), -1, 1)
    return y if bias is None else y + bias.reshape(-1, *[1] * n_dims)


def _every(*steps: int) -> Any:
    """Return the index that takes steps along the axes after the batch and the channels."""
    return (slice(None), slice(None), *(slice(None, None, step) for step in steps))


def _conv_transpose(
    x: Values,
    *,
    weight: Values,
    bias: Values | None = None,
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    groups: int = 1,
    output_padding: list[int],
) -> Values:
    """Convolve (N, C, *spatial), stretched by the stride, with flipped weights (C, O / groups, *kernel)."""
    n_dims = x.ndim - 2
    stretched = [(size - 1) * step + 1 for size, step in zip(x.shape[2:], stride)]
    sparse = np.zeros((*x.shape[:2], *stretched), x.dtype)
    sparse[_every(*stride)] = x
    margins = []
    for size, step, pad, extra in zip(weight.shape[2:], dilation, padding, output_padding):
        before = step * (size - 1) - pad
        margins.append((before, before + extra))
    sparse = np.pad(sparse, [(0, 0), (0, 0), *((max(a, 0), max(b, 0)) for a, b in margins)])
    cuts = [slice(max(-a, 0), min(b, 0) or None) for a, b in margins]
    sparse = sparse[(slice(None), slice(None), *cuts)]
    flipped = np.flip(weight, axis=tuple(range(2, 2 + n_dims)))
    kernels = [part.swapaxes(0, 1) for part in np.split(flipped, groups, axis=0)]
    ones, zeros = [1] * n_dims, [0] * n_dims
    kernel = np.concatenate(kernels)
    return _conv(sparse, weight=kernel, bias=bias, stride=ones, padding=zeros, dilation=dilation, groups=groups)


def _batch_norm(
    x: Values,
    *,
    running_mean: Values,
    running_var: Values,
    weight: Values | None = None,
    bias: Values | None = None,
    eps: float,
) -> Values:
    shape = (-1, *[1] * (x.ndim - 2))
    y = (x - running_mean.reshape(shape)) / np.sqrt(running_var.reshape(shape) + np.float32(eps))
    y = y if weight is None else y * weight.reshape(shape)
    return y if bias is None else y + bias.reshape(shape)


def _normalize(x: Values, axes: tuple[int, ...], eps: float) -> Values:
    mean, var = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)
    return np.asarray((x - mean) / np.sqrt(var + np.float32(eps)))


def _layer_norm(
    x: Values, *, normalized_shape: list[int], eps: float, weight: Values | None = None, bias: Values | None = None
) -> Values:
    y = _normalize(x, tuple(range(x.ndim - len(normalized_shape), x.ndim)), eps)
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


def _group_norm(
    x: Values, *, num_groups: int, eps: float, weight: Values | None = None, bias: Values | None = None
) -> Values:
    y = _normalize(x.reshape(len(x), num_groups, -1), (2,), eps).reshape(x.shape)
    shape = (-1, *[1] * (x.ndim - 2))
    y = y if weight is None else y * weight.reshape(shape)
    return y if bias is None else y + bias.reshape(shape)


def _gelu(x: Values, *, approximate: str = "none") -> Values:
    from scipy.special import erf

    if approximate == "tanh":
        return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi).astype(np.float32) * (x + 0.044715 * x**3)))
    return np.asarray(0.5 * x * (1 + erf(x / np.sqrt(np.float32(2)))))


def _sigmoid(x: Values) -> Values:
    from scipy.special import expit

    return np.asarray(expit(x))


def _softplus(x: Values, *, beta: float = 1.0, threshold: float = 20.0) -> Values:
    return np.where(x * beta > threshold, x, np.logaddexp(0, x * beta) / beta)


def _softmax(x: Values, *, dim: int) -> Values:
    y = np.exp(x - x.max(axis=dim, keepdims=True))
    return np.asarray(y / y.sum(axis=dim, keepdims=True))


def _binary(function: Callable[[Any, Any], Values]) -> Operation:
    """Return an operation of two values, or of one and a number."""

    def compute(x: Values, y: Values | None = None, *, value: float = 0.0, reverse: bool = False) -> Values:
        other: Any = np.float32(value) if y is None else y
        return np.asarray(function(other, x) if reverse else function(x, other))

    return compute


def _slice(x: Values, *, dim: int, start: int, end: int, step: int = 1) -> Values:
    selected = [slice(None)] * x.ndim
    selected[dim] = slice(start, end, step)
    return x[tuple(selected)]


def _expand(x: Values, *, shape: list[int]) -> Values:
    own = [1] * (len(shape) - x.ndim) + list(x.shape)
    return np.broadcast_to(x, [old if new == -1 else new for old, new in zip(own, shape)])


def _upsample_nearest(x: Values, *, size: list[int]) -> Values:
    for axis, (new, old) in enumerate(zip(size, x.shape[2:]), start=2):
        x = np.take(x, np.arange(new) * old // new, axis=axis)
    return x


def _upsample_bilinear(x: Values, *, size: list[int], align_corners: bool = False) -> Values:
    for axis, (new, old) in enumerate(zip(size, x.shape[2:]), start=2):
        if align_corners:
            places = np.arange(new) * ((old - 1) / max(new - 1, 1))
        else:
            places = np.maximum((np.arange(new) + 0.5) * (old / new) - 0.5, 0)
        low = np.minimum(places.astype(int), old - 1)
        high = np.minimum(low + 1, old - 1)
        share = (places - low).astype(np.float32).reshape(-1, *[1] * (x.ndim - 1 - axis))
        x = np.take(x, low, axis=axis) * (1 - share) + np.take(x, high, axis=axis) * share
    return x


def _pixel_shuffle(x: Values, *, upscale_factor: int) -> Values:
    r = upscale_factor
    n, channels, height, width = x.shape
    parts = x.reshape(n, channels // r**2, r, r, height, width).transpose(0, 1, 4, 2, 5, 3)
    return parts.reshape(n, channels // r**2, height * r, width * r)


def _pad(x: Values, *, pads: list[int], value: float = 0.0) -> Values:
    left, right, top, bottom = pads
    return np.pad(x, [(0, 0), (0, 0), (top, bottom), (left, right)], constant_values=value)


OPERATIONS: dict[str, Operation] = {
    "linear": _linear,
    "conv1d": _conv,
    "conv2d": _conv,
    "conv_transpose1d": _conv_transpose,
    "conv_transpose2d": _conv_transpose,
    "batch_norm": _batch_norm,
    "layer_norm": _layer_norm,
    "group_norm": _group_norm,
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "leaky_relu": lambda x, negative_slope: np.where(x >= 0, x, x * np.float32(negative_slope)),
    "elu": lambda x, alpha=1.0: np.where(x > 0, x, alpha * np.expm1(x)),
    "celu": lambda x, alpha=1.0: np.where(x > 0, x, alpha * np.expm1(x / alpha)),
    "selu": lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(x)),
    "gelu": _gelu,
    "silu": lambda x: x * _sigmoid(x),
    "mish": lambda x: x * np.tanh(_softplus(x)),
    "hardswish": lambda x: x * np.clip(x + 3, 0, 6) / 6,
    "hardsigmoid": lambda x: np.clip(x + 3, 0, 6) / 6,
    "sigmoid": _sigmoid,
    "tanh": np.tanh,
    "softplus": _softplus,
    "softmax": _softmax,
    "log_softmax": lambda x, dim: np.log(_softmax(x, dim=dim)),
    "clamp": lambda x, min=None, max=None: np.clip(x, min, max) if (min, max) != (None, None) else x,
    "exp": np.exp,
    "log": np.log,
    "neg": np.negative,
    "abs": np.abs,
    "sqrt": np.sqrt,
    "sin": np.sin,
    "cos": np.cos,
    "identity": lambda x: x,
    "add": _binary(np.add),
    "sub": _binary(np.subtract),
    "mul": _binary(np.multiply),
    "div": _binary(np.divide),
    "pow": _binary(np.power),
    "maximum": _binary(np.maximum),
    "minimum": _binary(np.minimum),
    "equal": _binary(np.equal),
    "reshape": lambda x, shape: x.reshape(shape),
    "permute": lambda x, dims: x.transpose(dims),
    "cat": lambda *parts, dim: np.concatenate(parts, axis=dim),
    "slice": _slice,
    "expand": _expand,
    "upsample_nearest": _upsample_nearest,
    "upsample_bilinear": _upsample_bilinear,
    "pixel_shuffle": _pixel_shuffle,
    "pad": _pad,
    "mean": lambda x, dim, keepdim=False: x.mean(axis=tuple(dim), keepdims=keepdim),
    "sum": lambda x, dim, keepdim=False: x.sum(axis=tuple(dim), keepdims=keepdim),
    "gather": lambda x, weight: weight[x.astype(int)],
    "constant": lambda value: value,
}
"""The function of each operation by its name."""
