"""Draw squares, ellipses and hearts with the factors of dSprites: ``shapes``, ``shapes:full``, ``shapes:ellipses``."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

import numpy as np
from matplotlib.path import Path

from vaeviz.data.dataset import Dataset, Split
from vaeviz.data.out_of_core import StoredArray
from vaeviz.errors import Fix, NoSuchSplit, UnknownName
from vaeviz_models.datasets.outlines import draw_outlines

SEED = 0
SIDE = 64  # pixels
SPRITE_SIDE = 33  # pixels of the square that holds a shape at any orientation
AREA = 400  # pixels, of every shape at scale 1
N_TRAIN, N_TEST = 10_000, 2_000
SHAPES = ("square", "ellipse", "heart")
SCALES = np.linspace(0.5, 1, 6)
ORIENTATIONS = np.arange(0.0, 360.0, 9.0)  # degrees
POSITIONS = np.linspace(0, 1, SIDE - SPRITE_SIDE + 1)  # one pixel apart
ELLIPSE_IMAGE_SIDE = 32  # pixels
ELLIPSE_RANGES = {"scale": (0.6, 1.0), "x": (-5.0, 5.0), "y": (-1.5, 1.5)}
"""Lowest and highest value of each factor of the ellipses. Alone, x causes 45 % of the variance, y 17 %, scale 9 %."""
GRID = (len(SHAPES), len(SCALES), len(ORIENTATIONS), len(POSITIONS), len(POSITIONS))


def shapes(variant: Literal["sample", "full", "ellipses"] = "sample", *, split: Split = "train") -> Dataset:
    """Draw 12,000 white shapes (shapes), all 737,280 (shapes:full), or 12,000 ellipses (shapes:ellipses).

    Parameters
    ----------
    variant : {"sample", "full", "ellipses"}, default: "sample"
        12,000 different images at random with the factors of dSprites; all 737,280, which are drawn as they are read;
        or 12,000 small upright ellipses near the center, whose factors a small VAE separates in half a minute.
    split : {"train", "test", "all"}, default: "train"
        The part to load: 10,000 images for training, 2,000 for tests, or both. The full set has only ``"all"``.

    Returns
    -------
    Dataset
        Gray images (N, 64, 64) in [0, 1], labeled by shape. The factors are a data frame: ``shape``; ``scale``, six
        values from 0.5 to 1; ``orientation`` to the left, 40 values in degrees; ``x`` to the right and ``y`` downwards,
        32 values from 0 to 1 and 31 pixels. The ellipses are images (N, 32, 32), labeled by x. Their factors are drawn
        uniformly and independently: ``scale`` from 0.6 to 1, and, in pixels from the center, ``x`` up to 5 and ``y`` up
        to 1.5.

    Raises
    ------
    UnknownName
        If `variant` is another word.
    NoSuchSplit
        For a part of the full set.

    Notes
    -----
    Edges are smooth, while those of dSprites are binary, and all shapes of one scale have the same area. Orientations
    are values without an order, since 351 degrees are next to 0. A square looks the same after 90 degrees, an ellipse
    after 180.

    The factors of the ellipses change an image by different amounts. Without such a difference a VAE has no reason to
    choose them, and not other directions, as its axes.

    References
    ----------
    Matthey et al., "dSprites: Disentanglement testing sprites dataset", 2017.
    Rolinek, Zietlow & Martius, Variational Autoencoders Pursue PCA Directions (by Accident), CVPR 2019.
    """
    if variant not in ("sample", "full", "ellipses"):
        raise UnknownName("variant of shapes", variant, ("sample", "full", "ellipses"))
    images = ShapeGrid()
    if variant == "full":
        if split != "all":
            fix = Fix('Pass split="all".', "Add --split all.")
            raise NoSuchSplit("The full set of shapes has no splits.", got=split, expected="all", fix=fix)
        return _dataset(StoredArray(images, (0, 255)), np.arange(len(images)))
    rows = {"train": slice(N_TRAIN), "test": slice(N_TRAIN, None), "all": slice(None)}[split]
    if variant == "ellipses":
        return _draw_ellipses()[rows]
    drawn = np.random.default_rng(SEED).permutation(len(images))[: N_TRAIN + N_TEST][rows]
    return _dataset(images[drawn].astype(np.float32) / np.float32(255), drawn)


class ShapeGrid:
    """All 737,280 images in the order of dSprites, the last factor first; an image is drawn as it is read.

    Attributes
    ----------
    shape : tuple of int
        (737280, 64, 64).
    dtype : dtype
        uint8.
    """

    def __init__(self) -> None:
        self.shape = (int(np.prod(GRID)), SIDE, SIDE)
        self.dtype = np.dtype(np.uint8)
        space = (SIDE - SPRITE_SIDE,) * 2
        framed = np.pad(_draw_sprites(), ((0, 0), space, space))
        windows = np.lib.stride_tricks.sliding_window_view(framed, (SIDE, SIDE), axis=(1, 2))
        self._images = windows[:, ::-1, ::-1]  # by sprite, y and x: a window moves against its shape

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> np.ndarray:
        *sprite, x, y = np.unravel_index(np.arange(len(self))[rows], GRID)
        images: np.ndarray = self._images[np.ravel_multi_index(sprite, GRID[:3]), y, x]
        return images


def _dataset(x: Any, rows: np.ndarray) -> Dataset:
    """Return images with their labels and factors, by their places in the grid."""
    import pandas as pd

    shape, scale, orientation, x_place, y_place = np.unravel_index(rows, GRID)
    factors = pd.DataFrame(
        {
            "shape": pd.Categorical.from_codes(shape, pd.Index(SHAPES)),
            "scale": SCALES[scale],
            "orientation": pd.Categorical.from_codes(orientation, pd.Index(ORIENTATIONS)),
            "x": POSITIONS[x_place],
            "y": POSITIONS[y_place],
        }
    )
    return Dataset(x, shape, SHAPES, factors, "shapes")


def _draw_ellipses() -> Dataset:
    """Draw upright ellipses, half as large as those of the grid, with uniform factors."""
    import pandas as pd
    from matplotlib.transforms import Affine2D

    rng = np.random.default_rng(SEED)
    factors = pd.DataFrame({name: rng.uniform(*bounds, N_TRAIN + N_TEST) for name, bounds in ELLIPSE_RANGES.items()})
    outlines = [
        _ellipse().transformed(Affine2D().scale(scale / 2).translate(x, -y))
        for scale, x, y in factors.itertuples(index=False)
    ]
    images = draw_outlines(outlines, ELLIPSE_IMAGE_SIDE).astype(np.float32) / np.float32(255)
    return Dataset(images, factors["x"].to_numpy(), factors=factors, name="ellipses")


@cache
def _draw_sprites() -> np.ndarray:
    """Draw every shape at every scale and orientation, shape (720, 33, 33)."""
    from matplotlib.transforms import Affine2D

    outlines = [
        outline.transformed(Affine2D().scale(scale).rotate_deg(degrees))
        for outline in (_square(), _ellipse(), _heart())
        for scale in SCALES
        for degrees in ORIENTATIONS
    ]
    return draw_outlines(outlines, SPRITE_SIDE)


def _square() -> Path:
    half = np.sqrt(AREA) / 2
    return Path([(-half, -half), (half, -half), (half, half), (-half, half), (-half, -half)], closed=True)


def _ellipse() -> Path:
    """Return an ellipse that is twice as wide as high."""
    circle = Path.unit_circle()
    half_height = np.sqrt(AREA / (2 * np.pi))
    return Path(np.asarray(circle.vertices) * (2 * half_height, half_height), circle.codes)


def _heart() -> Path:
    """Return a heart whose center of mass is at (0, 0)."""
    t = np.linspace(0, 2 * np.pi, 200)
    x, y = 16 * np.sin(t) ** 3, 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    wedges = (x[:-1] * y[1:] - x[1:] * y[:-1]) / 2  # areas of the triangles from (0, 0) to each edge
    middle = wedges @ (y[:-1] + y[1:]) / 3 / wedges.sum()
    return Path(np.column_stack([x, y - middle]) * np.sqrt(AREA / abs(wedges.sum())), closed=True)
