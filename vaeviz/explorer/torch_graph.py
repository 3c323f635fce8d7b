"""Networks of torch as graphs: `torch.export` records the operations, which are written in those of `graph`."""

from __future__ import annotations

import inspect
import operator
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from vaeviz.explorer.graph import Graph, Node, UnsupportedOperation

EXAMPLE_ROWS = 3  # of the batch that is traced; torch fixes axes of length 1
IDENTITIES = ("alias", "clone", "contiguous", "detach", "dropout", "feature_dropout", "identity", "lift_fresh_copy")
CASTS = ("_to_copy", "to", "type_as")  # whole numbers stay whole in float32
RESHAPES = ("_unsafe_view", "flatten", "reshape", "squeeze", "unflatten", "unsqueeze", "view", "view_copy")
PLAIN = {
    **{name: name for name in ("relu", "relu6", "selu", "silu", "mish", "hardswish", "hardsigmoid", "sigmoid", "tanh")},
    **{name: name for name in ("exp", "log", "neg", "abs", "sqrt", "sin", "cos")},
}
BINARY = {
    **{name: name for name in ("add", "sub", "mul", "div", "pow", "maximum", "minimum")},
    "eq": "equal",
    "rsub": "sub",
}
ACTIVATIONS: dict[str, dict[str, Any]] = {
    "leaky_relu": {"negative_slope": 0.01},
    "elu": {"alpha": 1.0},
    "celu": {"alpha": 1.0},
    "gelu": {"approximate": "none"},
    "softplus": {"beta": 1.0, "threshold": 20.0},
}
"""Activations with the attributes that they take, and their defaults."""


def torch_graph(module: Any, examples: tuple[Any, ...], names: tuple[str, ...]) -> Graph:
    """Return a torch module as a graph.

    Parameters
    ----------
    module : torch.nn.Module
        The module, in eval mode.
    examples : tuple of Tensor, shape (M, ...)
        Inputs to trace it with. The size of the batch is left free.
    names : tuple of str
        Names of the inputs.

    Returns
    -------
    Graph
        The graph, whose weights are float32.

    Raises
    ------
    UnsupportedOperation
        If the module does something that the graph has no operation for.
    """
    import torch

    free = ({0: torch.export.Dim("batch", min=2)},) * len(examples)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of torch's own parts about each other
        program = torch.export.export(module, examples, dynamic_shapes=(free,) if _takes_any(module) else free)
        table: Any = torch.export.default_decompositions()
        for overload in list(table):
            if _base_name(overload) in HANDLERS:
                table.pop(overload)
        return _Translation(program.run_decompositions(table), names).graph()


def _takes_any(module: Any) -> bool:
    """Return True if the forward pass of a module takes ``*inputs``, whose shapes torch wants as one tuple."""
    parameters = inspect.signature(module.forward).parameters.values()
    return any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters)


def _base_name(overload: Any) -> str:
    """Return the name of an operator without namespace and overload, e.g. ``"conv2d"``."""
    return str(overload).removeprefix("aten.").partition(".")[0]


