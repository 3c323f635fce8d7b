"""Draw digits or letters in the fonts of matplotlib, with known factors: ``glyphs`` and ``glyphs:letters``."""

from __future__ import annotations

import string
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import matplotlib
import numpy as np

from vaeviz.data.dataset import Dataset, Split
from vaeviz.errors import UnknownName
from vaeviz_models.datasets import outlines
from vaeviz_models.datasets.cache import cached_array
from vaeviz_models.datasets.outlines import draw_outlines

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.path import Path as Outline

SEED = 0
SIDE = 28  # pixels
SIZE = 18  # pixels, the larger side of a character at scale 1
MARGIN = 8  # pixels around an image into which a character may reach
N_TRAIN, N_TEST = 10_000, 2_000
ALPHABETS = {"digits": string.digits, "letters": string.ascii_uppercase}
FONTS = {
    "DejaVu Sans": "DejaVuSans",
    "DejaVu Sans bold": "DejaVuSans-Bold",
    "DejaVu Sans oblique": "DejaVuSans-Oblique",
    "DejaVu Sans bold oblique": "DejaVuSans-BoldOblique",
    "DejaVu Sans Mono": "DejaVuSansMono",
    "DejaVu Sans Mono bold": "DejaVuSansMono-Bold",
    "DejaVu Sans Mono oblique": "DejaVuSansMono-Oblique",
    "DejaVu Sans Mono bold oblique": "DejaVuSansMono-BoldOblique",
    "DejaVu Serif": "DejaVuSerif",
    "DejaVu Serif bold": "DejaVuSerif-Bold",
    "DejaVu Serif italic": "DejaVuSerif-Italic",
    "DejaVu Serif bold italic": "DejaVuSerif-BoldItalic",
    "STIX": "STIXGeneral",
    "STIX bold": "STIXGeneralBol",
    "STIX italic": "STIXGeneralItalic",
    "STIX bold italic": "STIXGeneralBolIta",
    "Computer Modern": "cmr10",
    "Computer Modern bold": "cmb10",
    "Computer Modern italic": "cmti10",
    "Computer Modern sans": "cmss10",
    "Computer Modern typewriter": "cmtt10",
}
"""The file of each font in matplotlib's own folder."""
FACTOR_RANGES = {
    "stroke": (0.0, 1.0),
    "slant": (-8.0, 8.0),
    "rotation": (-8.0, 8.0),
    "scale": (0.9, 1.05),
    "x": (-0.5, 0.5),
    "y": (-0.5, 0.5),
}
"""Lowest and highest value of each number that is drawn at random; see `glyphs` for their units."""


def glyphs(alphabet: Literal["digits", "letters"] = "digits", *, split: Split = "train") -> Dataset:
    """Draw 12,000 printed digits (glyphs) or capital letters (glyphs:letters), with known factors.

    Parameters
    ----------
    alphabet : {"digits", "letters"}, default: "digits"
        The ten digits, or the 26 capital letters.
    split : {"train", "test", "all"}, default: "train"
        The part to load: 10,000 images for training, 2,000 for tests, or both.

    Returns
    -------
    Dataset
        Gray images (N, 28, 28) in [0, 1], labeled by character. The factors are a data frame of values that were
        drawn uniformly and independently: ``character``; ``font``, one of 21; ``stroke``, the width in pixels of a
        line along the outline, half of which is outside; ``slant`` to the right and ``rotation`` to the left, in
        degrees; ``scale``; and the shifts ``x`` to the right and ``y`` downwards, in pixels.

    Raises
    ------
    UnknownName
        If there is no such alphabet.

    Notes
    -----
    The images are drawn in a second and kept in the cache. The factors are the same everywhere. Another version of
    matplotlib may draw the edges of a character differently in the last of 256 gray levels.
    """
    import pandas as pd

    if alphabet not in ALPHABETS:
        raise UnknownName("alphabet", alphabet, ALPHABETS)
    factors = _draw_factors(ALPHABETS[alphabet])
    code = b"".join(Path(file).read_bytes() for file in (__file__, outlines.__file__))
    values = pd.util.hash_pandas_object(factors).to_numpy().tobytes()
    images = cached_array(
        f"glyphs-{alphabet}", (values, code, matplotlib.__version__.encode()), lambda: draw_glyphs(factors)
    )
    data = Dataset(
        images.astype(np.float32) / np.float32(255),
        factors["character"].cat.codes.to_numpy(np.int64),
        tuple(ALPHABETS[alphabet]),
        factors,
        "glyphs" if alphabet == "digits" else alphabet,
    )
    rows = {"train": slice(N_TRAIN), "test": slice(N_TRAIN, None), "all": slice(None)}
    return data[rows[split]]


def draw_glyphs(factors: pd.DataFrame) -> np.ndarray:
    """Draw the characters that factors describe.

    Parameters
    ----------
    factors : pandas.DataFrame, N rows
        The columns of the factors of `glyphs`.

    Returns
    -------
    np.ndarray of uint8, shape (N, 28, 28)
        Gray images, 0 where there is no ink.
    """
    from matplotlib.transforms import Affine2D

    characters, strokes = zip(factors["character"], factors["font"]), factors["stroke"].to_numpy(np.float64)
    placements = zip(*(factors[name].tolist() for name in ("slant", "rotation", "scale", "x", "y")))
    placed = [
        _outline(character, font).transformed(
            Affine2D().skew_deg(slant, 0).rotate_deg(rotation).scale(SIZE * scale).translate(x, -y)
        )
        for (character, font), (slant, rotation, scale, x, y) in zip(characters, placements)
    ]
    return draw_outlines(placed, SIDE, margin=MARGIN, strokes=strokes)


def _draw_factors(characters: str) -> pd.DataFrame:
    """Draw every factor uniformly, whatever the others are."""
    import pandas as pd

    rng, n_samples = np.random.default_rng(SEED), N_TRAIN + N_TEST
    classes = {
        name: pd.Categorical.from_codes(rng.integers(len(values), size=n_samples), pd.Index(list(values)))
        for name, values in (("character", characters), ("font", FONTS))
    }
    return pd.DataFrame(classes | {name: rng.uniform(*bounds, n_samples) for name, bounds in FACTOR_RANGES.items()})


@cache
def _outline(character: str, font: str) -> Outline:
    """Return the outline of a character around (0, 0), whose larger side has length 1."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath
    from matplotlib.transforms import Affine2D

    file = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{FONTS[font]}.ttf"
    text = TextPath((0, 0), character, size=100, prop=FontProperties(fname=file))
    box = text.get_extents()
    center = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    return text.transformed(Affine2D().translate(-center[0], -center[1]).scale(1 / max(box.width, box.height)))
