"""Networks of torch as graphs: the interpreter in NumPy computes what torch computes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaeviz.explorer.graph import OPERATIONS, Graph, Node, UnsupportedOperation

torch = pytest.importorskip("torch")
nn, F = torch.nn, torch.nn.functional


class Function(nn.Module):
    """A module that applies a function, with weights of its own."""

    def __init__(self, function, *weights):
        super().__init__()
        self.function = function
        self.weights = nn.ParameterList(weights)

    def forward(self, *inputs):
        return self.function(*inputs, *self.weights)


def image(n_channels=4, side=6):
    """The first layers of a network that makes images (N, C, side, side)."""
    return nn.Linear(5, n_channels * side**2), nn.Unflatten(1, (n_channels, side, side))


def signal(n_channels=4, length=9):
    return nn.Linear(5, n_channels * length), nn.Unflatten(1, (n_channels, length))


def moved_statistics(layer):
    """A batch norm whose running statistics are not their first values."""
    torch.nn.init.uniform_(layer.running_mean, -1, 1)
    torch.nn.init.uniform_(layer.running_var, 0.5, 2)
    return layer


NETWORKS = {
    "dense": [nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 6, bias=False), nn.Sigmoid()],
    "smooth activations": [
        nn.Linear(5, 9),
        nn.Tanh(),
        nn.SiLU(),
        nn.GELU(),
        nn.GELU("tanh"),
        nn.Mish(),
        nn.Softplus(2),
    ],
    "broken activations": [nn.LeakyReLU(0.2), nn.ELU(0.7), nn.CELU(1.3), nn.SELU(), nn.Hardtanh(-0.5, 0.9), nn.ReLU6()],
    "hard activations": [nn.Hardswish(), nn.Hardsigmoid(), nn.PReLU(), nn.Softmax(-1), nn.LogSoftmax(-1), nn.Dropout()],
    "prelu of channels": [*image(), nn.PReLU(4)],
    "batch norm": [*image(), moved_statistics(nn.BatchNorm2d(4)), moved_statistics(nn.BatchNorm2d(4, affine=False))],
    "batch norm of features": [nn.Linear(5, 4), moved_statistics(nn.BatchNorm1d(4))],
    "layer and group norm": [*image(), nn.GroupNorm(2, 4), nn.LayerNorm([6, 6]), nn.InstanceNorm2d(4, affine=True)],
    "convolutions": [
        *image(),
        nn.Conv2d(4, 6, 3, 2, 1),
        nn.Conv2d(6, 6, (1, 3), dilation=(1, 1), groups=3, bias=False),
    ],
    "transposed convolutions": [
        *image(),
        nn.ConvTranspose2d(4, 6, 3, 2, 1, output_padding=1),
        nn.ConvTranspose2d(6, 4, (2, 3), (3, 1), (0, 2), groups=2, dilation=(2, 1), bias=False),
    ],
    "signals": [*signal(), nn.ConvTranspose1d(4, 4, 4, 2, 1), nn.Conv1d(4, 2, 5, padding=4, dilation=2), nn.Flatten()],
    "enlarging": [*image(), nn.Upsample(scale_factor=2), nn.Upsample((20, 13), mode="bilinear"), nn.PixelUnshuffle(1)],
    "enlarging with corners": [*image(), nn.UpsamplingBilinear2d(scale_factor=3), nn.UpsamplingNearest2d((9, 27))],
    "pixel shuffle": [*image(8), nn.PixelShuffle(2), nn.ZeroPad2d((1, 2, 0, 3)), nn.ConstantPad2d(1, 0.5)],
}
FUNCTIONS = {
    "arithmetic": lambda z: torch.cat([(2 - z) / 3, z * z - 1, z.abs().sqrt() + z.exp(), -(z.sin() ** 2)], dim=1),
    "weights as values": (lambda z, w: torch.maximum(z * w, z - w), torch.randn(5)),
    "products": (lambda z, w, b: torch.addmm(b, z, w) @ w.T, torch.randn(5, 3), torch.randn(3)),
    "parts": lambda z: torch.cat([z[:, 1:4:2], z[:, -1:], *z.split([2, 3], dim=1), z.chunk(5, dim=1)[0]], dim=1),
    "selected": lambda z: torch.stack([z[:, 0], z[:, -2], z.mean(1), z.sum(1)], dim=1),
    "axes": lambda z: z.reshape(-1, 5, 1).expand(-1, 5, 3).transpose(1, 2).movedim(1, -1).permute(0, 2, 1).flatten(1),
    "squeezed": lambda z: z.unsqueeze(1).unsqueeze(-1).squeeze(1).mean(dim=(1, 2), keepdim=True).clamp(-0.1, 0.2),
    "normalized": lambda z: F.normalize(z, dim=1),
    "gated": lambda z: F.glu(torch.cat([z, z], dim=1)),
}


def graph_and_difference(network, *inputs, names=("z",)):
    """The graph of a network, and its largest difference from torch on other inputs than it was traced with."""
    from vaeviz.explorer.torch_graph import torch_graph

    network.eval()
    graph = torch_graph(network, tuple(values[:3] for values in inputs), names)
    with torch.no_grad():
        expected = network(*inputs).numpy()
    found = graph.run(*(values.numpy() for values in inputs))
    assert found.shape == expected.shape
    assert {node.op for node in graph.nodes} <= set(OPERATIONS)
    return graph, np.abs(found - expected).max()


@pytest.mark.parametrize("name", NETWORKS)
def test_layers_compute_what_torch_computes(name):
    torch.manual_seed(0)
    _, difference = graph_and_difference(nn.Sequential(*NETWORKS[name]), torch.randn(7, 5))
    assert difference < 1e-5


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_compute_what_torch_computes(name):
    torch.manual_seed(0)
    function, *weights = FUNCTIONS[name] if isinstance(FUNCTIONS[name], tuple) else (FUNCTIONS[name],)
    _, difference = graph_and_difference(Function(function, *weights), torch.randn(7, 5))
    assert difference < 1e-5


def test_a_class_as_condition_is_compared_or_embedded():
    torch.manual_seed(0)

    def one_hot(z, y):
        return torch.cat([z, (y.long()[:, None] == torch.arange(3)).to(z.dtype)], dim=1)

    embedding = nn.Embedding(3, 4)
    condition = torch.tensor([0.0, 2, 1, 2, 0])
    for network in (Function(one_hot), Function(lambda z, y, w: F.embedding(y.long(), w) + z[:, :1], embedding.weight)):
        graph, difference = graph_and_difference(network, torch.randn(5, 2), condition, names=("z", "condition"))
        assert graph.inputs == ("z", "condition")
        assert difference < 1e-6


@pytest.mark.parametrize(
    "network",
    [
        nn.TransformerEncoderLayer(4, 2, 8, batch_first=True),
        Function(lambda z: z @ z.T),
        Function(lambda z: z - z.mean(0)),
        Function(lambda z: z.flip(0)[:2]),
        Function(lambda z: z.cumsum(1)),
    ],
    ids=["attention", "products of samples", "means over a batch", "selected samples", "unknown operation"],
)
def test_what_has_no_operation_is_refused(network):
    z = torch.randn(5, 3, 4) if isinstance(network, nn.TransformerEncoderLayer) else torch.randn(5, 4)
    with pytest.raises((UnsupportedOperation, RuntimeError, ValueError)):
        graph_and_difference(network, z)


def test_nodes_and_weights_that_nothing_needs_are_removed():
    nodes = (
        Node("linear", ("z",), "a", {"weight": "w", "bias": None}),
        Node("identity", ("a",), "b"),
        Node("linear", ("z",), "unused", {"weight": "v", "bias": None}),
        Node("relu", ("b",), "c"),
        Node("identity", ("c",), "d"),
    )
    graph = Graph(("z",), "d", nodes, {"w": np.ones((2, 2)), "v": np.ones((9, 2))}).pruned()
    assert [node.op for node in graph.nodes] == ["linear", "relu"]
    assert graph.output == "c"
    assert list(graph.weights) == ["w"]


@settings(max_examples=25, deadline=None)
@given(
    kernel=st.integers(1, 4),
    stride=st.integers(1, 3),
    padding=st.integers(0, 3),
    dilation=st.integers(1, 2),
    groups=st.sampled_from([1, 2]),
    size=st.integers(5, 9),
)
def test_convolutions_of_any_shape(kernel, stride, padding, dilation, groups, size):
    torch.manual_seed(0)
    x, weight, bias = torch.randn(2, 4, size, size + 1), torch.randn(6, 4 // groups, kernel, kernel), torch.randn(6)
    lists = {"stride": [stride] * 2, "padding": [padding] * 2, "dilation": [dilation] * 2}
    if size + 2 * padding >= dilation * (kernel - 1) + 1:
        expected = F.conv2d(x, weight, bias, groups=groups, **lists).numpy()
        found = OPERATIONS["conv2d"](x.numpy(), weight=weight.numpy(), bias=bias.numpy(), groups=groups, **lists)
        np.testing.assert_allclose(found, expected, atol=1e-4)
    weight = torch.randn(4, 6 // groups, kernel, kernel)
    extra = min(stride - 1, 1)
    if (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + extra + 1 > 0:
        expected = F.conv_transpose2d(x, weight, bias, output_padding=extra, groups=groups, **lists).numpy()
        lists["output_padding"] = [extra] * 2
        found = OPERATIONS["conv_transpose2d"](
            x.numpy(), weight=weight.numpy(), bias=bias.numpy(), groups=groups, **lists
        )
        np.testing.assert_allclose(found, expected, atol=1e-4)
