"""Samples decoded once over a plane of the latent space, which a page blends where it cannot run the decoder."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from vaeviz.analysis.latent_grid import linear_nodes
from vaeviz.errors import NotApplicable
from vaeviz.explorer.page_decoder import PageDecoder
from vaeviz.explorer.scene_arrays import SceneArrays

MIN_NODES, MAX_NODES = 4, 64  # along a side; with fewer, blending shows nothing, and more are finer than can be seen
BYTES = 255  # steps of a value
LEVELS = (0.001, 0.999)  # quantiles of the codes that the plane covers
MARGIN = 0.05  # of their range, on each side
SMALLEST_MARGIN = 1e-6  # where all codes are equal


@dataclass(frozen=True, eq=False)
class PlaneGrid:
    """Samples on the nodes of a plane.

    Parameters
    ----------
    dims : tuple of int
        The two dimensions of the plane; the same twice for one-dimensional codes.
    nodes : tuple of ndarray
        Nodes along each of them.
    base : ndarray, shape (D,)
        Code that holds the values of the other dimensions.
    samples : ndarray of uint8 or float32, shape (C * G, S)
        Samples of each condition in turn, the first dimension running fastest. Pictures are in bytes; in other samples
        small values may matter beside large ones.
    scale : tuple of float or None
        Values that the bytes 0 and 255 mean.
    mean_error, largest_error : float
        Difference of blended samples from decoded ones at the centers of the cells, as shares of the range of values.
    """

    dims: tuple[int, int]
    nodes: tuple[np.ndarray, np.ndarray]
    base: np.ndarray
    samples: np.ndarray
    scale: tuple[float, float] | None
    mean_error: float
    largest_error: float

    def to_scene(self, arrays: SceneArrays) -> dict[str, Any]:
        """Add the samples to the arrays of a scene, and return what the scene says of them.

        Parameters
        ----------
        arrays : SceneArrays
            Receives the samples.

        Returns
        -------
        dict
            The entry ``decoder`` of a scene, without its note.
        """
        x, y = ([float(along[0]), float(along[-1]), len(along)] for along in self.nodes)
        return {
            "method": "grid",
            "plane": {"dims": list(self.dims)},
            "x": x,
            "y": y,
            "others": self.base.tolist(),
            "samples": arrays.add("grid", self.samples, "float32" if self.scale is None else "uint8"),
            "scale": None if self.scale is None else list(self.scale),
            "error": self.mean_error,
        }


def decode_plane(decoder: PageDecoder, dims: tuple[int, ...], max_bytes: int) -> PlaneGrid:
    """Decode a plane of the latent space, with as many nodes as the budget allows.

    Parameters
    ----------
    decoder : PageDecoder
        The decoder. Each of its conditions has a grid.
    dims : tuple of int
        One or two dimensions; the others are at the medians of the codes.
    max_bytes : int
        Bytes that all samples may take.

    Returns
    -------
    PlaneGrid
        The samples, with their error.

    Raises
    ------
    NotApplicable
        If too few samples would fit.
    """
    codes, n_conditions = decoder.posterior.mean, decoder.n_conditions
    item_size = 1 if decoder.space.is_picture else 4
    n_side = _nodes_a_side(max_bytes // (n_conditions * decoder.space.size * item_size), len(dims))
    if n_side < MIN_NODES:
        size, limit = decoder.space.size, max_bytes / 1e6
        raise NotApplicable(f"a grid of samples of {size:,} values takes more than {limit:.0f} MB")
    base = np.median(codes, axis=0).astype(np.float64)
    nodes = [_nodes_over(codes[:, dim], n_side) for dim in dims]
    x, y = nodes if len(dims) > 1 else (nodes[0], np.zeros(1))
    values = _decode_nodes(decoder, dims, (x, y), base)
    stored, scale = _as_bytes(values) if decoder.space.is_picture else (values, None)
    blended = values if scale is None else scale[0] + (scale[1] - scale[0]) * stored.astype(np.float32) / BYTES
    for axis in (1, 2):
        if blended.shape[axis] > 1:
            blended = (np.delete(blended, 0, axis) + np.delete(blended, -1, axis)) / 2
    middle = tuple((along[1:] + along[:-1]) / 2 if len(along) > 1 else along for along in (x, y))
    errors = decoder.space.shares(blended - _decode_nodes(decoder, dims, middle, base))
    samples = stored.reshape(-1, decoder.space.size)
    return PlaneGrid((dims[0], dims[-1]), (x, y), base, samples, scale, float(errors.mean()), float(errors.max()))


def _nodes_a_side(n_nodes: int, n_dims: int) -> int:
    return min(MAX_NODES, math.isqrt(n_nodes) if n_dims > 1 else n_nodes)


def _nodes_over(values: np.ndarray, n_nodes: int) -> np.ndarray:
    """Return nodes over almost all values, and a margin."""
    low, high = map(float, np.quantile(values, LEVELS))
    margin = max(MARGIN * (high - low), SMALLEST_MARGIN)
    return linear_nodes(low - margin, high + margin, n_nodes)


def _decode_nodes(
    decoder: PageDecoder, dims: tuple[int, ...], nodes: tuple[np.ndarray, ...], base: np.ndarray
) -> np.ndarray:
    """Return the samples of each node under each condition, shape (C, rows, columns, S)."""
    x, y = nodes
    codes = np.tile(base, (len(x) * len(y), 1))
    codes[:, dims[0]] = np.tile(x, len(y))
    if len(dims) > 1:
        codes[:, dims[1]] = np.repeat(y, len(x))
    # a batch holds several conditions, so that a decoder that does not use them is noticed
    choices = np.tile(np.arange(decoder.n_conditions), len(codes))
    samples = decoder.decode(codes.repeat(decoder.n_conditions, axis=0), choices)
    return np.moveaxis(samples.reshape(len(y), len(x), decoder.n_conditions, -1), 2, 0)


def _as_bytes(values: np.ndarray) -> tuple[np.ndarray, tuple[float, float]]:
    """Return values as bytes, and the values that 0 and 255 mean."""
    low, high = float(values.min()), float(values.max())
    high = high if high > low else low + 1
    return ((values - low) / (high - low) * BYTES).round().astype(np.uint8), (low, high)
