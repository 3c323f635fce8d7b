"""Samples decoded once over a plane of the latent space, which a page blends where it cannot run the decoder."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from vaeviz.analysis.condition_sets import ConditionSet, decode_under_conditions
from vaeviz.analysis.latent_grid import linear_nodes
from vaeviz.errors import NotApplicable
from vaeviz.explorer.scene_arrays import SceneArrays
from vaeviz.model.decoder import Decoder
from vaeviz.model.posterior import Posterior

MIN_NODES, MAX_NODES = 4, 64  # along a side; with fewer, blending shows nothing, and more are finer than can be seen
BYTES = 255  # steps of a value
MARGIN = 0.05  # of the range of the codes on each side


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
    samples : ndarray of uint8, shape (C * G, S)
        Samples of each condition in turn (one for an unconditional decoder), the first dimension running fastest.
    scale : tuple of float
        Values that 0 and 255 mean.
    mean_error, largest_error : float
        Difference of blended samples from decoded ones at the centers of the cells, as shares of the range of values.
    """

    dims: tuple[int, int]
    nodes: tuple[np.ndarray, np.ndarray]
    base: np.ndarray
    samples: np.ndarray
    scale: tuple[float, float]
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
            "samples": arrays.add("grid", self.samples, "uint8"),
            "scale": list(self.scale),
            "error": self.mean_error,
        }


def decode_plane(
    decoder: Decoder,
    posterior: Posterior,
    dims: tuple[int, ...],
    conditions: ConditionSet,
    *,
    reference: Any,
    value_range: tuple[float, float],
    max_bytes: int,
) -> PlaneGrid:
    """Decode a plane of the latent space, with as many nodes as the budget allows.

    Parameters
    ----------
    decoder : Decoder
        The decoder.
    posterior : Posterior
        Posteriors of N samples, whose codes the plane covers.
    dims : tuple of int
        One or two dimensions; the others are at the medians of the codes.
    conditions : ConditionSet
        Conditions, each of which has a grid.
    reference : array_like, shape (N, ...)
        Samples that have the shape of the decoder's output.
    value_range : tuple of float
        Range of the values.
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
    base = np.median(posterior.mean, axis=0).astype(np.float64)
    first = decode_under_conditions(decoder, posterior.with_codes(base[None]), conditions, reference=reference)
    n_conditions, sample_size = len(first), first[0, 0].size
    n_fitting = max_bytes // (n_conditions * sample_size)
    n_side = min(MAX_NODES, math.isqrt(n_fitting) if len(dims) > 1 else n_fitting)
    if n_side < MIN_NODES:
        raise NotApplicable(f"a grid of {sample_size:,} values a sample takes more than {max_bytes / 1e6:.0f} MB")
    ends = [np.quantile(posterior.mean[:, dim], (0.001, 0.999)) for dim in dims]
    spans = [max(float(high - low), 1e-6) for low, high in ends]
    nodes = [linear_nodes(low - MARGIN * s, high + MARGIN * s, n_side) for (low, high), s in zip(ends, spans)]
    x, y = nodes if len(dims) > 1 else (nodes[0], np.zeros(1))
    middle = [(along[1:] + along[:-1]) / 2 if len(along) > 1 else along for along in (x, y)]

    def decoded(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        codes = np.tile(base, (len(x) * len(y), 1))
        codes[:, dims[0]] = np.tile(x, len(y))
        if len(dims) > 1:
            codes[:, dims[1]] = np.repeat(y, len(x))
        samples = decode_under_conditions(decoder, posterior.with_codes(codes), conditions, reference=reference)
        return samples.reshape(n_conditions, len(y), len(x), -1)

    values = decoded(x, y)
    low, high = min(value_range[0], float(values.min())), max(value_range[1], float(values.max()))
    stored = ((values - low) / (high - low) * BYTES).round().astype(np.uint8)
    blended = low + (high - low) * stored.astype(np.float32) / BYTES
    for axis in (1, 2):
        if blended.shape[axis] > 1:
            blended = (np.delete(blended, 0, axis) + np.delete(blended, -1, axis)) / 2
    error = np.abs(blended - decoded(*middle)) / (value_range[1] - value_range[0])
    plane = (dims[0], dims[-1])
    samples = stored.reshape(-1, sample_size)
    return PlaneGrid(plane, (x, y), base, samples, (low, high), float(error.mean()), float(error.max()))
