from __future__ import annotations

from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes

from vaeviz.analysis.activity import check_dims, most_active_dims
from vaeviz.analysis.condition_sets import ConditionSet, condition_set, decode_under_conditions
from vaeviz.analysis.latent_grid import equal_mass_nodes, equal_mass_nodes_of, line, linear_nodes, plane
from vaeviz.data.out_of_core import as_samples, sample_shape
from vaeviz.data.sample_kind import SampleKind
from vaeviz.drawing.figure_factory import axes_for
from vaeviz.drawing.grid_axis import GridAxis
from vaeviz.drawing.grid_layout import GridLayout
from vaeviz.drawing.latent_axes import dimension_label
from vaeviz.drawing.panels import draw_panels, panels_aspect
from vaeviz.drawing.sample_style import SampleStyle, sample_style
from vaeviz.errors import InputError, NotApplicable, UnknownName
from vaeviz.model.conditions import fixed_condition_name
from vaeviz.model.decode import latent_size
from vaeviz.model.decoder import Decoder
from vaeviz.model.encode import encode
from vaeviz.model.opening import as_decoder
from vaeviz.model.posterior import Posterior
from vaeviz.plugins.plot_spec import PageShape, register_plot

SIDES = {"image": 20, "table": 7}
NARROW = 2  # height / width of a grid, beyond which numbers side by side would meet


