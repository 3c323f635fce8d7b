"""Decoders as graphs that a page can run, checked against `vaeviz.decode`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from vaeviz.data.batches import one_line
from vaeviz.explorer.checked_codes import CheckedCodes
from vaeviz.explorer.graph import Graph, Node, UnsupportedOperation
from vaeviz.explorer.page_decoder import PageDecoder
from vaeviz.explorer.traced_decoder import TracedDecoder
from vaeviz.model.calling import ForeignFunction, bind_eval_mode
from vaeviz.model.decoder import Decoder
from vaeviz.model.torch_probe import EvalMode, loaded_modules

MAX_SHARE = 1e-3  # of the range of values, by which a network in the page may differ from the decoder
MAX_HALF_SHARE = 5e-4  # the same for weights in half precision; an eighth of a gray level
MAX_WEIGHT_BYTES = 24 << 20  # of one network in a page, in half precision
NO_NETWORK = "it is neither a torch module, nor an ONNX file, nor affine"
CODES, CONDITION = "z", "condition"  # names of the inputs of a graph


@dataclass(frozen=True, eq=False)
class NetworkExport:
    """A graph that computes what a decoder computes.

    Parameters
    ----------
    graph : Graph
        The graph, from codes (N, D), and conditions (N, K), to flat samples (N, S).
    largest_difference : float
        Largest difference of a value from the decoder's.
    share_of_range : float
        The same as a share of the range of values.
    """

    graph: Graph
    largest_difference: float
    share_of_range: float


def export_network(decoder: PageDecoder, checked: CheckedCodes) -> NetworkExport:
    """Return a decoder as a graph whose samples are those of `vaeviz.decode`.

    Parameters
    ----------
    decoder : PageDecoder
        The decoder.
    checked : CheckedCodes
        Codes with their samples, with which the graph is checked.

    Returns
    -------
    NetworkExport
        The graph. Its weights are in half precision where that changes the samples less than can be seen.

    Raises
    ------
    UnsupportedOperation
        If the decoder is not a network of known operations, or the graph computes something else. The message is the
        reason, the end of a sentence.
    """
    makers: list[Callable[[], Graph]] = [*_graph_makers(decoder.decoder, checked), partial(affine_graph, decoder)]
    reasons: list[str] = []
    for make_graph in makers:
        try:
            return _smallest_export(make_graph(), checked)
        except UnsupportedOperation as error:
            reasons.append(str(error))
        except Exception as error:  # torch, onnx and foreign code raise anything while they are traced
            reasons.append(f"it cannot be traced: {one_line(error)}")
    raise UnsupportedOperation(reasons[0] if len(reasons) > 1 else NO_NETWORK)


def _graph_makers(decoder: Decoder, checked: CheckedCodes) -> Iterator[Callable[[], Graph]]:
    """Yield ways to write a decoder as a graph, the one that keeps most of it first."""
    from vaeviz.explorer.onnx_graph import find_onnx_path, onnx_graph

    path = find_onnx_path(decoder.fn)
    if path is not None:
        yield partial(onnx_graph, path, decoder, checked)
        return
    if "torch" not in sys.modules:
        return
    with ForeignFunction(decoder.fn) as call:
        codes = checked.codes.reshape(-1, *checked.code_shape)  # all of them, a batch that is known to work
        call(codes, *(() if checked.condition is None else (checked.condition,)))
        modules = [one.module for one in call.module_calls]
    if not modules:
        return
    modules = [*loaded_modules(decoder.fn), *modules]
    yield partial(_trace, decoder, bind_eval_mode(decoder.fn), modules, checked)
    if modules[-1] is not decoder.fn:  # a function around one module, which may convert to NumPy and back
        yield partial(_trace, decoder, bind_eval_mode(call.module_calls[0].module), modules, checked)


def _trace(decoder: Decoder, function: Callable[..., Any], modules: list[Any], checked: CheckedCodes) -> Graph:
    """Trace a function of codes, and what `decode` does with its output."""
    import torch

    from vaeviz.explorer.torch_graph import EXAMPLE_ROWS, torch_graph

    traced = TracedDecoder(decoder, function, modules, checked)
    examples = [torch.from_numpy(np.array(values[:EXAMPLE_ROWS], np.float32)) for values in checked.graph_inputs()]
    module = traced.as_module()
    with EvalMode([module]):
        names = (CODES, CONDITION)[: len(examples)]
        return torch_graph(module, tuple(example.to(traced.device) for example in examples), names)


def _smallest_export(graph: Graph, checked: CheckedCodes) -> NetworkExport:
    """Return the graph in half precision, or in single precision if rounding would show; raise if it is wrong."""
    n_bytes = 2 * sum(values.size for values in graph.weights.values())
    if n_bytes > MAX_WEIGHT_BYTES:
        size, limit = n_bytes / 1e6, MAX_WEIGHT_BYTES / 1e6
        raise UnsupportedOperation(f"its weights would take {size:.0f} MB, more than {limit:.0f} MB")
    half = _compare(graph.with_weights_as("float16"), checked)
    if half.share_of_range <= MAX_HALF_SHARE:
        return half
    single = _compare(graph.with_weights_as("float32"), checked)
    if not single.share_of_range <= MAX_SHARE:
        raise UnsupportedOperation(
            f"what was traced differs from the decoder by {single.largest_difference:.2g}, "
            f"{100 * single.share_of_range:.2g} % of the range"
        )
    return single


def _compare(graph: Graph, checked: CheckedCodes) -> NetworkExport:
    inputs = checked.graph_inputs()
    differences = graph.run(*inputs) - checked.samples
    return NetworkExport(graph, float(np.abs(differences).max()), float(checked.space.shares(differences).max()))


def affine_graph(decoder: PageDecoder) -> Graph:
    """Return the affine map that agrees with a decoder at 0 and at unit codes, as one linear layer.

    Parameters
    ----------
    decoder : PageDecoder
        The decoder, such as that of principal components or of a linear VAE.

    Returns
    -------
    Graph
        The map. Whether the decoder is affine is still to be checked.

    Raises
    ------
    UnsupportedOperation
        If it takes a condition.
    """
    if decoder.conditions is not None:
        raise UnsupportedOperation("it takes a condition")
    n_dims = decoder.posterior.size
    values = decoder.decode(np.vstack([np.zeros(n_dims), np.eye(n_dims)]))
    weights = {"weight": (values[1:] - values[0]).T, "bias": values[0]}
    return Graph((CODES,), "samples", (Node("linear", (CODES,), "samples", {key: key for key in weights}),), weights)