class _Translation:
    """The nodes of an exported program, written as those of a graph.

    Parameters
    ----------
    program : torch.export.ExportedProgram
        The program.
    names : tuple of str
        Names of its inputs.
    """

    def __init__(self, program: Any, names: tuple[str, ...]) -> None:
        self.program = program
        self.names = names
        self.nodes: list[Node] = []
        self.weights: dict[str, np.ndarray] = {}
        self.sources: dict[str, str] = {}  # names of values by names of torch's nodes
        self.arrays: dict[str, str] = {}  # names of weights by names of torch's nodes

    def graph(self) -> Graph:
        """Return the graph."""
        inputs = iter(self.names)
        tensors = self._bound_tensors()
        output = ""
        for node in self.program.graph.nodes:
            if node.op == "placeholder" and node.name in tensors:
                self._add_weight(node.name, tensors[node.name])
            elif node.op == "placeholder":
                self.sources[node.name] = next(inputs)
            elif node.op == "output":
                output = self.sources[node.args[0][0].name]
            elif hasattr(node.meta.get("val"), "shape") or isinstance(node.meta.get("val"), (list, tuple)):
                self._add_call(node)
        return Graph(self.names, output, tuple(self.nodes), self.weights).pruned()

    def _bound_tensors(self) -> dict[str, Any]:
        """Return the parameters, buffers and constants by the names of their placeholders."""
        signature = self.program.graph_signature
        bound = {**self.program.state_dict, **self.program.constants}
        by_name = (
            signature.inputs_to_parameters | signature.inputs_to_buffers | signature.inputs_to_lifted_tensor_constants
        )
        return {placeholder: bound[name] for placeholder, name in by_name.items()}

    def _add_weight(self, name: str, tensor: Any) -> None:
        import torch

        self.weights[name] = tensor.detach().cpu().to(torch.float32).numpy()
        self.arrays[name] = name

    def _add_call(self, node: Any) -> None:
        name = _base_name(node.target)
        if name == "getitem" or node.target is operator.getitem:
            if f"{node.args[0].name}:{node.args[1]}" in self.sources:  # else a statistic that nothing else needs
                self.sources[node.name] = self.sources[f"{node.args[0].name}:{node.args[1]}"]
            return
        handler = HANDLERS.get(name)
        if handler is None:
            raise UnsupportedOperation(f"it uses the operation {name}")
        arguments = _named_arguments(node)
        if any(_is_constant(value, self) for value in node.args) and not self._takes_value(node):
            self._fold(node)
            return
        handler(self, node, arguments)

    def _takes_value(self, node: Any) -> bool:
        """Return True if an argument depends on the inputs of the network."""
        return any(_depends_on_input(value, self) for value in node.args)

    def _fold(self, node: Any) -> None:
        """Compute a node that depends on weights alone."""
        import torch

        def value(argument: Any) -> Any:
            if isinstance(argument, (list, tuple)):
                return type(argument)(map(value, argument))
            name = getattr(argument, "name", None)
            return torch.from_numpy(self.weights[self.arrays[name]]) if name in self.arrays else argument

        self._add_weight(node.name, node.target(*map(value, node.args), **node.kwargs))

    def emit(self, node: Any, op: str, inputs: tuple[str, ...], **attributes: Any) -> None:
        """Add a node whose output has the name of torch's node."""
        self.nodes.append(Node(op, inputs, node.name, attributes))
        self.sources[node.name] = node.name

    def emit_first(self, node: Any, op: str, inputs: tuple[str, ...], **attributes: Any) -> None:
        """Add a node that computes the first output of torch's node, or its only one."""
        self.emit(node, op, inputs, **attributes)
        self.sources[f"{node.name}:0"] = node.name

    def value(self, argument: Any) -> str:
        """Return the name of the value of an argument; a weight becomes a constant."""
        if argument.name in self.sources:
            return self.sources[argument.name]
        if argument.name not in self.arrays:
            raise UnsupportedOperation(f"it uses {argument.name}, which is neither a value nor a weight")
        self.nodes.append(Node("constant", (), f"{argument.name}-value", {"value": self.arrays[argument.name]}))
        self.sources[argument.name] = f"{argument.name}-value"
        return self.sources[argument.name]

    def weight(self, argument: Any) -> str | None:
        """Return the name of the weight of an argument; None for none."""
        if argument is None:
            return None
        if argument.name not in self.arrays:
            raise UnsupportedOperation("its weights depend on its inputs")
        return self.arrays[argument.name]


def _depends_on_input(argument: Any, translation: _Translation) -> bool:
    if isinstance(argument, (list, tuple)):
        return any(_depends_on_input(one, translation) for one in argument)
    name = getattr(argument, "name", None)
    return name in translation.sources