@register_plot(page=PageShape("column", None))
def manifold_grid(
    decoder: Any,
    encoder: Any = None,
    x: Any = None,
    condition: Any = None,
    feature_names: Any = None,
    *,
    n: int | None = None,
    spacing: Literal["prior", "linear"] = "prior",
    dims: tuple[int, int] | None = None,
    span: tuple[float, float] | None = None,
    kind: SampleKind | None = None,
    cmap: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Decoded samples over a grid in two latent dimensions: the learned manifold, a panel for each condition.

    decoder: any callable or model. encoder and x: (N, ...), needed to find the two most active dimensions of a
        larger latent (else the first two are shown), and the range of the codes where no prior is known.
    condition: (N, ...), whose different values have a panel each, an inset of the Axes; by default all that a
        conditional decoder knows. Of more than twelve, twelve are drawn.
    n: nodes a side; 20 for images, 7 for rows of a table and 10 for other samples unless given; half of that in panels.
    spacing: "prior" puts the nodes at equal mass of N(0, 1), Φ⁻¹((i − ½)/n) (Kingma & Welling 2013, fig. 4), or at
        equal mass of the codes where the model has no known prior; "linear" spaces them evenly.
    dims: which two dimensions, counted from 0. span: (low, high) of a linear grid; by default the prior's
        ±1.96, or the central 95 % of the codes.
    feature_names: of the values of a sample, where x has no named columns. kind: how a sample is drawn, told by its
        shape unless given. cmap: of what has one channel.
    The other dimensions are held at the prior mean, 0, or where no prior is known at the mean of the codes. The axes
    are in latent units: a scatter of codes can be laid over the grid. A 1-D latent is one row.
    """
    decoder = as_decoder(decoder)
    look = sample_style(x, feature_names, kind=kind, cmap=cmap)
    x = x if x is None else as_samples(x, "x")
    conditions = condition_set(decoder, condition)
    n = _side(decoder, x, look, conditions) if n is None else n
    if n < 2:
        raise InputError(f"n = {n}: a grid needs at least 2 nodes a side")
    posterior = None if encoder is None or x is None else encode(encoder, x, condition)
    size = posterior.size if posterior is not None else latent_size(decoder)
    shown = _dims(dims, size, posterior)
    known = decoder.prior or (posterior and posterior.prior)
    nodes = tuple(_nodes(dim, n, spacing, span, None if known else posterior) for dim in shown)
    base = np.zeros(size) if known or posterior is None else posterior.mean.mean(axis=0)
    codes = line(0, nodes[0], base) if size == 1 else plane(shown, nodes, base)
    grids = _decoded(decoder, codes, posterior, conditions, x)
    across, *up = (GridAxis(along, dimension_label(dim)) for along, dim in zip(nodes, shown))
    layout = GridLayout(connect="both", x_axis=across, y_axis=up[0] if up else None)
    aspect = panels_aspect(grids, conditions.names, look, layout)
    ax = ax or axes_for(manifold_grid, aspect)
    draw_panels(ax, grids, conditions.names, look, layout)
    if not conditions and aspect > NARROW:
        ax.tick_params(axis="x", rotation=90)
    fixed = fixed_condition_name(decoder)
    under = f" under {conditions}" if conditions else fixed and f" given y = {fixed}"
    ax.set_title(f"Decoded grid{under}, {_title(n, size, spacing, span, known, posterior, chosen=dims is not None)}")
    return ax


def _side(decoder: Decoder, x: Any, look: SampleStyle, conditions: ConditionSet) -> int:
    """Nodes a side: other samples need larger cells than images, and panels have less room."""
    shape = decoder.sample_shape or (None if x is None else sample_shape(x))
    side = 20 if shape is None else SIDES.get(look.kind_of(shape), 10)
    return side // 2 if conditions else side


def _dims(dims: tuple[int, int] | None, size: int, posterior: Posterior | None) -> tuple[int, ...]:
    if size == 1:
        return (0,)
    if dims is not None:
        return check_dims(dims, size, 2)
    return (0, 1) if size == 2 or posterior is None else most_active_dims(posterior, 2)


def _nodes(dim: int, n: int, spacing: str, span: tuple[float, float] | None, codes: Posterior | None) -> np.ndarray:
    """The nodes along one dimension; `codes` only where they, not the prior, say where the mass is."""
    if spacing not in ("prior", "linear"):
        raise UnknownName("spacing", str(spacing), ("prior", "linear"))
    if spacing == "linear" or span is not None:
        if span is None:
            span = (-1.96, 1.96) if codes is None else tuple(np.quantile(codes.mean[:, dim], (0.025, 0.975)))
        if not span[0] < span[1]:
            raise InputError(f"span = {span}: expected low < high")
        return linear_nodes(*span, n)
    if codes is None:
        return equal_mass_nodes(n)
    nodes = equal_mass_nodes_of(codes.mean[:, dim], n)
    if (np.diff(nodes) <= 0).any():
        raise NotApplicable(f"the codes take too few values in dimension {dim} for {n} nodes; use spacing='linear'")
    return nodes


def _decoded(
    decoder: Decoder, codes: np.ndarray, posterior: Posterior | None, conditions: ConditionSet, x: Any
) -> np.ndarray:
    """The codes (rows, columns, D) decoded under each condition, (C, rows, columns, *sample)."""
    flat = codes.reshape(-1, codes.shape[-1])
    decoded = decode_under_conditions(
        decoder, flat if posterior is None else posterior.with_codes(flat), conditions, like=x
    )
    return decoded.reshape(len(decoded), *codes.shape[:2], *decoded.shape[2:])


def _title(
    n: int,
    size: int,
    spacing: str,
    span: tuple[float, float] | None,
    known: str | None,
    posterior: Posterior | None,
    *,
    chosen: bool,
) -> str:
    if spacing == "linear" or span is not None:
        how = "evenly spaced"
    elif known:
        how = "of equal prior mass"
    elif posterior is not None:
        how = "at quantiles of the codes"
    else:
        how = "of equal mass, assuming z ~ N(0, I)"
    nodes = f"{n if size == 1 else f'{n} × {n}'} nodes\n{how}"
    if size <= 2:
        return nodes
    held = "0" if known or posterior is None else "the mean of the codes"
    if posterior is None and not chosen:
        return f"{nodes}\nthe first two of {size} dimensions, the other{'s' * (size > 3)} at {held}"
    others = "other dimension" if size == 3 else f"other {size - 2} dimensions"
    return f"{nodes}\nthe {others} at {held}"
