"""Two-dimensional maps of codes that a page offers as axes: principal components and t-SNE."""

from __future__ import annotations

from typing import Any

import numpy as np

from vaeviz.analysis.subsampling import subsample_rows
from vaeviz.drawing.embedding_maps import METHOD_NAMES, describe_map, usable_perplexity
from vaeviz.embeddings import embed
from vaeviz.errors import NotApplicable
from vaeviz.explorer.scene_arrays import SceneArrays

PERPLEXITY = 30.0  # that of the plot `tsne`
PLANE_SIZE = 2  # dimensions that need no map


def add_maps(
    arrays: SceneArrays, codes: np.ndarray, *, max_points: int | None, seed: int
) -> tuple[list[dict[str, Any]], list[str]]:
    """Add the maps of codes of more than two dimensions to a scene.

    Parameters
    ----------
    arrays : SceneArrays
        Receives the points.
    codes : ndarray, shape (N, D)
        Codes.
    max_points : int or None
        Largest number of codes that t-SNE maps; None for all.
    seed : int
        Seed of the choice of codes, and of t-SNE.

    Returns
    -------
    maps : list of dict
        The entry ``maps`` of a scene.
    notes : list of str
        What the page says about them.
    """
    if codes.shape[1] <= PLANE_SIZE or not np.ptp(codes, axis=0).any():
        return [], []
    maps = [_principal_components(arrays, codes)]
    rows = subsample_rows(max_points, len(codes), seed)
    try:
        perplexity = usable_perplexity("auto", PERPLEXITY, len(rows))
        embedding = embed(codes[rows], perplexity=perplexity, seed=seed)
    except NotApplicable as error:
        return maps, [f"There is no t-SNE map: {error.message}"]
    points = np.full((len(codes), 2), np.nan)
    points[rows] = embedding.points
    name = METHOD_NAMES.get(embedding.engine, embedding.engine)
    label = f"{name}, {describe_map(embedding.engine, perplexity, PERPLEXITY)}"
    maps.append({"id": "tsne", "label": label, "points": arrays.add("map-tsne", points), "basis": None})
    if len(rows) == len(codes):
        return maps, []
    return maps, [f"The {name} map holds {len(rows):,} of {len(codes):,} samples, chosen at random."]


def _principal_components(arrays: SceneArrays, codes: np.ndarray) -> dict[str, Any]:
    found = embed(codes, "pca")
    axes = found.place(np.eye(codes.shape[1])) - found.place(np.zeros((1, codes.shape[1])))  # (D, 2)
    shares = found.points.var(axis=0) / codes.astype(np.float64).var(axis=0).sum()
    return {
        "id": "pca",
        "label": "PCA of the codes",
        "points": arrays.add("map-pca", found.points),
        "axes": [f"PC {place} ({100 * share:.0f} %)" for place, share in enumerate(shares, start=1)],
        "basis": arrays.add("map-pca-basis", axes.T),
        "center": arrays.add("map-pca-center", codes.mean(axis=0, dtype=np.float64)),
    }
