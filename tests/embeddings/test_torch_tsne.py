"""t-SNE in PyTorch: neighbors, affinities, gradient and map, compared with what defines them."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.manifold import TSNE

from vaeviz.embeddings.opentsne import opentsne
from vaeviz.embeddings.torch_tsne import (
    NeighborGraph,
    RepulsionField,
    conditional_affinities,
    gradient,
    nearest_neighbors,
    torch_tsne,
)
from vaeviz.errors import NotApplicable


@pytest.fixture(scope="module")
def codes():
    """Codes (500, 8) in five clusters."""
    rng = np.random.default_rng(0)
    return torch.tensor(rng.standard_normal((500, 8)) + 4 * np.repeat(rng.standard_normal((5, 8)), 100, axis=0)).float()


@pytest.fixture(scope="module", params=[1e-3, 5.0], ids=["small map", "large map"])
def points(request):
    return request.param * torch.randn(500, 2, generator=torch.Generator().manual_seed(0))


def exact_terms(points):
    """Differences (N, N, 2) and 1 / (1 + d²) without the diagonal, in double precision."""
    apart = points.double()[:, None] - points.double()
    return apart, (1 / (1 + apart.square().sum(dim=2))).fill_diagonal_(0)


def dense(graph, n_codes):
    matrix = torch.zeros(n_codes, n_codes, dtype=torch.float64)
    matrix[graph.rows, graph.columns] = graph.affinities.double()
    return matrix


def sparse_divergence(graph, points):
    """KL(p || q) of the affinities of a graph and a map."""
    y, p = torch.tensor(points).double(), graph.affinities.double()
    decay = (1 / (1 + torch.cdist(y, y).square())).fill_diagonal_(0)
    return float((p * (p * decay.sum() / decay[graph.rows, graph.columns]).log()).sum())


def test_neighbors_are_those_of_all_pairs(codes):
    distances, neighbors = nearest_neighbors(codes, codes, 7, omit_self=True)
    expected = torch.cdist(codes.double(), codes.double()).square().fill_diagonal_(torch.inf).sort(dim=1)
    torch.testing.assert_close(distances.double(), expected.values[:, :7], rtol=1e-5, atol=1e-5)
    assert torch.equal(neighbors, expected.indices[:, :7])


def test_neighborhoods_have_the_perplexity(codes):
    p = conditional_affinities(nearest_neighbors(codes, codes, 60, omit_self=True)[0], 20.0).double()
    torch.testing.assert_close(p.sum(dim=1), torch.ones(500, dtype=torch.float64), rtol=1e-5, atol=0)
    torch.testing.assert_close((-(p * p.log()).sum(dim=1)).exp(), torch.full((500,), 20.0).double(), rtol=1e-4, atol=0)


def test_equal_codes_have_equal_affinities():
    p = conditional_affinities(torch.zeros(3, 9), 3.0)
    torch.testing.assert_close(p, torch.full((3, 9), 1 / 9))


def test_affinities_are_symmetric_and_sum_to_one(codes):
    p = dense(NeighborGraph.of(codes, 20.0), 500)
    assert torch.equal(p, p.T)
    torch.testing.assert_close(p.sum().item(), 1.0, rtol=1e-6, atol=0)


def test_interpolated_repulsion_is_that_of_all_pairs(points):
    apart, decay = exact_terms(points)
    forces, normalizers = RepulsionField(points).at(points)
    torch.testing.assert_close(normalizers.double() - 1, decay.sum(dim=1), rtol=1e-2, atol=1e-2)
    expected = (apart * decay.square()[..., None]).sum(dim=1)
    assert (forces - expected).abs().max() < 1e-2 * expected.abs().max()


def test_repulsion_in_a_wide_and_sparse_map_is_that_of_all_pairs():
    points = 30 * torch.randn(500, 2, generator=torch.Generator().manual_seed(0))
    apart, decay = exact_terms(points)
    forces, normalizers = RepulsionField(points).at(points)
    expected = (apart * decay.square()[..., None]).sum(dim=1)
    assert (forces - expected).abs().max() < 5e-2 * expected.abs().max()
    torch.testing.assert_close(normalizers.double() - 1, decay.sum(dim=1), rtol=0, atol=3e-2)


@pytest.mark.parametrize("place", [0.0, 5.0, -3e5])
def test_equal_points_do_not_repel_each_other(place):
    forces, normalizers = RepulsionField(torch.full((50, 2), place)).at(torch.full((50, 2), place))
    torch.testing.assert_close(forces, torch.zeros(50, 2), rtol=0, atol=1e-3)
    torch.testing.assert_close(normalizers, torch.full((50,), 50.0))


def test_gradient_is_the_slope_of_the_divergence(codes, points):
    graph = NeighborGraph.of(codes, 20.0)
    p = dense(graph, 500)

    def divergence(y):
        _, decay = exact_terms(y)
        return torch.special.xlogy(p, p).sum() - torch.special.xlogy(p, decay).sum() + decay.sum().log() * p.sum()

    variable = points.double().requires_grad_()
    (expected,) = torch.autograd.grad(divergence(variable), variable)
    assert (4 * gradient(points, graph) - expected).abs().max() < 1e-2 * expected.abs().max()


@pytest.mark.slow
def test_the_map_of_digits_is_as_good_as_that_of_scikit_learn():
    digits = load_digits().data[:600]
    points, _ = torch_tsne(digits, perplexity=20.0)
    codes = torch.tensor(digits).float()
    p = dense(NeighborGraph.of(codes, 20.0), 600)

    def divergence(y):
        _, decay = exact_terms(torch.tensor(y))
        return float(torch.special.xlogy(p, p).sum() - torch.special.xlogy(p, decay).sum() + decay.sum().log())

    peer = TSNE(perplexity=20.0, init="pca", random_state=0).fit_transform(digits)
    assert divergence(points) < 1.02 * divergence(peer)
    np.testing.assert_array_equal(points, torch_tsne(digits, perplexity=20.0)[0])


@pytest.mark.slow
def test_the_map_of_digits_is_as_good_as_that_of_opentsne():
    pytest.importorskip("openTSNE")
    digits = load_digits().data
    graph = NeighborGraph.of(torch.tensor(digits).float(), 30.0)
    divergences = [sparse_divergence(graph, engine(digits)[0]) for engine in (torch_tsne, opentsne)]
    assert divergences[0] < 1.01 * divergences[1]


@pytest.mark.slow
def test_placed_codes_lie_among_their_neighbors_and_do_not_affect_each_other():
    digits = load_digits().data
    points, place = torch_tsne(digits[:600], perplexity=20.0)
    placed = place(digits[600:700])
    labels = load_digits().target
    nearest = np.linalg.norm(placed[:, None] - points, axis=2).argmin(axis=1)
    assert (labels[nearest] == labels[600:700]).mean() > 0.85
    np.testing.assert_allclose(place(digits[600:610]), placed[:10], atol=1e-3)


def test_too_few_codes_do_not_apply():
    with pytest.raises(NotApplicable):
        torch_tsne(np.eye(30), perplexity=10.0)
