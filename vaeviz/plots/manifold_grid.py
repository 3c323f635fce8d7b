"""Plot of samples decoded over a grid of the latent space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes

from vaeviz.analysis.active_dimensions import Dimension, check_dims, most_active_dims
from vaeviz.analysis.condition_sets import ConditionSet, condition_set, decode_under_conditions
from vaeviz.analysis.latent_grid import equal_mass_nodes, equal_mass_nodes_of, line, linear_nodes, plane
from vaeviz.data.out_of_core import as_samples, sample_shape
from vaeviz.data.sample_kind import SampleKind, as_images
from vaeviz.drawing.figure_factory import axes_for
from vaeviz.drawing.grid_axis import GridAxis
from vaeviz.drawing.grid_layout import GridLayout
from vaeviz.drawing.latent_axes import dimension_label
from vaeviz.drawing.panels import draw_panels, panels_aspect
from vaeviz.drawing.sample_style import SampleStyle, sample_style
from vaeviz.drawing.text_fit import abbreviate, drawable_text
from vaeviz.errors import InputError, NotApplicable, UnknownName
from vaeviz.model.decode import check_normal_prior, has_normal_prior, latent_size
from vaeviz.model.decoder import Decoder
from vaeviz.model.encode import encode
from vaeviz.model.opening import as_decoder, check_columns, with_decoder
from vaeviz.model.posterior import Posterior
from vaeviz.plots._option_checks import check_minimum, option_fix
from vaeviz.plugins.plot_spec import PageShape, register_plot

N_STRIPS = 7  # nodes per side of rows of a table, which need wider cells than signals and points
OTHER_N_GRID = 10
MAX_FEATURE_MAPS = 12  # features of a table that have a panel each; rows of more are drawn as strips
MAX_FEATURE_NAME_LENGTH = 16  # characters of a name above its panel
MIN_N_GRID, MAX_N_GRID = 6, 20  # of images
GRID_PIXELS = 640  # along a side of all images together, which a column in print and a figure on a screen can show
MAX_UPRIGHT_ASPECT = 2  # height / width, above which tick labels side by side would meet


@register_plot(page=PageShape("column", None), question="Can I sample from it?")
def manifold_grid(
    decoder: Any,
    encoder: Any = None,
    x: Any = None,
    condition: Any = None,
    feature_names: Any = None,
    *,
    n_grid: int | None = None,
    spacing: Literal["prior", "linear"] = "prior",
    dims: tuple[Dimension, Dimension] | None = None,
    span: tuple[float, float] | None = None,
    kind: SampleKind | None = None,
    cmap: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Plot samples decoded over a grid in two latent dimensions, one panel per condition.

    What to look for: neighboring pictures should change gradually. An abrupt change is a border between classes. By
    default, all cells have the same mass of the prior, so the share of the area that a class covers is its share of
    draws from the prior.

    What commonly misleads: the grid follows the prior and not the codes, so a picture may be decoded from a place
    without codes. Above two dimensions it is one plane of many, and the title says where the other dimensions are held.
    Pictures between two classes are interpolations, not members of the data.

    Parameters
    ----------
    decoder : callable or model
        Decoder of the codes.
    encoder : callable, model or Posterior, optional
        Encoder of `x`, by default that of the model if `decoder` is one without conditions. With `x`, it finds the two
        most active dimensions and, where no prior is known, the range of the codes.
    x : array_like, shape (N, ...), optional
        Samples. Decoded samples are drawn with their range of values.
    condition : array_like, shape (M, ...), optional
        Conditions. Each different value has a panel. By default, all that a conditional decoder knows, twelve at most.
    feature_names : sequence of str, optional
        Names of the values of a sample. By default, the column names of `x` if it is a data frame.
    n_grid : int, optional
        Nodes per side. By default, as many images as fill 640 pixels, but 6 to 20; 7 rows of a table with more than
        twelve features; 10 other samples; or half of that for several conditions.
    spacing : {"prior", "linear"}, default="prior"
        Place the nodes at equal mass of the prior, or evenly.
    dims : tuple of int, optional
        Two dimensions, as indices from 0 or as names from "z1". By default, the two most active or, without `encoder`
        and `x`, the first two.
    span : tuple of float, optional
        Ends of an evenly spaced grid. By default, ±1.96, or the central 95 % of the codes where no prior is known.
    kind : {"image", "spectrogram", "signal", "point", "table"}, optional
        How to draw a sample. By default, its shape decides.
    cmap : str, optional
        Matplotlib colormap of samples with one channel.
    ax : Axes, optional
        Axes to draw into. By default, those of a new pyplot figure.

    Returns
    -------
    Axes
        The Axes that hold the grid, or the panels as inset Axes.

    Raises
    ------
    NotApplicable
        If the codes take too few different values for the grid, or a conditional decoder has no known conditions.
    InputError
        If the latent size is unknown, `n_grid` is below 2, or `dims` or `span` cannot be used.

    Notes
    -----
    Nodes of equal mass are Φ⁻¹((i − ½) / n) for i = 1..n (Kingma & Welling 2013, figure 4), or quantiles of the codes
    where no prior is known. The other dimensions are held at the prior mean, 0, or at the mean of the codes. The axes
    are in latent units, so that a scatter of codes can be drawn over a single grid. A latent space of one dimension is
    one row. Rows of a table with up to twelve features are drawn as one panel per feature, colored by its value.

    References
    ----------
    Kingma & Welling, Auto-Encoding Variational Bayes, arXiv:1312.6114, 2013.

    Examples
    --------
    >>> import numpy as np
    >>> import vaeviz
    >>> weights = np.random.default_rng(0).standard_normal((2, 64))
    >>> decoder = vaeviz.Decoder(lambda z: np.tanh(z @ weights) / 2 + 0.5, latent_shape=(2,), output="values")
    >>> ax = vaeviz.manifold_grid(decoder, n_grid=5)
    >>> print(ax.get_title())
    Decoded grid, 5 × 5 nodes
    of equal mass, assuming z ~ N(0, I)
    """
    style = sample_style(x, feature_names, kind=kind, cmap=cmap)
    if encoder is not None or (x is not None and condition is None):  # an encoder takes a condition for that of x
        encoder = with_decoder(encoder, decoder)
        check_columns(encoder, x)
    decoder, x = as_decoder(decoder), x if x is None else as_samples(x, "x")
    conditions = condition_set(decoder, condition)
    posterior = None if encoder is None or x is None else encode(encoder, x, condition)
    size = posterior.size if posterior is not None else latent_size(decoder)
    n_grid = _default_n_grid(decoder, x, style, conditions, size) if n_grid is None else n_grid
    check_minimum("n_grid", n_grid, 2)
    shown = _choose_dims(dims, size, posterior)
    if posterior is None:
        check_normal_prior(decoder)
    has_prior = has_normal_prior(decoder, posterior)
    nodes = [_place_nodes(dim, n_grid, spacing, span, None if has_prior else posterior) for dim in shown]
    base = np.zeros(size) if has_prior or posterior is None else posterior.mean.mean(axis=0)
    codes = line(0, nodes[0], base) if size == 1 else plane((shown[0], shown[1]), (nodes[0], nodes[1]), base)
    grids = _decode_grid(decoder, codes, posterior, conditions, x)
    x_axis, *y_axis = (GridAxis(along, dimension_label(dim)) for along, dim in zip(nodes, shown))
    layout = GridLayout(connect="both", x_axis=x_axis, y_axis=y_axis[0] if y_axis else None)
    names: Sequence[str] = conditions.names
    if _has_feature_maps(style, grids.shape[3:], conditions, size):
        grids, names, style = _as_feature_maps(grids[0], style)
    aspect = panels_aspect(grids, names, style, layout)
    ax = ax or axes_for(manifold_grid, aspect)
    draw_panels(ax, grids, names, style, layout)
    if not names and aspect > MAX_UPRIGHT_ASPECT:
        ax.tick_params(axis="x", rotation=90)
    spaced = _spacing_text(spacing, span, has_prior, posterior)
    held = _held_text(size, has_prior, posterior, is_chosen=dims is not None)
    title = _grid_title(conditions, drawable_text(decoder.condition_name), codes.shape[:2])
    ax.set_title(f"{title}\n{spaced}{held}")
    return ax


