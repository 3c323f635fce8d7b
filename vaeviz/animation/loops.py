"""Loops through the latent space of one model: traversals, interpolations, and a walk through the prior."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from vaeviz.analysis.active_dimensions import active_dimensions
from vaeviz.analysis.condition_sets import condition_set, decode_under_conditions
from vaeviz.analysis.interpolation import PATHS
from vaeviz.analysis.subsampling import cross_class_pairs
from vaeviz.analysis.traversals import traversal_codes, traversal_ends
from vaeviz.animation.files import draw_images
from vaeviz.data.channels import match_shape
from vaeviz.data.labels import check_labels, factorize_labels, labels_for
from vaeviz.data.out_of_core import as_samples, take_rows
from vaeviz.data.sample_kind import SampleKind
from vaeviz.drawing.cells import draw_cells
from vaeviz.drawing.grid_layout import GridLayout
from vaeviz.drawing.latent_axes import dimension_label
from vaeviz.drawing.sample_style import SampleStyle, sample_style, shared_range
from vaeviz.drawing.styles import style as style_context
from vaeviz.drawing.text_fit import drawable_text
from vaeviz.errors import InputError, NotApplicable
from vaeviz.export.render import draw_figure
from vaeviz.model.decode import check_normal_prior, decode, has_normal_prior, latent_size
from vaeviz.model.decoder import Decoder
from vaeviz.model.encode import encode
from vaeviz.model.opening import as_decoder, check_columns, with_decoder
from vaeviz.model.posterior import Posterior
from vaeviz.plugins.plot_spec import PageShape, PageWidth, PlotSpec

MAX_COLUMN_CELLS = 4  # more cells in a row are drawn over the full width of a page
N_PRIOR_CODES = 256  # of a decoder without encoder and data, as in `traversal`


@dataclass(frozen=True, eq=False)
class Loop:
    """Decoded samples that move along a closed path.

    Parameters
    ----------
    cells : ndarray, shape (T, rows, columns, *sample)
        Samples of each frame.
    layouts : list of GridLayout
        Labels of the cells of each frame.
    style : SampleStyle
        How samples are drawn.
    title, caption : str
        What moves.
    width : {"column", "full"}
        Width of the figures.
    """

    cells: np.ndarray
    layouts: list[GridLayout]
    style: SampleStyle
    title: str
    caption: str
    width: PageWidth = "column"

    def draw(self, style: str, dpi: int) -> list[Image.Image]:
        """Draw all frames. They share the layout of the first.

        Parameters
        ----------
        style : str
            Name of the style.
        dpi : int
            Resolution in dots per inch.

        Returns
        -------
        list of Image
            Picture of each frame.
        """

        def first_cells(*, ax: Axes) -> Axes:
            return self._draw_cells(ax, 0)

        with style_context(style) as page_style:
            figure = draw_figure(PlotSpec(first_cells, "cells", PageShape(self.width, None), ""), {}, {}, page_style)
            figure.draw_without_rendering()
            place = figure.axes[0].get_position(original=True).bounds
            figure.set_layout_engine("none")

            def frames() -> Iterator[Figure]:
                for frame in range(len(self.cells)):
                    figure.clear()
                    self._draw_cells(figure.add_axes(place), frame)
                    yield figure

            return draw_images(frames(), dpi)

    def _draw_cells(self, ax: Axes, frame: int) -> Axes:
        kind = draw_cells(ax, self.cells[frame], self.style, self.layouts[frame], all_cells=self.cells)
        if kind == "point":  # whose axes would follow each frame
            points = self.cells.reshape(-1, 2)
            ax.update_datalim(points[np.isfinite(points).all(axis=1)])
            ax.autoscale_view()
        ax.set_title(self.title)
        return ax


def traversal_loop(
    decoder: Any,
    encoder: Any = None,
    x: Any = None,
    condition: Any = None,
    feature_names: Any = None,
    *,
    n_frames: int = 48,
    max_dims: int = 6,
    span: Literal["aggregate", "prior"] | float = "aggregate",
    kind: SampleKind | None = None,
    cmap: str | None = None,
    seed: int = 0,
) -> Loop:
    """Return a loop in which each latent dimension moves from one end to the other and back.

    Parameters
    ----------
    decoder, encoder, x, condition, feature_names : object
        See `vaeviz.traversal`.
    n_frames : int, default 48
        Number of frames.
    max_dims : int, default 6
        Largest number of dimensions, the most active first.
    span : {"aggregate", "prior"} or float, default "aggregate"
        Ends of the movement, see `vaeviz.traversal`.
    kind : SampleKind, optional
        How samples are drawn.
    cmap : str, optional
        Matplotlib colormap of samples with one channel.
    seed : int, default 0
        Seed of draws from the prior, which replace missing samples.

    Returns
    -------
    Loop
        One column per dimension; or one row per dimension, and one column per condition.
    """
    style = sample_style(x, feature_names, kind=kind, cmap=cmap)
    check_columns(encoder, x)
    decoder, x = as_decoder(decoder), None if x is None else as_samples(x, "x")
    conditions = condition_set(decoder, condition)
    posterior = _encode_samples(decoder, encoder, x, condition)
    if posterior is None:
        check_normal_prior(decoder)
        codes = np.random.default_rng(seed).standard_normal((N_PRIOR_CODES, latent_size(decoder)))
        posterior, ends = Posterior(codes, prior="normal"), traversal_ends(Posterior(codes), _prior_span(span))
    else:
        ends = traversal_ends(posterior, span)
    dims = active_dimensions(posterior).ranking[:max_dims]
    center = np.zeros(posterior.size) if posterior.prior else posterior.mean.mean(axis=0)
    base = posterior.mean[((posterior.mean - center) ** 2).sum(axis=1).argmin()]
    steps, n_steps = _there_and_back(n_frames)
    codes = traversal_codes(base, dims, ends, n_steps)
    decoded = decode_under_conditions(
        decoder, posterior.with_codes(codes.reshape(-1, posterior.size)), conditions, reference=x
    )
    cells = decoded.reshape(len(decoded), len(dims), n_steps, *decoded.shape[2:])
    cells = np.moveaxis(cells, 2, 0)[steps]  # (T, conditions, dims, *sample)
    names = [
        [f"{dimension_label(dim)} = {codes[k, step, dim]:.1f}".replace("-", "−") for k, dim in enumerate(dims)]
        for step in steps
    ]
    if conditions:
        cells, layouts = cells.swapaxes(1, 2), [GridLayout(labels, conditions.names) for labels in names]
    else:
        layouts = [GridLayout((), labels) for labels in names]
    return Loop(
        cells,
        layouts,
        _with_range(style, cells),
        f"Each dimension alone, there and back{_given(decoder)}",
        "Each cell of a dimension moves it from one end to the other and back; the others are held at the code that is "
        "nearest to the center.",
        "full" if cells.shape[2] > MAX_COLUMN_CELLS else "column",
    )


def interpolation_loop(
    decoder: Any,
    encoder: Any = None,
    x: Any = None,
    labels: Any = None,
    condition: Any = None,
    feature_names: Any = None,
    *,
    n_frames: int = 48,
    n_paths: int = 4,
    method: Literal["linear", "slerp"] = "linear",
    kind: SampleKind | None = None,
    cmap: str | None = None,
    seed: int = 0,
) -> Loop:
    """Return a loop in which codes move from one sample to another and back.

    Parameters
    ----------
    decoder, encoder, x, labels, condition, feature_names : object
        See `vaeviz.interpolation`.
    n_frames : int, default 48
        Number of frames.
    n_paths : int, default 4
        Number of paths.
    method : {"linear", "slerp"}, default "linear"
        Shape of the path: a straight line, or the great arc between both codes.
    kind : SampleKind, optional
        How samples are drawn.
    cmap : str, optional
        Matplotlib colormap of samples with one channel.
    seed : int, default 0
        Seed of the paths.

    Returns
    -------
    Loop
        One row per path: the first sample, the decoded code that moves, and the last sample.

    Raises
    ------
    InputError
        If samples are missing.
    NotApplicable
        For a conditional decoder, whose two samples would need one condition.
    """
    style = sample_style(x, feature_names, kind=kind, cmap=cmap)
    decoder, labels = as_decoder(decoder), labels_for(x, labels)
    check_columns(encoder, x)
    x = None if x is None else as_samples(x, "x")
    if decoder.is_conditional:
        raise NotApplicable(
            "The samples at both ends of a path may have different conditions.",
            fix="Pass vaeviz.condition_on(model, value), or draw vaeviz.interpolation.",
        )
    posterior = _encode_samples(decoder, encoder, x, condition)
    if posterior is None or x is None:
        raise InputError("An interpolation needs samples, but received none.", expected="encoder and x", fix="Pass x=.")
    codes = None if labels is None else factorize_labels(check_labels(labels, len(posterior)))[0]
    pairs = cross_class_pairs(n_paths, len(posterior), codes, seed)
    steps, n_steps = _there_and_back(n_frames)
    times = np.linspace(0, 1, n_steps)
    paths = np.stack([PATHS[method](posterior.mean[a], posterior.mean[b], times) for a, b in pairs], axis=1)
    decoded = decode(decoder, posterior.with_codes(paths.reshape(-1, posterior.size)), reference=x)
    moving = decoded.reshape(n_steps, len(pairs), 1, *decoded.shape[1:])[steps]
    ends = match_shape(take_rows(x, np.ravel(pairs)), decoded.shape[1:]).reshape(len(pairs), 2, *decoded.shape[1:])
    first, last = (np.broadcast_to(ends[:, k][:, None], moving.shape) for k in (0, 1))
    cells = np.concatenate([first, moving, last], axis=2)
    layouts = [
        GridLayout((), [r"$x$", f"{times[step]:.2f}", r"$x'$"], connect="rows", data_columns=(0, -1)) for step in steps
    ]
    return Loop(
        cells,
        layouts,
        _with_range(style, cells),
        f"{method.capitalize()} interpolation, there and back{_given(decoder)}",
        f"The middle column shows decoded codes on the way between the {posterior.code_name}s of the samples on both "
        "sides, and back; the number is the share of the way.",
    )


def prior_walk(
    decoder: Any,
    encoder: Any = None,
    x: Any = None,
    condition: Any = None,
    feature_names: Any = None,
    *,
    n_frames: int = 48,
    n_samples: int = 16,
    temperature: float = 1.0,
    kind: SampleKind | None = None,
    cmap: str | None = None,
    seed: int = 0,
) -> Loop:
    """Return a loop through draws from the prior.

    Parameters
    ----------
    decoder, encoder, x, condition, feature_names : object
        See `vaeviz.samples`.
    n_frames : int, default 48
        Number of frames.
    n_samples : int, default 16
        Number of samples in all rows together.
    temperature : float, default 1.0
        Standard deviation of the codes; 1 is the prior itself.
    kind : SampleKind, optional
        How samples are drawn.
    cmap : str, optional
        Matplotlib colormap of samples with one channel.
    seed : int, default 0
        Seed of the codes.

    Returns
    -------
    Loop
        A square of samples, or one column per condition.

    Raises
    ------
    NotApplicable
        If there is an encoder, and no prior is known.

    Notes
    -----
    z(t) = cos(2πt) a + sin(2πt) b for independent draws a and b from N(0, I), so that z(t) is a draw from N(0, I) at
    each time, and z(1) = z(0).
    """
    style = sample_style(x, feature_names, kind=kind, cmap=cmap)
    check_columns(encoder, x)
    decoder, x = as_decoder(decoder), None if x is None else as_samples(x, "x")
    conditions = condition_set(decoder, condition)
    posterior = _encode_samples(decoder, encoder, x, condition)
    check_normal_prior(decoder, posterior)
    size = latent_size(decoder) if posterior is None else posterior.size
    n_draws = math.ceil(n_samples / len(conditions)) if conditions else n_samples
    a, b = temperature * np.random.default_rng(seed).standard_normal((2, n_draws, size))
    angles = 2 * math.pi * np.arange(n_frames)[:, None, None] / n_frames
    codes = (np.cos(angles) * a + np.sin(angles) * b).reshape(-1, size)
    decoded = decode_under_conditions(
        decoder, codes if posterior is None else posterior.with_codes(codes), conditions, reference=x
    )
    cells = decoded.reshape(len(decoded), n_frames, n_draws, *decoded.shape[2:])
    if conditions:
        cells = np.moveaxis(cells, 0, 2)  # (T, draws, conditions, *sample)
    else:
        n_columns = math.ceil(math.sqrt(n_draws))
        blank = np.full((n_frames, -n_draws % n_columns, *decoded.shape[2:]), np.nan, dtype=np.float32)
        cells = np.concatenate([cells[0], blank], axis=1).reshape(n_frames, -1, n_columns, *decoded.shape[2:])
    scale = "" if temperature == 1 else f"{temperature:g}² "
    source = f"{'' if has_normal_prior(decoder, posterior) else 'assuming '}z ~ N(0, {scale}I) at each time"
    return Loop(
        cells,
        [GridLayout((), conditions.names)] * n_frames,
        _with_range(style, cells),
        f"Means of p(x | z{', y' if conditions else ''}), {n_draws} walks{_given(decoder)},\n{source}",
        f"Each picture is the mean of p(x | z) for a code that moves on a closed path; at each time it is a draw from "
        f"N(0, {scale}I).",
        "full" if cells.shape[2] > MAX_COLUMN_CELLS else "column",
    )


LOOPS: dict[str, Callable[..., Loop]] = {
    "traversal": traversal_loop,
    "interpolation": interpolation_loop,
    "samples": prior_walk,
}
"""Functions that return a loop, by the name of the plot that shows the same at rest."""


def _encode_samples(decoder: Any, encoder: Any, x: Any, condition: Any) -> Posterior | None:
    return None if encoder is None or x is None else encode(with_decoder(encoder, decoder), x, condition)


def _given(decoder: Decoder) -> str:
    """Return the words on the one condition of a decoder that has one."""
    return f", given y = {drawable_text(decoder.condition_name)}" if decoder.condition_name else ""


def _prior_span(span: Literal["aggregate", "prior"] | float) -> Literal["aggregate", "prior"] | float:
    return "prior" if span == "aggregate" else span


def _there_and_back(n_frames: int) -> tuple[np.ndarray, int]:
    """Return the step of each frame of a movement there and back, and the number of steps."""
    n_steps = n_frames // 2 + 1
    steps = np.concatenate([np.arange(n_steps), np.arange(n_steps - 2, 0, -1)])
    return steps, n_steps


def _with_range(style: SampleStyle, cells: np.ndarray) -> SampleStyle:
    """Return a style whose scale suits all frames."""
    if style.value_range is not None:
        return style
    shape = cells.shape[3:]
    return replace(style, value_range=shared_range(cells, style.kind_of(shape)))
