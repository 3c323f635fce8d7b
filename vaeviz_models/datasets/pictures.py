"""Read picture files of any mode as images in [0, 1]."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vaeviz.data.arrays import rescale
from vaeviz.errors import GuessWarning, InputError, warn_user
from vaeviz_models.datasets.compression import check_expansion
from vaeviz_models.datasets.value_ranges import check_used_range, unknown_range

if TYPE_CHECKING:
    from PIL import Image

GRAY_MODES = {"1", "L", "LA", "I", "F", "I;16"}
UNBOUNDED_MODES = {"I": "32-bit integers", "F": "floating-point numbers"}  # modes that define no white
WHITE = {"I;16": 65535}  # of all other modes it is 255
OPAQUE = 255
TIFF_SAMPLE_FORMAT = 339  # the tag that tells unsigned integers (1, its default) from signed ones (2)


def find_modes(paths: Sequence[Path]) -> dict[str, Path]:
    """Return the modes of pictures, from their headers.

    Parameters
    ----------
    paths : sequence of Path
        Picture files.

    Returns
    -------
    dict of str to Path
        The first picture of each mode of Pillow, e.g. ``"L"`` or ``"RGB"``.

    Raises
    ------
    InputError
        If a file is not a picture.
    """
    modes: dict[str, Path] = {}
    for path in paths:
        with _open_picture(path) as picture:
            modes.setdefault(_mode_of(picture), path)
    return modes


def read_pictures(
    paths: Sequence[Path], modes: dict[str, Path], value_range: tuple[float, float] | None, folder: str
) -> np.ndarray:
    """Read pictures of one size as one array.

    Parameters
    ----------
    paths : sequence of Path
        Picture files.
    modes : dict of str to Path
        All modes of the data set, see `find_modes`: one color picture makes all splits color.
    value_range : tuple of float or None
        The values that become 0 and 1; None takes black and white of the picture's mode.
    folder : str
        The folder that was passed to the data set, for error messages.

    Returns
    -------
    np.ndarray, shape (N, H, W) or (N, H, W, 3)
        The pictures in float32. Transparency is ignored, with a warning if there is any.

    Raises
    ------
    InputError
        If the sizes differ, a file is not a picture, or the range of its values is not known.
    """
    if value_range is None:
        _check_white_is_defined(modes, folder)
    is_color = not GRAY_MODES.issuperset(modes)
    x, largest, white, transparent = np.empty(0, np.float32), 0.0, 255, None
    for index, path in enumerate(paths):
        with _open_picture(path) as picture:
            mode, pixels = _mode_of(picture), _read_pixels(picture)
            transparent = transparent or (path if _has_transparent_pixels(picture) else None)
        white = max(white, WHITE.get(mode, 255))
        image = rescale(pixels, value_range or (0, WHITE.get(mode, 255)), str(path))
        if is_color and image.ndim == 2:
            image = np.repeat(image[..., None], 3, axis=-1)
        if index == 0:
            check_expansion(Path(folder), sum(path.stat().st_size for path in paths), image.size * len(paths))
            x = np.empty((len(paths), *image.shape), np.float32)
        if image.shape != x.shape[1:]:
            raise _different_sizes(path, image.shape, paths[0].name, x.shape[1:])
        x[index], largest = image, max(largest, float(image.max()))
    if value_range is None:
        check_used_range(round(largest * white), white, folder, "images", folder)
    if transparent is not None:
        warn_user(
            GuessWarning(
                f"{transparent} has transparent pixels, but transparency is ignored.",
                fix="Save the pictures without transparency, or pass an array (N, H, W, 4) as npz:FILE.",
            )
        )
    return x


def _check_white_is_defined(modes: dict[str, Path], folder: str) -> None:
    """Raise InputError if a mode of the pictures does not define which value is white."""
    for mode, holds in UNBOUNDED_MODES.items():
        if mode in modes:
            with _open_picture(modes[mode]) as picture:
                pixels = _read_pixels(picture)
            raise unknown_range(
                f"{modes[mode]} holds {holds} from {pixels.min():g} to {pixels.max():g}",
                float(pixels.min()),
                float(pixels.max()),
                "images",
                folder,
            )


def _mode_of(picture: Image.Image) -> str:
    """Return the mode of a picture, with one name for all 16-bit gray levels."""
    is_png_of_old_pillow = picture.mode == "I" and picture.format == "PNG"  # PNG has no 32-bit integers
    return "I;16" if picture.mode.startswith("I;16") or is_png_of_old_pillow else picture.mode


def _read_pixels(picture: Image.Image) -> np.ndarray:
    """Return the values of a picture, (H, W) or (H, W, 3), in the type that the file holds."""
    if picture.mode in ("F", "I") or picture.mode.startswith("I;16"):
        tags = getattr(picture, "tag_v2", None)
        is_unsigned = picture.mode == "I" and tags is not None and tags.get(TIFF_SAMPLE_FORMAT, (1,))[0] == 1
        values = np.asarray(picture)
        return values.view(np.uint32) if is_unsigned else values
    return np.asarray(picture.convert("L" if picture.mode in GRAY_MODES else "RGB"))


def _has_transparent_pixels(picture: Image.Image) -> bool:
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return False
    return bool((np.asarray(picture.convert("RGBA"))[..., 3] < OPAQUE).any())


def _different_sizes(path: Path, shape: tuple[int, ...], first_name: str, first_shape: tuple[int, ...]) -> InputError:
    got, expected = (f"{width} × {height}" for height, width, *_ in (shape, first_shape))
    return InputError(
        f"{path} has {got} pixels, but {first_name} has {expected}.",
        got=got,
        expected=expected,
        fix="Crop or resize the pictures to one size.",
    )


@contextmanager
def _open_picture(path: Path) -> Iterator[Image.Image]:
    """Open a picture; what Pillow raises while it is read becomes an InputError."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            yield picture
    except InputError:
        raise
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(
            f"{path} cannot be read as a picture ({error}).", got=str(path), expected="a picture file"
        ) from None