def _default_n_grid(decoder: Decoder, x: Any, style: SampleStyle, conditions: ConditionSet, size: int) -> int:
    """Return the nodes per side that leave each cell large enough; panels have half of the space."""
    shape = decoder.sample_shape or (None if x is None else sample_shape(x))
    if shape is None:
        shape = decode_under_conditions(decoder, np.zeros((1, size), np.float32), conditions).shape[2:]
    kind = style.kind_of(shape)
    n_grid = OTHER_N_GRID
    if kind == "table" and not _has_feature_maps(style, shape, conditions, size):
        n_grid = N_STRIPS
    if kind == "image" and size > 1:
        side = max(as_images(np.zeros((1, *shape)), 1).shape[1:3])
        n_grid = int(np.clip(GRID_PIXELS // side, MIN_N_GRID, MAX_N_GRID))
    return n_grid // 2 if conditions else n_grid


def _has_feature_maps(style: SampleStyle, shape: tuple[int, ...], conditions: ConditionSet, size: int) -> bool:
    """Return True for rows of a narrow table over two dimensions, each feature of which has a panel."""
    return style.kind_of(shape) == "table" and shape[0] <= MAX_FEATURE_MAPS and size > 1 and not conditions


def _as_feature_maps(grid: np.ndarray, style: SampleStyle) -> tuple[np.ndarray, list[str], SampleStyle]:
    """Return rows of a table (rows, columns, D) as one map per feature, with their names and their style."""
    shape = grid.shape[2:]
    scaled = style.scaled(grid, n_leading_axes=2)
    names = style.names_of(shape) or [f"feature {number}" for number in range(1, shape[0] + 1)]
    limits = style.range_for(scaled, shape)
    maps = np.moveaxis(scaled, -1, 0)[..., None, None]  # images of one pixel
    map_style = SampleStyle("image", style.cmap or "viridis", limits, unit=style.unit_of(shape))
    return maps, abbreviate(names, MAX_FEATURE_NAME_LENGTH), map_style


def _choose_dims(dims: tuple[Dimension, Dimension] | None, size: int, posterior: Posterior | None) -> tuple[int, ...]:
    if size == 1:
        return (0,)
    if dims is not None:
        return check_dims(dims, size, 2)
    return (0, 1) if size == 2 or posterior is None else most_active_dims(posterior, 2)


def _place_nodes(
    dim: int, n_grid: int, spacing: str, span: tuple[float, float] | None, codes: Posterior | None
) -> np.ndarray:
    """Return the nodes along one dimension; `codes` are given only where no prior is known."""
    if spacing not in ("prior", "linear"):
        raise UnknownName("spacing", str(spacing), ("prior", "linear"))
    if spacing == "linear" or span is not None:
        if span is None:
            low, high = (-1.96, 1.96) if codes is None else np.quantile(codes.mean[:, dim], (0.025, 0.975))
        else:
            low, high = span
        if not low < high:
            raise InputError(
                f"span runs from {low:g} to {high:g}, but must increase.",
                got=f"{low:g}, {high:g}",
                expected="two increasing numbers",
                fix=option_fix("span", (-2.0, 2.0)),
            )
        return linear_nodes(low, high, n_grid)
    if codes is None:
        return equal_mass_nodes(n_grid)
    nodes = equal_mass_nodes_of(codes.mean[:, dim], n_grid)
    if (np.diff(nodes) <= 0).any():
        raise NotApplicable(
            f"The codes take too few different values in dimension {dim} for {n_grid} nodes of equal mass.",
            fix=option_fix("spacing", "linear"),
        )
    return nodes


def _decode_grid(
    decoder: Decoder, codes: np.ndarray, posterior: Posterior | None, conditions: ConditionSet, x: Any
) -> np.ndarray:
    """Decode codes (rows, columns, D) under each condition, and return (C, rows, columns, *sample)."""
    flat = codes.reshape(-1, codes.shape[-1])
    decoded = decode_under_conditions(
        decoder, flat if posterior is None else posterior.with_codes(flat), conditions, reference=x
    )
    return decoded.reshape(len(decoded), *codes.shape[:2], *decoded.shape[2:])


def _grid_title(conditions: ConditionSet, fixed: str, shape: tuple[int, ...]) -> str:
    """Return the first line of the title; `fixed` names the condition of a decoder that has one."""
    under = f" under {conditions}" if conditions else fixed and f" given y = {fixed}"
    n_rows, n_columns = shape
    return f"Decoded grid{under}, {n_columns if n_rows == 1 else f'{n_rows} × {n_columns}'} nodes"


def _spacing_text(spacing: str, span: tuple[float, float] | None, has_prior: bool, posterior: Posterior | None) -> str:
    if spacing == "linear" or span is not None:
        return "evenly spaced"
    if has_prior:
        return "of equal prior mass"
    return "at quantiles of the codes" if posterior is not None else "of equal mass, assuming z ~ N(0, I)"


def _held_text(size: int, has_prior: bool, posterior: Posterior | None, *, is_chosen: bool) -> str:
    """Return the words on the dimensions that do not vary; empty if there are none."""
    if size <= 2:
        return ""
    center = "0" if has_prior or posterior is None else "the mean of the codes"
    if posterior is None and not is_chosen:
        return f"\nfirst 2 of {size} dimensions; the other{'s' * (size > 3)} fixed at {center}"
    return f"\nthe {'other dimension' if size == 3 else f'other {size - 2} dimensions'} at {center}"
