"""Write the frames of an animation as GIF, APNG, WebP, MP4 or HTML."""

from __future__ import annotations

import base64
import io
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from vaeviz.data.atomic_files import atomic_path, report_write_errors
from vaeviz.errors import InputError
from vaeviz.plugins.optional_libraries import import_library
from vaeviz.plugins.templates import template_environment

if TYPE_CHECKING:
    from jinja2 import Template
    from matplotlib.figure import Figure

N_COLORS = 256  # of a GIF
NEARLY_WHITE = 248  # of 255
N_PALETTE_FRAMES = 8  # from which the colors of a GIF are chosen


@dataclass(frozen=True)
class Frames:
    """The pictures of an animation, with what is known about them.

    Parameters
    ----------
    images : sequence of Image
        Picture of each frame in RGB, all of one size.
    labels : sequence of str
        Label of each frame.
    fps : float
        Frames per second.
    hold : float
        Seconds for which the last frame stays.
    title, caption : str
        Title of the page, and what the animation shows.
    """

    images: Sequence[Image.Image]
    labels: Sequence[str]
    fps: float
    hold: float
    title: str
    caption: str

    @property
    def durations(self) -> list[int]:
        """Milliseconds for which each frame is shown."""
        each = round(1000 / self.fps)
        return [each] * (len(self.images) - 1) + [max(each, round(1000 * self.hold))]


def check_file(path: Path) -> None:
    """Check that an animation can be written, before anything is drawn.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    InputError
        If its ending is not that of a known format, or the library of the format is not installed.
    OutputError
        If its folder cannot be written.
    """
    if path.suffix.lower() not in WRITERS:
        listed = ", ".join(WRITERS)
        raise InputError(
            f"out is {path}, but must end in one of {listed}.",
            got=path.suffix,
            expected=listed,
            fix="Name e.g. latent.gif.",
        )
    if path.suffix.lower() == ".mp4":
        import_library("imageio_ffmpeg", extra="animation", needed_by=str(path))
    with report_write_errors(path):
        if path.is_dir():
            raise InputError(f"{path} is a folder.", got=str(path), expected="a file", fix="Name a file in it.")
        tempfile.TemporaryFile(dir=path.parent).close()


def draw_images(figures: Iterable[Figure], dpi: int) -> list[Image.Image]:
    """Draw figures as pictures of one size. Smaller ones get white margins on the right and below.

    Parameters
    ----------
    figures : iterable of Figure
        Figures whose layout is done.
    dpi : int
        Resolution in dots per inch.

    Returns
    -------
    list of Image
        Pictures in RGB, all of one size.
    """
    images = []
    for figure in figures:
        figure.set_dpi(dpi)
        canvas: Any = FigureCanvasAgg(figure)  # not annotated
        canvas.draw()  # savefig would draw twice
        images.append(Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy()))
    width, height = (max(image.size[side] for image in images) for side in (0, 1))
    return [_extend(image, width, height) for image in images]


def _extend(image: Image.Image, width: int, height: int) -> Image.Image:
    if image.size == (width, height):
        return image
    page = Image.new("RGB", (width, height), "white")
    page.paste(image, (0, 0))
    return page


def write_frames(path: Path, frames: Frames) -> None:
    """Write an animation, completely or not at all. It repeats without end.

    Parameters
    ----------
    path : Path
        The file. Its ending chooses the format.
    frames : Frames
        The frames.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    with report_write_errors(path), atomic_path(path) as temporary:
        WRITERS[path.suffix.lower()](temporary, frames)


def _write_gif(path: Path, frames: Frames) -> None:
    """Write a GIF with one palette for all frames, so that no color changes between them."""
    images = frames.images
    chosen = [images[k] for k in np.unique(np.linspace(0, len(images) - 1, N_PALETTE_FRAMES).round().astype(int))]
    width, height = images[0].size
    sheet = Image.new("RGB", (width, height * len(chosen)))
    for k, image in enumerate(chosen):
        sheet.paste(image, (0, k * height))
    palette = sheet.quantize(N_COLORS, Image.Quantize.MEDIANCUT)
    colors = np.array(palette.getpalette()).reshape(-1, 3)
    colors[(colors >= NEARLY_WHITE).all(axis=1)] = 255  # so that the background stays white
    palette.putpalette(colors.ravel().tolist())
    first, *others = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
    comment = frames.caption.encode("ascii", "replace")
    first.save(path, save_all=True, append_images=others, duration=frames.durations, loop=0, comment=comment)


def _write_png(path: Path, frames: Frames) -> None:
    from PIL.PngImagePlugin import PngInfo

    text = PngInfo()
    text.add_itxt("Description", frames.caption)
    first, *others = frames.images
    first.save(path, save_all=True, append_images=others, duration=frames.durations, loop=0, pnginfo=text)


def _write_webp(path: Path, frames: Frames) -> None:
    first, *others = frames.images
    exif = first.getexif()
    exif[0x010E] = frames.caption.encode("ascii", "replace").decode()  # ImageDescription
    first.save(
        path, save_all=True, append_images=others, duration=frames.durations, loop=0, lossless=True, exif=exif.tobytes()
    )


def _write_mp4(path: Path, frames: Frames) -> None:
    """Write an MP4, whose pictures have even sides and whose last frame is repeated while it stays."""
    ffmpeg: Any = import_library("imageio_ffmpeg", extra="animation", needed_by=str(path))
    images = [np.asarray(image) for image in frames.images]
    images += [images[-1]] * round(frames.hold * frames.fps)
    height, width = (side + side % 2 for side in images[0].shape[:2])
    writer = ffmpeg.write_frames(
        str(path),
        (width, height),
        fps=frames.fps,
        macro_block_size=1,
        quality=8,
        output_params=["-metadata", f"comment={frames.caption}"],
    )
    writer.send(None)
    for image in images:
        padded = np.full((height, width, 3), 255, np.uint8)
        padded[: image.shape[0], : image.shape[1]] = image
        writer.send(padded)
    writer.close()


def _write_html(path: Path, frames: Frames) -> None:
    pictures = [base64.b64encode(_png_content(image)).decode() for image in frames.images]
    page = _page_template().render(
        title=frames.title,
        caption=frames.caption,
        frames=list(zip(frames.labels, pictures, frames.durations, strict=True)),
    )
    path.write_text(page, encoding="utf-8")


def _png_content(image: Image.Image) -> bytes:
    content = io.BytesIO()
    image.save(content, "png")
    return content.getvalue()


@cache
def _page_template() -> Template:
    return template_environment("vaeviz.animation").get_template("animation.html.j2")


WRITERS: dict[str, Callable[[Path, Frames], None]] = {
    ".gif": _write_gif,
    ".png": _write_png,
    ".webp": _write_webp,
    ".mp4": _write_mp4,
    ".html": _write_html,
}
"""Function that writes a format, by the ending of the file."""
