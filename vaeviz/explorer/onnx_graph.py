"""ONNX files as graphs, through the onnx package where it is installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from vaeviz.explorer.checked_codes import CheckedCodes
from vaeviz.explorer.graph import Graph, Node, UnsupportedOperation
from vaeviz.model.decoder import Decoder
from vaeviz.model.torch_probe import loaded_values

BATCH = -1  # in place of an axis whose length is free
PLAIN = {
    **{name: name.lower() for name in ("Relu", "Sigmoid", "Tanh", "Exp", "Log", "Neg", "Abs", "Sqrt", "Sin", "Cos")},
    **{"Identity": "identity", "Cast": "identity", "Dropout": "identity", "Mish": "mish", "HardSwish": "hardswish"},
}
BINARY = {
    **{name: name.lower() for name in ("Add", "Sub", "Mul", "Div", "Pow", "Equal")},
    "Max": "maximum",
    "Min": "minimum",
}
RESHAPES = ("Reshape", "Flatten", "Squeeze", "Unsqueeze")


def find_onnx_path(function: Any) -> Path | None:
    """Return the file of the onnxruntime session that a function calls.

    Parameters
    ----------
    function : callable
        What decodes.

    Returns
    -------
    Path or None
        None if it calls no session, or one that was not read from a file.
    """
    for value in loaded_values(function):
        path = getattr(value, "_model_path", None)
        if path and hasattr(value, "get_inputs"):
            return Path(path)
    return None


def onnx_graph(path: Path, decoder: Decoder, checked: CheckedCodes) -> Graph:
    """Return an ONNX file as a graph, with what `vaeviz.decode` does after it.

    Parameters
    ----------
    path : Path
        The file.
    decoder : Decoder
        What is declared about the decoder.
    checked : CheckedCodes
        Codes, whose samples show the layout.

    Returns
    -------
    Graph
        The graph, from codes (N, D) to flat samples (N, S).

    Raises
    ------
    UnsupportedOperation
        If the file uses something that the graph has no operation for, or the onnx package is not installed.
    """
    if importlib.util.find_spec("onnx") is None:
        raise UnsupportedOperation("reading an ONNX file needs the package onnx, which is not installed")
    if checked.condition is not None:
        raise UnsupportedOperation("the ONNX file takes a condition")
    import onnx

    model = onnx.load(str(path))
    _free_batch(model.graph)
    model = onnx.shape_inference.infer_shapes(model, data_prop=True)
    translation = _Translation(model)
    translation.begin([BATCH, *checked.code_shape])
    for node in model.graph.node:
        translation.add(node)
    return translation.finish(decoder, checked)


class _Translation:
    """The nodes of an ONNX file, written as those of a graph.

    Parameters
    ----------
    model : onnx.ModelProto
        The file, with the shapes of its values inferred.
    """

    def __init__(self, model: Any) -> None:
        from onnx import numpy_helper

        self.model = model
        self.constants = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
        self.weights: dict[str, np.ndarray] = {}
        self.nodes: list[Node] = []
        values = (*model.graph.input, *model.graph.value_info, *model.graph.output)
        self.shapes = {one.name: _shape_of(one) for one in values}

    def begin(self, shape: list[int]) -> None:
        """Add the input: the codes, in the shape that the network takes."""
        name = next(one.name for one in self.model.graph.input if one.name not in self.constants)
        self.nodes.append(Node("reshape", ("z",), name, {"shape": shape}))
        self.shapes[name] = shape

    def add(self, node: Any) -> None:
        """Add a node, or compute it if it depends on constants alone."""
        from onnx import helper

        given = {one.name: helper.get_attribute_value(one) for one in node.attribute}
        if node.op_type == "Constant" or all(name in self.constants for name in node.input if name):
            self._fold(node)
            return
        handler = HANDLERS.get(node.op_type)
        if handler is None:
            raise UnsupportedOperation(f"it uses the operation {node.op_type}")
        handler(self, node, given)

    def _fold(self, node: Any) -> None:
        from onnx.reference.ops import load_op

        operator = load_op(node.domain, node.op_type, self._version(node.domain))(node, {"log": lambda *_: None})
        results = operator.run(*[self.constants[name] for name in node.input if name])
        self.constants.update(zip(node.output, results))

    def _version(self, domain: str) -> int:
        return int(next(one.version for one in self.model.opset_import if one.domain == domain))

    def finish(self, decoder: Decoder, checked: CheckedCodes) -> Graph:
        """Return the graph, with the declared sigmoid and range, and samples flat in the order of the page."""
        last = self.model.graph.output[0].name
        steps: list[tuple[str, dict[str, Any]]] = [("sigmoid", {})] if decoder.output == "logits" else []
        if decoder.value_range is not None:
            low, high = decoder.value_range
            steps += [("sub", {"value": float(low), "reverse": False})]
            steps += [("div", {"value": float(high - low), "reverse": False})]
        if checked.layout.moves_channels:
            n_dims = len(self.shape(last))
            steps += [("permute", {"dims": [0, *range(2, n_dims), 1]})]
        steps += [("reshape", {"shape": [BATCH, *checked.space.shape]})]
        if checked.space.dims is not None:
            steps += [("permute", {"dims": [0, *(dim + 1 for dim in checked.space.dims)]})]
        for place, (op, attributes) in enumerate([*steps, ("reshape", {"shape": [BATCH, checked.space.size]})]):
            self.nodes.append(Node(op, (last,), f"decoded-{place}", attributes))
            last = f"decoded-{place}"
        return Graph(("z",), last, tuple(self.nodes), self.weights).pruned()

    def emit(self, node: Any, op: str, inputs: tuple[str, ...], **attributes: Any) -> None:
        """Add a node whose output has the name of that in the file."""
        self.nodes.append(Node(op, inputs, node.output[0], attributes))

    def value(self, name: str) -> str:
        """Return the name of a value; a constant becomes a node."""
        if name in self.constants and f"{name}-value" not in {node.output for node in self.nodes}:
            self.nodes.append(Node("constant", (), f"{name}-value", {"value": self.weight(name)}))
        return f"{name}-value" if name in self.constants else name

    def weight(self, name: str) -> str | None:
        """Return the name of a weight; None for an input that is left out."""
        if not name:
            return None
        if name not in self.constants:
            raise UnsupportedOperation("its weights depend on its inputs")
        self.weights[name] = np.asarray(self.constants[name], np.float32)
        return name

    def constant(self, name: str) -> np.ndarray:
        """Return the values of a constant."""
        if name not in self.constants:
            raise UnsupportedOperation("its shapes depend on its inputs")
        return np.asarray(self.constants[name])

    def shape(self, name: str) -> list[int]:
        """Return the shape of a value, with −1 for the batch."""
        if name in self.constants:
            return list(self.constants[name].shape)
        shape = self.shapes.get(name)
        if shape is None or shape.count(BATCH) > 1:
            raise UnsupportedOperation("its shapes cannot be inferred")
        return shape


def _free_batch(graph: Any) -> None:
    """Free the length of the batch in a file that fixes it, and forget the shapes that follow from it."""
    weights = {one.name for one in graph.initializer}
    first = next(one for one in graph.input if one.name not in weights)
    first.type.tensor_type.shape.dim[0].dim_param = "batch"
    for value in graph.output:
        value.type.tensor_type.ClearField("shape")
    del graph.value_info[:]


def _shape_of(value: Any) -> list[int] | None:
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return None
    return [one.dim_value if one.HasField("dim_value") else BATCH for one in tensor.shape.dim]


def _at(node: Any, place: int) -> str:
    """Return the name of an input; empty if it is left out."""
    return str(node.input[place]) if place < len(node.input) else ""


def _plain(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    t.emit(node, PLAIN[node.op_type], (t.value(node.input[0]),))


def _binary(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    if len(node.input) != 2:
        raise UnsupportedOperation(f"it uses {node.op_type} of {len(node.input)} values")
    t.emit(node, BINARY[node.op_type], (t.value(node.input[0]), t.value(node.input[1])))


def _activation(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    op, attributes = {
        "LeakyRelu": ("leaky_relu", {"negative_slope": given.get("alpha", 0.01)}),
        "Elu": ("elu", {"alpha": given.get("alpha", 1.0)}),
        "Celu": ("celu", {"alpha": given.get("alpha", 1.0)}),
        "Softplus": ("softplus", {"beta": 1.0, "threshold": 20.0}),
        "Gelu": ("gelu", {"approximate": bytes(given.get("approximate", b"none")).decode()}),
    }[node.op_type]
    t.emit(node, op, (t.value(node.input[0]),), **attributes)


def _hard_sigmoid(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    """Write clip(alpha x + beta, 0, 1)."""
    scaled, moved = f"{node.output[0]}-scaled", f"{node.output[0]}-moved"
    slope, offset = given.get("alpha", 0.2), given.get("beta", 0.5)
    t.nodes.append(Node("mul", (t.value(node.input[0]),), scaled, {"value": slope, "reverse": False}))
    t.nodes.append(Node("add", (scaled,), moved, {"value": offset, "reverse": False}))
    t.emit(node, "clamp", (moved,), min=0.0, max=1.0)


def _clip(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    ends = [float(t.constant(name)) if (name := _at(node, place)) else None for place in (1, 2)]
    low, high = given.get("min", ends[0]), given.get("max", ends[1])
    t.emit(node, "clamp", (t.value(node.input[0]),), min=low, max=high)


def _softmax(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    op = "log_softmax" if node.op_type == "LogSoftmax" else "softmax"
    t.emit(node, op, (t.value(node.input[0]),), dim=given.get("axis", -1))


def _gemm(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    if given.get("transA") or given.get("alpha", 1.0) != 1 or given.get("beta", 1.0) != 1:
        raise UnsupportedOperation("it scales or transposes the input of a linear layer")
    matrix = t.constant(node.input[1])
    bias = t.weight(_at(node, 2))
    _emit_linear(t, node, matrix if given.get("transB") else matrix.T, bias)


def _matmul(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    matrix = t.constant(node.input[1])
    if matrix.ndim != 2:
        raise UnsupportedOperation("it multiplies by more than a matrix")
    _emit_linear(t, node, matrix.T, None)


def _emit_linear(t: _Translation, node: Any, matrix: np.ndarray, bias: str | None) -> None:
    name = f"{node.output[0]}-matrix"
    t.weights[name] = np.ascontiguousarray(matrix, np.float32)
    t.emit(node, "linear", (t.value(node.input[0]),), weight=name, bias=bias)


def _conv(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    weight = t.constant(node.input[1])
    n_dims = weight.ndim - 2
    pads = list(given.get("pads", [0] * 2 * n_dims))
    ends = pads[n_dims:]
    if bytes(given.get("auto_pad", b"NOTSET")) != b"NOTSET" or n_dims not in (1, 2) or given.get("output_shape"):
        raise UnsupportedOperation("it pads a convolution by the size of its input")
    if pads[:n_dims] != ends and node.op_type == "Conv":
        raise UnsupportedOperation("it pads a convolution more on one side")
    ones = [1] * n_dims
    attributes = {
        "stride": list(given.get("strides", ones)),
        "padding": pads[:n_dims],
        "dilation": list(given.get("dilations", ones)),
        "groups": given.get("group", 1),
    }
    op = f"conv{n_dims}d"
    if node.op_type == "ConvTranspose":
        op = f"conv_transpose{n_dims}d"
        extra = given.get("output_padding", [0] * n_dims)
        attributes["output_padding"] = [one + pad - end for one, pad, end in zip(extra, pads, ends)]
    names = {"weight": t.weight(node.input[1]), "bias": t.weight(_at(node, 2))}
    t.emit(node, op, (t.value(node.input[0]),), **names, **attributes)


def _batch_norm(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    keys = ("weight", "bias", "running_mean", "running_var")
    names = {key: t.weight(name) for key, name in zip(keys, node.input[1:])}
    t.emit(node, "batch_norm", (t.value(node.input[0]),), eps=given.get("epsilon", 1e-5), **names)


def _layer_norm(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    shape = t.shape(node.input[0])
    kept = shape[given.get("axis", -1) % len(shape) :]
    names = {"weight": t.weight(_at(node, 1)), "bias": t.weight(_at(node, 2))}
    eps = given.get("epsilon", 1e-5)
    t.emit(node, "layer_norm", (t.value(node.input[0]),), normalized_shape=kept, eps=eps, **names)


def _group_norm(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    n_channels = t.shape(node.input[0])[1]
    n_groups = given["num_groups"] if node.op_type == "GroupNormalization" else n_channels
    if t.constant(node.input[1]).shape != (n_channels,):
        raise UnsupportedOperation("it scales groups, not channels")
    names = {"weight": t.weight(node.input[1]), "bias": t.weight(node.input[2])}
    t.emit(node, "group_norm", (t.value(node.input[0]),), num_groups=n_groups, eps=given.get("epsilon", 1e-5), **names)


def _reshape(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    t.emit(node, "reshape", (t.value(node.input[0]),), shape=t.shape(node.output[0]))


def _transpose(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    dims = list(given.get("perm", reversed(range(len(t.shape(node.input[0]))))))
    t.emit(node, "permute", (t.value(node.input[0]),), dims=dims)


def _concat(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    t.emit(node, "cat", tuple(map(t.value, node.input)), dim=given["axis"] % len(t.shape(node.input[0])))


def _slice(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    shape = t.shape(node.input[0])
    starts, ends = (np.atleast_1d(t.constant(name)) for name in node.input[1:3])
    axes = np.atleast_1d(t.constant(name)) if (name := _at(node, 3)) else np.arange(len(starts))
    steps = np.atleast_1d(t.constant(name)) if (name := _at(node, 4)) else np.ones(len(starts), int)
    value = t.value(node.input[0])
    for place, (start, end, axis, step) in enumerate(zip(starts, ends, axes % len(shape), steps)):
        if shape[axis] == BATCH or step < 1:
            raise UnsupportedOperation("it selects samples of a batch, or reverses values")
        start, end, _ = slice(int(start), int(end)).indices(shape[axis])
        name = f"{node.output[0]}-{place}"
        t.nodes.append(Node("slice", (value,), name, {"dim": int(axis), "start": start, "end": end, "step": int(step)}))
        value = name
    t.emit(node, "identity", (value,))


def _resize(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    mode, rule = (bytes(given.get(key, default)).decode() for key, default in (
        ("mode", b"nearest"),
        ("coordinate_transformation_mode", b"half_pixel"),
    ))  # fmt: skip
    old, new = t.shape(node.input[0]), t.shape(node.output[0])
    if len(new) != 4 or old[:2] != new[:2]:
        raise UnsupportedOperation("it resizes other than images")
    is_floor = bytes(given.get("nearest_mode", b"round_prefer_floor")) == b"floor"
    if mode == "nearest" and rule == "asymmetric" and is_floor:
        t.emit(node, "upsample_nearest", (t.value(node.input[0]),), size=new[2:])
    elif mode == "linear" and rule in ("half_pixel", "pytorch_half_pixel", "align_corners"):
        corners = rule == "align_corners"
        t.emit(node, "upsample_bilinear", (t.value(node.input[0]),), size=new[2:], align_corners=corners)
    else:
        raise UnsupportedOperation(f"it resizes by {mode}, {rule}")


def _depth_to_space(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    if bytes(given.get("mode", b"DCR")) != b"CRD":
        raise UnsupportedOperation("it moves channels to pixels in the order DCR")
    t.emit(node, "pixel_shuffle", (t.value(node.input[0]),), upscale_factor=given["blocksize"])


def _pad(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    pads = [int(one) for one in (t.constant(node.input[1]) if len(node.input) > 1 else given["pads"])]
    is_constant = bytes(given.get("mode", b"constant")) == b"constant"
    if not is_constant or len(pads) != 8 or any((*pads[:2], *pads[4:6])) or min(pads) < 0 or _at(node, 3):
        raise UnsupportedOperation("it pads other than images by a constant")
    value = float(t.constant(name)) if (name := _at(node, 2)) else 0.0
    t.emit(node, "pad", (t.value(node.input[0]),), pads=[pads[3], pads[7], pads[2], pads[6]], value=value)


def _reduce(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    n_dims = len(t.shape(node.input[0]))
    axes = given.get("axes")
    axes = [int(one) % n_dims for one in (t.constant(node.input[1]) if axes is None else axes)]
    if 0 in axes:
        raise UnsupportedOperation("it averages over a batch")
    op = "mean" if node.op_type == "ReduceMean" else "sum"
    t.emit(node, op, (t.value(node.input[0]),), dim=sorted(axes), keepdim=bool(given.get("keepdims", 1)))


def _prelu(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    x = t.value(node.input[0])
    negative, scaled, positive = (f"{node.output[0]}-{part}" for part in ("negative", "scaled", "positive"))
    t.nodes.append(Node("clamp", (x,), negative, {"min": None, "max": 0.0}))
    t.nodes.append(Node("mul", (negative, t.value(node.input[1])), scaled))
    t.nodes.append(Node("relu", (x,), positive))
    t.emit(node, "add", (positive, scaled))


Handler = Callable[[_Translation, Any, dict[str, Any]], None]

HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(PLAIN, _plain),
    **dict.fromkeys(BINARY, _binary),
    **dict.fromkeys(RESHAPES, _reshape),
    **dict.fromkeys(("LeakyRelu", "Elu", "Celu", "Softplus", "Gelu"), _activation),
    **dict.fromkeys(("Softmax", "LogSoftmax"), _softmax),
    **dict.fromkeys(("Conv", "ConvTranspose"), _conv),
    **dict.fromkeys(("GroupNormalization", "InstanceNormalization"), _group_norm),
    **dict.fromkeys(("ReduceMean", "ReduceSum"), _reduce),
    "HardSigmoid": _hard_sigmoid,
    "Clip": _clip,
    "Gemm": _gemm,
    "MatMul": _matmul,
    "BatchNormalization": _batch_norm,
    "LayerNormalization": _layer_norm,
    "Transpose": _transpose,
    "Concat": _concat,
    "Slice": _slice,
    "Resize": _resize,
    "DepthToSpace": _depth_to_space,
    "Pad": _pad,
    "PRelu": _prelu,
}
"""Functions that write the operations of ONNX, by name."""
