"""t-SNE in PyTorch, at a cost that grows linearly with the number of codes, on a GPU if there is one."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from vaeviz.embeddings._libraries import progress_bar, require_library
from vaeviz.embeddings.pca import pca_initialization
from vaeviz.errors import NotApplicable

if TYPE_CHECKING:
    import torch
    from torch import Tensor

PHASES = ((250, 12.0), (500, 1.0))  # iterations, and exaggeration of the attraction
MOMENTUM = 0.8
MIN_GAIN = 0.01  # the step of each coordinate adapts (Jacobs 1988)
MAX_STEP = 5.0  # units of the map that a point moves in one iteration
NODE_SPACING = 0.4  # at most, of the grid on which forces are interpolated, in units of the map
N_NEAR_NODES = 4  # in each direction, in reach of a cubic spline
MIN_NODES = 200  # in each direction; they are closer in small maps
NODES_STEP = 100  # of more nodes in each direction: every new size of a Fourier transform is compiled
MIN_EXTENT = 1e-20  # of the grid, for equal points
COUNTS_PER_POINT = 2.0**32  # weights are summed as integers, whose sum does not depend on the order of the threads
BLOCK_BYTES = {"cuda": 2**30, "cpu": 2**26}  # of a block of distances
N_BISECTIONS = 60  # for the width of the neighborhood of a code
N_PLACED_NEIGHBORS, PLACED_PERPLEXITY = 25, 5.0  # of a code that is placed into a map
PLACING_ITERATIONS, PLACING_RATE, PLACING_EXAGGERATION, MAX_PLACING_GRADIENT = 250, 0.1, 1.5, 0.25  # as openTSNE


def torch_tsne(z: np.ndarray, *, perplexity: float = 30.0) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """Map codes by t-SNE on a GPU, so that further codes can be placed into the map.

    Parameters
    ----------
    z : ndarray, shape (N, D)
        Codes.
    perplexity : float, default: 30.0
        Effective number of neighbors, below N / 3.

    Returns
    -------
    points : ndarray, shape (N, 2)
        The map, from a PCA start and with learning rate N / exaggeration. It is the same in every run on one device.
    place : callable
        Maps further codes (M, D) to (M, 2), each on its own: it starts among its neighbors and moves, while the map
        stays fixed.

    Raises
    ------
    NotApplicable
        For 3 × perplexity codes or fewer.

    Notes
    -----
    Neighbors are found by comparing all pairs. The repulsion is interpolated on a grid, which makes it a convolution,
    computed by fast Fourier transform (Linderman et al. 2019).

    References
    ----------
    van der Maaten & Hinton 2008, "Visualizing data using t-SNE", JMLR 9.
    Linderman, Rachh, Hoskins, Steinerberger & Kluger 2019, doi:10.1038/s41592-018-0308-4.
    Essmann et al. 1995, "A smooth particle mesh Ewald method", Journal of Chemical Physics 103.
    Kobak & Berens 2019, "The art of using t-SNE for single-cell transcriptomics", Nature Communications 10.
    Belkina et al. 2019, "Automated optimized parameters for t-SNE", Nature Communications 10.
    """
    torch = require_library("torch", "torch_tsne")
    if len(z) <= 3 * perplexity:
        raise NotApplicable(
            f"t-SNE with a perplexity of {perplexity:g} needs more than {3 * perplexity:g} points, got {len(z)}.",
            fix='Pass a smaller perplexity, or engine="tsne".',
        )
    device = "cuda" if torch.cuda.is_available() else "cpu"
    center = z.mean(axis=0, dtype=np.float64)  # differences of large numbers lose digits
    with torch.no_grad():
        codes = torch.tensor(z - center, dtype=torch.float32, device=device)
        points = torch.tensor(pca_initialization(z), dtype=torch.float32, device=device)
        _optimize(points, NeighborGraph.of(codes, perplexity))
        points -= (points.amax(dim=0) + points.amin(dim=0)) / 2

    def place(others: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            placed = _place(torch.tensor(others - center, dtype=torch.float32, device=device), codes, points)
            return placed.double().cpu().numpy()

    return points.double().cpu().numpy(), place


def nearest_neighbors(
    codes: Tensor, others: Tensor, n_neighbors: int, *, omit_self: bool = False
) -> tuple[Tensor, Tensor]:
    """Find the nearest of `others` for each code, by comparing all pairs.

    Parameters
    ----------
    codes : Tensor, shape (M, D)
        Codes.
    others : Tensor, shape (N, D)
        Among which to look.
    n_neighbors : int
        Number k of neighbors.
    omit_self : bool, default: False
        Row i of `codes` is row i of `others`, and no neighbor of itself.

    Returns
    -------
    squared_distances : Tensor, shape (M, k)
        In ascending order.
    neighbors : Tensor of int, shape (M, k)
        Rows of `others`.
    """
    import torch

    squares = others.square().sum(dim=1)
    n_rows = max(1, BLOCK_BYTES[codes.device.type] // (4 * len(others)))
    distances, neighbors = [], []
    for start in range(0, len(codes), n_rows):
        block = codes[start : start + n_rows]
        approximate = torch.addmm(squares, block, others.T, alpha=-2)  # without the square of the code itself
        if omit_self:
            approximate.diagonal(start).fill_(math.inf)
        rows = approximate.topk(n_neighbors, dim=1, largest=False).indices
        exact = (others[rows] - block[:, None]).square().sum(dim=2)
        exact, order = exact.sort(dim=1, stable=True)
        distances.append(exact)
        neighbors.append(rows.gather(1, order))
    return torch.cat(distances), torch.cat(neighbors)


def conditional_affinities(squared_distances: Tensor, perplexity: float) -> Tensor:
    """Return the probabilities p(j | i) of the neighbors of each code.

    Parameters
    ----------
    squared_distances : Tensor, shape (N, k)
        To the neighbors.
    perplexity : float
        Exponential of the entropy of p(. | i), which determines the width of the Gaussian around code i.

    Returns
    -------
    Tensor, shape (N, k)
        Probabilities, which sum to 1 over the neighbors.

    Notes
    -----
    p(j | i) is proportional to exp(−β_i d²_ij); β_i is found by bisection of its logarithm.
    """
    import torch

    shifted = (squared_distances - squared_distances[:, :1]).double()
    scale = shifted.mean(dim=1, keepdim=True).clamp_min(torch.finfo(torch.float64).tiny)
    low, high = torch.full_like(scale, -30.0), torch.full_like(scale, 30.0)
    for _ in range(N_BISECTIONS):
        middle = (low + high) / 2
        log_p = torch.log_softmax(-middle.exp() * shifted / scale, dim=1)
        is_wide = -(log_p.exp() * log_p).sum(dim=1, keepdim=True) > math.log(perplexity)
        low, high = torch.where(is_wide, middle, low), torch.where(is_wide, high, middle)
    return torch.softmax(-((low + high) / 2).exp() * shifted / scale, dim=1).float()


@dataclass(frozen=True, eq=False)
class NeighborGraph:
    """Affinities p_ij between neighbors, in the order of i.

    Attributes
    ----------
    rows, columns : Tensor of int, shape (E,)
        i and j of each pair. Every pair is there twice, as (i, j) and (j, i).
    affinities : Tensor, shape (E,)
        p_ij, which sum to 1.
    n_neighbors : Tensor of int, shape (N,)
        Number of pairs of each i.
    """

    rows: Tensor
    columns: Tensor
    affinities: Tensor
    n_neighbors: Tensor

    @classmethod
    def of(cls, codes: Tensor, perplexity: float) -> NeighborGraph:
        """Return p_ij = (p(j | i) + p(i | j)) / 2N of codes.

        Parameters
        ----------
        codes : Tensor, shape (N, D)
            Codes.
        perplexity : float
            Effective number of neighbors.

        Returns
        -------
        NeighborGraph
            The affinities.
        """
        import torch

        n_codes, n_neighbors = len(codes), int(3 * perplexity)
        squared_distances, neighbors = nearest_neighbors(codes, codes, n_neighbors, omit_self=True)
        p = conditional_affinities(squared_distances, perplexity).flatten() / (2 * n_codes)
        rows, columns = torch.arange(n_codes, device=codes.device).repeat_interleave(n_neighbors), neighbors.flatten()
        pairs = torch.stack([torch.cat([rows, columns]), torch.cat([columns, rows])])
        with torch.sparse.check_sparse_tensor_invariants(False):  # type: ignore[no-untyped-call]  # avoids a warning
            matrix = torch.sparse_coo_tensor(pairs, torch.cat([p, p]), (n_codes, n_codes)).coalesce()
        rows, columns = matrix.indices()
        return cls(rows, columns, matrix.values(), torch.bincount(rows, minlength=n_codes))

    def attraction(self, points: Tensor) -> Tensor:
        """Return Σ_j p_ij (y_i − y_j) / (1 + |y_i − y_j|²) of each point.

        Parameters
        ----------
        points : Tensor, shape (N, 2)
            The map.

        Returns
        -------
        Tensor, shape (N, 2)
            Gradients of the attraction.
        """
        import torch

        apart = [y.index_select(0, self.rows) - y.index_select(0, self.columns) for y in points.T.contiguous()]
        pull = self.affinities / (1 + apart[0].square() + apart[1].square())
        sums = [torch.segment_reduce(pull * d, "sum", lengths=self.n_neighbors, unsafe=True) for d in apart]
        return torch.stack(sums, dim=1)


def kernel_spectra(n_nodes: int, spacing: float, device: torch.device) -> Tensor:
    """Return the Fourier transforms of the kernels of repulsion between splines on a padded grid.

    Parameters
    ----------
    n_nodes : int
        Number G of nodes in each direction, which padding doubles.
    spacing : float
        Distance between neighboring nodes, in units of the map.
    device : torch.device
        Where to compute.

    Returns
    -------
    Tensor, shape (3, 2G, G + 1)
        Transforms of 1 / (1 + |d|²), d_x / (1 + |d|²)² and d_y / (1 + |d|²)² for d = y_i − y_j, divided by those of
        the splines at i and j. The interpolated kernels are therefore exact at the nodes.
    """
    import torch

    frequencies = torch.fft.fftfreq(2 * n_nodes, device=device, dtype=torch.float64)
    offsets = 2 * n_nodes * spacing * frequencies
    dx, dy = torch.meshgrid(offsets, offsets, indexing="ij")
    decay = 1 / (1 + dx.square() + dy.square())
    spectra = torch.fft.rfft2(torch.stack([decay, dx * decay.square(), dy * decay.square()]))
    spline = (2 + (2 * math.pi * frequencies).cos()) / 3
    matched: Tensor = spectra / (spline[:, None] * spline[: n_nodes + 1]).square()
    return matched


class RepulsionField:
    """Repulsion that the points of a map exert, interpolated on a grid.

    The points become weights on the nodes of a regular grid. The grid is convolved with three kernels, and the results
    are interpolated (Linderman et al. 2019; here by cubic B-splines, as in Essmann et al. 1995).

    Parameters
    ----------
    sources : Tensor, shape (N, 2)
        Points y_j.
    spectra_of : callable, default: `kernel_spectra`
        Function with the parameters of `kernel_spectra`. Pass a cached one to compute equal transforms once.
    """

    def __init__(self, sources: Tensor, spectra_of: Callable[..., Tensor] = kernel_spectra) -> None:
        import torch

        low, high = sources.amin(dim=0), sources.amax(dim=0)
        extent = max((high - low).max().item(), MIN_EXTENT)
        n_needed = NODES_STEP * math.ceil((extent / NODE_SPACING + N_NEAR_NODES) / NODES_STEP)
        self.n_nodes = n_nodes = max(MIN_NODES, n_needed)
        self.spacing = NODE_SPACING if n_nodes > MIN_NODES else extent / (MIN_NODES - N_NEAR_NODES)
        self.low = (low + high - (n_nodes - 1) * self.spacing) / 2
        nodes, weights = self._nodes_near(sources)
        counts = torch.zeros(n_nodes**2, dtype=torch.int64, device=sources.device)
        counts.index_add_(0, nodes.flatten(), (weights * COUNTS_PER_POINT).round().long().flatten())
        grid = counts.view(n_nodes, n_nodes).double() / COUNTS_PER_POINT
        padded = (2 * n_nodes, 2 * n_nodes)
        spectrum = spectra_of(n_nodes, self.spacing, sources.device) * torch.fft.rfft2(grid, s=padded)
        self.potentials = torch.fft.irfft2(spectrum, s=padded)[:, :n_nodes, :n_nodes].flatten(1)

    def at(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Return the forces on points and their normalizers.

        Parameters
        ----------
        points : Tensor, shape (M, 2)
            Points y_i. Forces outside of the grid, which covers the sources, are those at its edge.

        Returns
        -------
        forces : Tensor, shape (M, 2)
            Σ_j (y_i − y_j) / (1 + |y_i − y_j|²)².
        normalizers : Tensor, shape (M,)
            Σ_j 1 / (1 + |y_i − y_j|²), in which a source counts about 1 for itself.
        """
        nodes, weights = self._nodes_near(points)
        values = (self.potentials[:, nodes] * weights).sum(dim=2).float()
        return values[1:].T, values[0]

    def _nodes_near(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Return the nearest nodes of each point and their weights at the point, (M, 16) each."""
        import torch

        scaled = (points - self.low) / self.spacing
        cells = scaled.floor().clamp(1, self.n_nodes - N_NEAR_NODES + 1)
        t = (scaled - cells).clamp(0, 1).double()
        pieces = [(1 - t) ** 3, 4 - 6 * t**2 + 3 * t**3, 1 + 3 * t + 3 * t**2 - 3 * t**3, t**3]
        weights = torch.stack(pieces, dim=2) / 6
        indices = cells.long()[:, :, None] + torch.arange(N_NEAR_NODES, device=points.device) - 1
        nodes = indices[:, 0, :, None] * self.n_nodes + indices[:, 1, None, :]
        return nodes.flatten(1), (weights[:, 0, :, None] * weights[:, 1, None, :]).flatten(1)


def gradient(
    points: Tensor,
    graph: NeighborGraph,
    exaggeration: float = 1.0,
    spectra_of: Callable[..., Tensor] = kernel_spectra,
) -> Tensor:
    """Return a quarter of the gradient of KL(p || q), with q_ij proportional to 1 / (1 + |y_i − y_j|²).

    Parameters
    ----------
    points : Tensor, shape (N, 2)
        The map.
    graph : NeighborGraph
        The affinities p.
    exaggeration : float, default: 1.0
        Factor on the attraction.
    spectra_of : callable, default: `kernel_spectra`
        Passed to `RepulsionField`.

    Returns
    -------
    Tensor, shape (N, 2)
        Σ_j (exaggeration p_ij − q_ij) (y_i − y_j) / (1 + |y_i − y_j|²).
    """
    forces, normalizers = RepulsionField(points, spectra_of).at(points)
    return exaggeration * graph.attraction(points) - forces / (normalizers.double() - 1).sum().float()


def _optimize(points: Tensor, graph: NeighborGraph) -> None:
    """Move points in place by gradient descent with momentum and a gain for each coordinate."""
    import torch

    update, gains = torch.zeros_like(points), torch.ones_like(points)
    spectra_of = lru_cache(maxsize=1)(kernel_spectra)
    with progress_bar(sum(n_iterations for n_iterations, _ in PHASES), "t-SNE") as progress:
        for n_iterations, exaggeration in PHASES:
            rate = len(points) / exaggeration
            for _ in range(n_iterations):
                slope = gradient(points, graph, exaggeration, spectra_of)
                gains = torch.where(update.sign() == slope.sign(), 0.8 * gains + MIN_GAIN, gains + 0.2)
                update = MOMENTUM * update - rate * gains * slope
                update *= (MAX_STEP / update.norm(dim=1, keepdim=True)).clamp_max(1)
                points += update
                points -= points.mean(dim=0)
                progress.update()


def _place(codes: Tensor, mapped_codes: Tensor, points: Tensor) -> Tensor:
    """Return the places (M, 2) of further codes on a map of `mapped_codes`."""
    import torch

    n_neighbors = min(N_PLACED_NEIGHBORS, len(points))
    squared_distances, neighbors = nearest_neighbors(codes, mapped_codes, n_neighbors)
    p = conditional_affinities(squared_distances, min(PLACED_PERPLEXITY, n_neighbors / 3))
    targets, field = points[neighbors], RepulsionField(points)
    placed, update, gains = targets.median(dim=1).values, torch.zeros_like(codes[:, :2]), torch.ones_like(codes[:, :2])
    for _ in range(PLACING_ITERATIONS):
        apart = placed[:, None] - targets
        pulls = (apart * (p / (1 + apart.square().sum(dim=2)))[:, :, None]).sum(dim=1)
        forces, normalizers = field.at(placed)
        slope = PLACING_EXAGGERATION * pulls - forces / normalizers[:, None]
        slope *= (MAX_PLACING_GRADIENT / slope.norm(dim=1, keepdim=True)).clamp_max(1)
        gains = torch.where(update.sign() == slope.sign(), 0.8 * gains + MIN_GAIN, gains + 0.2)
        update = MOMENTUM * update - PLACING_RATE * gains * slope
        placed = placed + update
    return placed