def _is_constant(argument: Any, translation: _Translation) -> bool:
    if isinstance(argument, (list, tuple)):
        return any(_is_constant(one, translation) for one in argument)
    return getattr(argument, "name", None) in translation.arrays


def _named_arguments(node: Any) -> dict[str, Any]:
    """Return the arguments of a call by name, with the defaults of the operator."""
    schema = getattr(node.target, "_schema", None)
    if schema is None:
        raise UnsupportedOperation(f"it uses {node.target}")
    given = {argument.name: argument.default_value for argument in schema.arguments if argument.has_default_value()}
    given |= {argument.name: value for argument, value in zip(schema.arguments, node.args)}
    return given | dict(node.kwargs)


def _shape(node: Any) -> list[int]:
    """Return the shape of a node with −1 for the batch."""
    shape = [size if isinstance(size, int) else -1 for size in node.meta["val"].shape]
    if shape.count(-1) > 1:
        raise UnsupportedOperation("it mixes the samples of a batch")
    return shape


def _identity(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    t.emit(node, "identity", (t.value(node.args[0]),))


def _reshape(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    t.emit(node, "reshape", (t.value(node.args[0]),), shape=_shape(node))


def _expand(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    own, new = _shape(node.args[0]), _shape(node)
    if -1 in new and -1 not in own:
        raise UnsupportedOperation("it repeats a weight for each sample of a batch")
    padded = [1] * (len(new) - len(own)) + own
    if padded == new:
        t.emit(node, "identity", (t.value(node.args[0]),))
        return
    t.emit(node, "expand", (t.value(node.args[0]),), shape=new)


def _linear(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    weight, bias = t.weight(given["weight"]), t.weight(given.get("bias"))
    t.emit(node, "linear", (t.value(given["input"]),), weight=weight, bias=bias)


def _matmul(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    """Write a product with a matrix of weights as a linear layer."""
    bias, x, matrix = (given["self"], given["mat1"], given["mat2"]) if "mat1" in given else (None, *node.args[:2])
    name = t.weight(matrix)
    if name is None or t.weights[name].ndim != 2 or given.get("alpha", 1) != 1 or given.get("beta", 1) != 1:
        raise UnsupportedOperation("it multiplies values that both depend on its inputs")
    transposed = f"{name}-transposed"
    t.weights[transposed] = np.ascontiguousarray(t.weights[name].T)
    t.emit(node, "linear", (t.value(x),), weight=transposed, bias=t.weight(bias))


def _conv(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    name = _base_name(node.target)
    n_dims = int(name[-2])
    attributes = {key: given[key] for key in ("stride", "padding", "dilation")}
    if isinstance(attributes["padding"], str):
        raise UnsupportedOperation(f"it pads a convolution by {attributes['padding']!r}")
    if "transpose" in name:
        attributes["output_padding"] = given["output_padding"]
    lists = {key: list(value) * (n_dims if len(value) == 1 else 1) for key, value in attributes.items()}
    weight, bias = t.weight(given["weight"]), t.weight(given["bias"])
    op, x = name.removesuffix(".input"), t.value(given["input"])
    if len(_shape(given["input"])) != n_dims + 2:
        raise UnsupportedOperation("it convolves without a batch")
    t.emit(node, op, (x,), weight=weight, bias=bias, groups=given["groups"], **lists)


def _batch_norm(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    if given.get("training") or given["running_mean"] is None:
        raise UnsupportedOperation("it normalizes by the statistics of a batch")
    names = {key: t.weight(given[key]) for key in ("weight", "bias", "running_mean", "running_var")}
    t.emit_first(node, "batch_norm", (t.value(given["input"]),), eps=given["eps"], **names)


def _layer_norm(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    names = {key: t.weight(given[key]) for key in ("weight", "bias")}
    shape = list(given["normalized_shape"])
    t.emit_first(node, "layer_norm", (t.value(given["input"]),), normalized_shape=shape, eps=given["eps"], **names)


def _group_norm(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    names = {key: t.weight(given[key]) for key in ("weight", "bias")}
    n_groups = given["num_groups"] if "num_groups" in given else given["group"]
    t.emit_first(node, "group_norm", (t.value(given["input"]),), num_groups=n_groups, eps=given["eps"], **names)


def _instance_norm(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    if not given["use_input_stats"]:
        raise UnsupportedOperation("it normalizes instances by stored statistics")
    names = {key: t.weight(given[key]) for key in ("weight", "bias")}
    n_channels = _shape(given["input"])[1]
    t.emit(node, "group_norm", (t.value(given["input"]),), num_groups=n_channels, eps=given["eps"], **names)


def _plain(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    t.emit(node, PLAIN[_base_name(node.target)], (t.value(node.args[0]),))


def _activation(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    name = _base_name(node.target)
    if given.get("scale", 1) != 1 or given.get("input_scale", 1) != 1:
        raise UnsupportedOperation(f"it scales the activation {name}")
    attributes = {key: given.get(key, default) for key, default in ACTIVATIONS[name].items()}
    t.emit(node, name, (t.value(node.args[0]),), **attributes)


def _prelu(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    """Write max(x, 0) + w min(x, 0), with one slope per channel or for all."""
    x, slopes = t.value(node.args[0]), t.weight(node.args[1])
    n_dims = len(_shape(node))
    assert slopes is not None
    t.weights[slopes] = t.weights[slopes].reshape(-1, *[1] * (n_dims - 2))
    negative, scaled, positive = (f"{node.name}-{part}" for part in ("negative", "scaled", "positive"))
    t.nodes.append(Node("clamp", (x,), negative, {"min": None, "max": 0.0}))
    t.nodes.append(Node("mul", (negative, t.value(node.args[1])), scaled))
    t.nodes.append(Node("relu", (x,), positive))
    t.emit(node, "add", (positive, scaled))


def _clamp(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    low, high = given.get("min", given.get("min_val")), given.get("max", given.get("max_val"))
    if any(not isinstance(end, (int, float, type(None))) for end in (low, high)):
        raise UnsupportedOperation("it clips to limits that are tensors")
    t.emit(node, "clamp", (t.value(node.args[0]),), min=low, max=high)


def _softmax(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    op = "log_softmax" if "log" in _base_name(node.target) else "softmax"
    t.emit(node, op, (t.value(node.args[0]),), dim=given["dim"])


def _binary(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    name = _base_name(node.target)
    if given.get("alpha", 1) != 1 or given.get("rounding_mode") is not None:
        raise UnsupportedOperation(f"it uses {name} with a factor or rounding")
    first, second = node.args[:2]
    first, second = (second, first) if name == "rsub" else (first, second)
    op = BINARY[name]
    numbers = [not hasattr(argument, "name") for argument in (first, second)]
    if numbers == [False, False]:
        t.emit(node, op, (t.value(first), t.value(second)))
    elif numbers[1]:
        t.emit(node, op, (t.value(first),), value=_number(second), reverse=False)
    else:
        t.emit(node, op, (t.value(second),), value=_number(first), reverse=True)


def _number(value: Any) -> float:
    if not isinstance(value, (int, float)):
        raise UnsupportedOperation("it uses the size of the batch as a number")
    return float(value)


def _permute(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    n_dims, name = len(_shape(node.args[0])), _base_name(node.target)
    dims = list(range(n_dims))
    if name == "permute":
        dims = [dim % n_dims for dim in given["dims"]]
    elif name in ("transpose", "t"):
        a, b = (given["dim0"] % n_dims, given["dim1"] % n_dims) if name == "transpose" else (0, n_dims - 1)
        dims[a], dims[b] = dims[b], dims[a]
    else:  # movedim
        source, target = given["source"], given["destination"]
        sources = [dim % n_dims for dim in (source if isinstance(source, (list, tuple)) else [source])]
        targets = [dim % n_dims for dim in (target if isinstance(target, (list, tuple)) else [target])]
        dims = [dim for dim in dims if dim not in sources]
        for place, dim in sorted(zip(targets, sources)):
            dims.insert(place, dim)
    t.emit(node, "permute", (t.value(node.args[0]),), dims=dims)


def _cat(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    t.emit(node, "cat", tuple(map(t.value, given["tensors"])), dim=given["dim"] % len(_shape(node)))


def _slice(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    dim = given["dim"] % len(_shape(node))
    size = _shape(node.args[0])[dim]
    start, end = given.get("start") or 0, given.get("end")
    if size == -1:
        if start == 0 and (not isinstance(end, int) or end > 1 << 60):
            _identity(t, node, given)
            return
        raise UnsupportedOperation("it selects samples of a batch")
    start, end, _ = slice(start, end).indices(size)
    t.emit(node, "slice", (t.value(node.args[0]),), dim=dim, start=start, end=end, step=given["step"])


def _select(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    shape = _shape(node.args[0])
    dim = given["dim"] % len(shape)
    if shape[dim] == -1:
        raise UnsupportedOperation("it selects samples of a batch")
    index = given["index"] % shape[dim]
    t.nodes.append(
        Node(
            "slice",
            (t.value(node.args[0]),),
            f"{node.name}-slice",
            {"dim": dim, "start": index, "end": index + 1, "step": 1},
        )
    )
    t.emit(node, "reshape", (f"{node.name}-slice",), shape=_shape(node))


def _split(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    """Write each part as a slice; it is taken by ``getitem``."""
    dim, start = given["dim"] % len(node.meta["val"][0].shape), 0
    for place, part in enumerate(node.meta["val"]):
        size = part.shape[dim]
        if not isinstance(size, int):
            raise UnsupportedOperation("it splits a batch")
        name = f"{node.name}-{place}"
        attributes = {"dim": dim, "start": start, "end": start + size, "step": 1}
        t.nodes.append(Node("slice", (t.value(node.args[0]),), name, attributes))
        t.sources[f"{node.name}:{place}"] = name
        start += size


def _upsample(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    size, old = _shape(node)[2:], _shape(node.args[0])[2:]
    name = "upsample_nearest" if "nearest" in _base_name(node.target) else "upsample_bilinear"
    for axis, key in enumerate(("scales_h", "scales_w", "scale_factors")):
        scale = given.get(key)
        scales = scale if isinstance(scale, (list, tuple)) else [scale] * (len(old) if axis == 2 else 1)
        places = range(len(old)) if axis == 2 else [axis]
        if any(s is not None and s * old[place] != size[place] for s, place in zip(scales, places)):
            raise UnsupportedOperation("it enlarges by a factor that gives no whole number of pixels")
    if "exact" in _base_name(node.target):
        raise UnsupportedOperation("it enlarges by nearest-exact")
    corners = {} if name == "upsample_nearest" else {"align_corners": given["align_corners"]}
    t.emit(node, name, (t.value(node.args[0]),), size=size, **corners)


def _pixel_shuffle(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    t.emit(node, "pixel_shuffle", (t.value(node.args[0]),), upscale_factor=given["upscale_factor"])


def _pad(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    pads = list(given["pad"])
    if len(_shape(node)) != 4 or len(pads) not in (2, 4) or given.get("mode", "constant") != "constant":
        raise UnsupportedOperation("it pads other than images by a constant")
    pads += [0] * (4 - len(pads))
    if min(pads) < 0:
        raise UnsupportedOperation("it crops by negative padding")
    t.emit(node, "pad", (t.value(node.args[0]),), pads=pads, value=float(given.get("value") or 0.0))


def _reduce(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    n_dims = len(_shape(node.args[0]))
    dims = given.get("dim")
    if not dims:
        raise UnsupportedOperation("it averages over a batch")
    dims = sorted(dim % n_dims for dim in (dims if isinstance(dims, (list, tuple)) else [dims]))
    if _shape(node.args[0])[0] == -1 and 0 in dims:
        raise UnsupportedOperation("it averages over a batch")
    op = _base_name(node.target).partition("_")[0]
    t.emit(node, op, (t.value(node.args[0]),), dim=dims, keepdim=bool(given.get("keepdim")))


def _norm(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    """Write the Euclidean norm as the root of a sum of squares."""
    if given["ord"] != 2 or not given["dim"]:
        raise UnsupportedOperation("it uses a norm other than the Euclidean")
    dims = sorted(dim % len(_shape(node.args[0])) for dim in given["dim"])
    squares, total = f"{node.name}-squares", f"{node.name}-sum"
    x = t.value(node.args[0])
    t.nodes.append(Node("mul", (x, x), squares))
    t.nodes.append(Node("sum", (squares,), total, {"dim": dims, "keepdim": given["keepdim"]}))
    t.emit(node, "sqrt", (total,))


def _embedding(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    t.emit(node, "gather", (t.value(given["indices"]),), weight=t.weight(given["weight"]))


def _constant(t: _Translation, node: Any, given: dict[str, Any]) -> None:
    """Compute a tensor that no input determines, such as ``arange``."""
    if any(size == -1 for size in _shape(node)):
        raise UnsupportedOperation("it makes a tensor of the size of the batch")
    keywords = {key: value for key, value in node.kwargs.items() if key not in ("device", "pin_memory")}
    t._add_weight(node.name, node.target(*node.args, **keywords))


Handler = Callable[[_Translation, Any, dict[str, Any]], None]

HANDLERS: dict[str, Handler] = {
    **dict.fromkeys((*IDENTITIES, *CASTS), _identity),
    **dict.fromkeys(RESHAPES, _reshape),
    **dict.fromkeys(PLAIN, _plain),
    **dict.fromkeys(BINARY, _binary),
    **dict.fromkeys(ACTIVATIONS, _activation),
    **dict.fromkeys(("clamp", "clamp_min", "clamp_max", "hardtanh"), _clamp),
    **dict.fromkeys(("softmax", "_softmax", "log_softmax", "_log_softmax"), _softmax),
    **dict.fromkeys(("permute", "transpose", "t", "movedim"), _permute),
    **dict.fromkeys(("conv1d", "conv2d", "conv_transpose1d", "conv_transpose2d"), _conv),
    **dict.fromkeys(("mm", "addmm", "matmul"), _matmul),
    **dict.fromkeys(("split", "split_with_sizes", "chunk"), _split),
    **dict.fromkeys(("upsample_nearest2d", "upsample_bilinear2d", "upsample_nearest1d"), _upsample),
    **dict.fromkeys(("pad", "constant_pad_nd"), _pad),
    **dict.fromkeys(("mean", "sum"), _reduce),
    **dict.fromkeys(("arange", "full", "ones", "zeros", "scalar_tensor", "linspace"), _constant),
    "linear": _linear,
    **dict.fromkeys(("batch_norm", "_native_batch_norm_legit_no_training"), _batch_norm),
    **dict.fromkeys(("layer_norm", "native_layer_norm"), _layer_norm),
    **dict.fromkeys(("group_norm", "native_group_norm"), _group_norm),
    "instance_norm": _instance_norm,
    "expand": _expand,
    **dict.fromkeys(("prelu", "_prelu_kernel"), _prelu),
    "cat": _cat,
    "slice": _slice,
    "select": _select,
    "pixel_shuffle": _pixel_shuffle,
    "embedding": _embedding,
    "linalg_vector_norm": _norm,
}
"""Functions that write the operations of torch, by name."""
