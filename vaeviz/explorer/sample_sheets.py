"""Samples as a page shows them: pictures in sheets of tiles, or the values of signals, points and rows of tables."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from vaeviz.analysis.subsampling import subsample_rows
from vaeviz.data.out_of_core import SampleStream, sample_shape, take_rows
from vaeviz.data.sample_kind import as_images
from vaeviz.drawing.cells import DEFAULT_CMAPS
from vaeviz.drawing.sample_style import SampleStyle
from vaeviz.explorer.sample_space import SampleSpace
from vaeviz.explorer.scene_arrays import SceneArrays

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_SHEET_SIDE = 4096  # pixels; larger textures fail on phones
MAX_TILE_SIDE = 96  # pixels; larger pictures are shrunk
N_TRIED = 256  # pictures from which the size of all is estimated
WEBP_QUALITIES = (90, 75, 50)  # in the order in which they are tried
WEBP_METHOD = 4
SAFETY = 0.97  # share of the budget that an estimate may use


@dataclass(frozen=True)
class PictureFormat:
    """A format of sheets: PNG, or WebP of a quality."""

    quality: int | None = None

    @property
    def mime(self) -> str:
        """Media type."""
        return "image/png" if self.quality is None else "image/webp"

    def __str__(self) -> str:
        return "PNG" if self.quality is None else f"WebP of quality {self.quality}"

    def encode(self, image: Image) -> bytes:
        """Return the bytes of a file.

        Parameters
        ----------
        image : PIL.Image.Image
            The sheet.

        Returns
        -------
        bytes
            The file.
        """
        file = io.BytesIO()
        if self.quality is None:
            image.save(file, "PNG", optimize=True)
        else:
            image.save(file, "WEBP", quality=self.quality, method=WEBP_METHOD)
        return file.getvalue()


def add_samples(
    arrays: SceneArrays,
    x: np.ndarray | SampleStream,
    style: SampleStyle,
    space: SampleSpace,
    *,
    max_bytes: int,
    seed: int,
) -> dict[str, Any]:
    """Add samples to the arrays of a scene, and return what the scene says of them.

    Parameters
    ----------
    arrays : SceneArrays
        Receives pictures or values.
    x : ndarray or SampleStream, shape (N, ...)
        Samples.
    style : SampleStyle
        How they are drawn.
    space : SampleSpace
        How they are arranged in the page.
    max_bytes : int
        Bytes that they may take. Pictures are compressed more for it, and then fewer.
    seed : int
        Seed of the choice of samples, if not all fit.

    Returns
    -------
    dict
        The entry ``samples`` of a scene.
    """
    kind = style.kind_of(space.shape)
    if kind in ("image", "spectrogram"):
        entry = _add_pictures(arrays, x, style, max_bytes, seed)
    else:
        entry = _add_values(arrays, x, style, space, max_bytes, seed)
    return {"kind": kind, "shape": list(space.shown), **entry}


def _add_values(
    arrays: SceneArrays,
    x: np.ndarray | SampleStream,
    style: SampleStyle,
    space: SampleSpace,
    max_bytes: int,
    seed: int,
) -> dict[str, Any]:
    rows = subsample_rows(max(1, max_bytes // (4 * space.size)), len(x), seed)
    values = space.flatten(take_rows(x, rows)).reshape(len(rows), *space.shown)
    entry: dict[str, Any] = {"values": arrays.add("samples", values), "names": list(style.names_of(space.shape))}
    if style.feature_ranges is not None and style.has_feature_scales(space.shape):
        ends = dict(zip(("low", "high"), style.feature_ranges))
        entry["feature_ranges"] = {end: arrays.add(f"feature-{end}", numbers) for end, numbers in ends.items()}
    return entry | _chosen_rows(arrays, rows, len(x), "samples are")


def _add_pictures(
    arrays: SceneArrays, x: np.ndarray | SampleStream, style: SampleStyle, max_bytes: int, seed: int
) -> dict[str, Any]:
    painter = _Painter(x, style)
    tried = subsample_rows(N_TRIED, len(x), seed)
    trial = painter.sheet(tried, per_row=math.ceil(math.sqrt(len(tried))))
    form, n_bytes = _choose_format(trial, max_bytes * SAFETY / len(x) * len(tried))
    rows = subsample_rows(max(1, min(len(x), int(max_bytes * SAFETY / n_bytes * len(tried)))), len(x), seed)
    height, width = painter.tile
    per_row = max(1, min(MAX_SHEET_SIDE // width, math.ceil(math.sqrt(len(rows) * height / width))))
    per_sheet = per_row * max(1, MAX_SHEET_SIDE // height)
    sheets, n_bytes = [], 0
    for place, start in enumerate(range(0, len(rows), per_sheet)):
        stored = np.frombuffer(form.encode(painter.sheet(rows[start : start + per_sheet], per_row)), np.uint8)
        sheets.append({"mime": form.mime, "array": arrays.add(f"sheet-{place}", stored, "uint8", compress=False)})
        n_bytes += len(stored)
    entry: dict[str, Any] = {
        "sheets": sheets,
        "tile": [height, width],
        "tiles_per_row": per_row,
        "tiles_per_sheet": per_sheet,
    }
    if painter.colormap is not None:
        entry["lut"] = arrays.add("colors", painter.colormap, "uint8")
    shrunk = "" if painter.tile == painter.full_size else f", shrunk to {width} × {height} pixels"
    entry |= _chosen_rows(arrays, rows, len(x), "samples have a picture")
    entry["note"] = f"{entry['note'] or ''} Pictures: {form}{shrunk}, {n_bytes / 1e6:.1f} MB.".strip()
    return entry


def _chosen_rows(arrays: SceneArrays, rows: np.ndarray, total: int, verb: str) -> dict[str, Any]:
    """Return how many samples are shown and, if these are not all, which."""
    if len(rows) == total:
        return {"n_pictured": total, "note": None}
    note = f"{len(rows):,} of {total:,} {verb}{' shown' if verb.endswith('are') else ''}, chosen at random."
    return {"n_pictured": len(rows), "pictured_rows": arrays.add("pictured-rows", rows, "int32"), "note": note}


def _choose_format(trial: Image, max_bytes: float) -> tuple[PictureFormat, int]:
    """Return the best format in which a sheet takes no more bytes, else the smallest, and the bytes that it takes."""
    for form in (PictureFormat(), *map(PictureFormat, WEBP_QUALITIES)):
        n_bytes = len(form.encode(trial))
        if n_bytes <= max_bytes:
            break
    return form, n_bytes


class _Painter:
    """Paints tiles of samples into sheets."""

    def __init__(self, x: np.ndarray | SampleStream, style: SampleStyle) -> None:
        import matplotlib

        self.x, self.style = x, style
        shape = sample_shape(x)
        self.kind = style.kind_of(shape)
        first = self._images(np.arange(1))
        self.full_size = first.shape[1:3]
        factor = min(1.0, MAX_TILE_SIDE / max(self.full_size))
        self.tile = tuple(max(1, round(side * factor)) for side in self.full_size)
        name = style.cmap or DEFAULT_CMAPS[self.kind]
        self.colormap: np.ndarray | None = None
        if first.ndim == 3 and name != "gray":
            self.colormap = (matplotlib.colormaps[name](np.arange(256))[:, :3] * 255).round().astype(np.uint8)

    def _images(self, rows: np.ndarray) -> np.ndarray:
        return as_images(take_rows(self.x, rows).astype(np.float32), 1)

    def sheet(self, rows: np.ndarray, per_row: int) -> Image:
        """Return one picture of the tiles of some samples, row by row."""
        from PIL import Image

        (height, width), n_rows = self.tile, math.ceil(len(rows) / per_row)
        first = next(self._tiles(rows[:1]))
        mode = {1: "L", 3: "RGB", 4: "RGBA"}[first.shape[2] if first.ndim == 3 else 1]
        sheet = np.zeros((n_rows * height, min(per_row, len(rows)) * width, *first.shape[2:]), np.uint8)
        for place, tile in enumerate(self._tiles(rows)):
            top, left = place // per_row * height, place % per_row * width
            sheet[top : top + height, left : left + width] = tile
        return Image.fromarray(sheet, mode)

    def _tiles(self, rows: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the tile of each sample, uint8."""
        from PIL import Image

        low, high = self.style.range_for(np.zeros(1), sample_shape(self.x))
        for start in range(0, len(rows), N_TRIED):
            images = self._images(rows[start : start + N_TRIED])
            levels = (np.clip((images - low) / (high - low), 0, 1) * 255).round().astype(np.uint8)
            if self.kind == "spectrogram":
                levels = levels[:, ::-1]
            if self.colormap is not None:
                levels = self.colormap[levels]
            for tile in levels:
                if self.tile != self.full_size:
                    tile = np.asarray(Image.fromarray(tile).resize(self.tile[::-1], Image.Resampling.BOX))
                yield tile
