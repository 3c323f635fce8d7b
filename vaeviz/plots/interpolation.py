"""Plot of decoded paths between the codes of two samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes

from vaeviz.analysis.condition_sets import condition_set, cycle_conditions, same_condition
from vaeviz.analysis.interpolation import PATHS
from vaeviz.analysis.subsampling import cross_class_pairs, pairs_between, same_class_pairs
from vaeviz.data.channels import match_shape
from vaeviz.data.labels import check_labels, factorize_labels, labels_for, name_classes
from vaeviz.data.out_of_core import as_samples, take_rows
from vaeviz.data.sample_kind import SampleKind
from vaeviz.drawing.cells import cells_aspect, draw_cells
from vaeviz.drawing.colors import ClassNames
from vaeviz.drawing.figure_factory import axes_for
from vaeviz.drawing.grid_layout import GridLayout
from vaeviz.drawing.sample_style import sample_style
from vaeviz.errors import Fix, InputError, UnknownName
from vaeviz.model.conditions import condition_names
from vaeviz.model.decode import decode
from vaeviz.model.decoder import Decoder
from vaeviz.model.encode import encode
from vaeviz.model.opening import as_decoder, check_columns, with_decoder
from vaeviz.model.posterior import Posterior
from vaeviz.plots._option_checks import check_minimum, check_rows
from vaeviz.plots._prior_codes import prior_codes
from vaeviz.plugins.plot_spec import PageShape, register_plot

Path = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]  # codes between two, at times in [0, 1]


@register_plot(page=PageShape("full", None), question="Can I sample from it?")
def interpolation(
    decoder: Any,
    encoder: Any = None,
    x: Any = None,
    labels: Any = None,
    condition: Any = None,
    feature_names: Any = None,
    *,
    method: Literal["linear", "slerp"] = "linear",
    n_steps: int = 10,
    n_paths: int = 5,
    pair: tuple[int, int] | None = None,
    between: tuple[str, str] | None = None,
    class_names: ClassNames | None = None,
    kind: SampleKind | None = None,
    cmap: str | None = None,
    seed: int = 0,
    ax: Axes | None = None,
) -> Axes:
    """Plot paths between two codes, those of samples or draws from the prior, decoded step by step.

    What to look for: every step should look like a sample. A path that passes through gray mixtures of both ends
    crosses a region without codes.

    What commonly misleads: a straight path in many dimensions passes nearer to the center than most codes are;
    ``method="slerp"`` follows the sphere. Smooth paths alone are no proof of a good model: a blend of pixels is smooth,
    too. Where paths join samples, compare the steps with those at both ends.

    Parameters
    ----------
    decoder : callable or model
        Decoder of the codes.
    encoder : callable, model or Posterior, optional
        Encoder of `x`, by default that of the model if `decoder` is one without conditions. Without `encoder` and `x`,
        paths join draws from the prior N(0, I).
    x : array_like, shape (N, ...), optional
        Samples.
    labels : array_like, shape (N,), optional
        One label per sample. Random paths then join samples of different labels.
    condition : array_like, shape (N, ...), optional
        Condition of each sample. Only a conditional model needs it.
    feature_names : sequence of str, optional
        Names of the values of a sample. By default, the column names of `x` if it is a data frame.
    method : {"linear", "slerp"}, default="linear"
        Shape of the path: a straight line, or the great arc between both codes.
    n_steps : int, default=10
        Decoded codes per path, both ends included. Samples are drawn at the ends of the row.
    n_paths : int, default=5
        Random paths to draw.
    pair : tuple of int, optional
        Two rows of `x`. Only the path between them is drawn.
    between : tuple of str, optional
        Two labels, or their names in `class_names`. All paths then start at a sample of the first and end at one of the
        second.
    class_names : tuple or dict, optional
        Names of the integer labels 0, 1, ..., or all names in order, or new names by label.
    kind : {"image", "spectrogram", "signal", "point", "table"}, optional
        How to draw a sample. By default, its shape decides.
    cmap : str, optional
        Matplotlib colormap of samples with one channel.
    seed : int, default=0
        Seed of the random paths.
    ax : Axes, optional
        Axes to draw into. By default, those of a new pyplot figure.

    Returns
    -------
    Axes
        The Axes that hold the paths, one per row.

    Raises
    ------
    NotApplicable
        If there are fewer than two samples.
    InputError
        If a count, a row or a label does not exist, the latent size is unknown, or the codes of an arc are opposite or
        zero.

    Notes
    -----
    The great arc is [sin((1−t)Ω) a + sin(tΩ) b] / sin Ω, where Ω is the angle between the codes a and b (Shoemake
    1985; White 2016). With a conditional decoder, random paths join samples of the same condition, and every path is
    decoded under the condition of its first sample. Draws from the prior take all conditions in turn.

    References
    ----------
    Shoemake, Animating rotation with quaternion curves, SIGGRAPH 1985.
    White, Sampling Generative Networks, arXiv:1609.04468, 2016.
    """
    check_minimum("n_steps", n_steps, 2)
    check_minimum("n_paths", n_paths, 1)
    labels = labels_for(x, labels)
    style = sample_style(x, feature_names, kind=kind, cmap=cmap)
    if encoder is not None or x is not None:
        encoder = with_decoder(encoder, decoder)
        check_columns(encoder, x)
    decoder, x = as_decoder(decoder), x if x is None else as_samples(x, "x")
    is_encoded = encoder is not None and x is not None
    posterior = encode(encoder, x, condition) if is_encoded else _draw_ends(decoder, condition, n_paths, seed)
    groups = same_condition(decoder, posterior)
    if is_encoded:
        if labels is not None and class_names is not None:
            labels = name_classes(check_labels(labels, len(posterior)), class_names)
        pairs = _choose_pairs(pair, between, n_paths, len(posterior), labels, groups, seed)
    else:
        pairs = _pairs_of_draws(pair, between, n_paths)
    times, starts = np.linspace(0, 1, n_steps), np.array([first for first, _ in pairs])
    cells = _decode_paths(decoder, posterior, pairs, _path_function(method), times, x)
    cells = _between_samples(cells, x, pairs) if is_encoded else cells
    names = () if groups is None else condition_names(posterior.condition_of(starts), decoder.conditions)
    layout = _path_layout(names, times, has_samples=is_encoded)
    ax = ax or axes_for(interpolation, cells_aspect(cells, style, layout))
    draw_cells(ax, cells, style, layout)
    ends = f"{posterior.code_name}s" if is_encoded else "draws from N(0, I)"
    ax.set_title(f"{method.capitalize()} interpolation between {ends}{_path_condition(pairs, groups)}")
    return ax


def _draw_ends(decoder: Decoder, condition: Any, n_paths: int, seed: int) -> Posterior:
    """Draw the ends of paths from the prior, two rows per path, which takes one of the conditions in turn."""
    conditions = cycle_conditions(condition_set(decoder, condition), n_paths)
    posterior = prior_codes(decoder, 2 * n_paths, seed)
    return posterior if conditions is None else replace(posterior, condition=np.repeat(conditions, 2, axis=0))


def _pairs_of_draws(
    pair: tuple[int, int] | None, between: tuple[str, str] | None, n_paths: int
) -> list[tuple[int, int]]:
    if pair is not None or between is not None:
        name = "between" if pair is None else "pair"
        raise InputError(
            f"{name} chooses samples, but there is no encoder with x.",
            got=f"{name} without samples",
            expected="encoder and x",
            fix=Fix(f"Pass encoder and x, or leave out {name}.", f"Name a model and --data, or leave out --{name}."),
        )
    return [(2 * path, 2 * path + 1) for path in range(n_paths)]


def _between_samples(paths: np.ndarray, x: Any, pairs: list[tuple[int, int]]) -> np.ndarray:
    """Return paths (paths, steps, *sample) with the samples that they join at their ends."""
    samples = match_shape(take_rows(x, np.ravel(pairs)), paths.shape[2:])
    ends = samples.reshape(len(pairs), 2, *paths.shape[2:])
    return np.concatenate([ends[:, :1], paths, ends[:, 1:]], axis=1)


def _path_layout(names: Sequence[str], times: np.ndarray, *, has_samples: bool) -> GridLayout:
    """Label each row by its condition and each column by its time, or as a sample."""
    labels = [f"{time:.2f}".rstrip("0").rstrip(".") for time in times]
    if not has_samples:
        return GridLayout(names, labels, connect="rows")
    return GridLayout(names, ["$x$", *labels, "$x'$"], connect="rows", data_columns=(0, -1))


def _decode_paths(
    decoder: Decoder, posterior: Posterior, pairs: list[tuple[int, int]], path: Path, times: np.ndarray, x: Any
) -> np.ndarray:
    """Decode the path of each pair under the condition of its first sample, as (paths, steps, *sample)."""
    codes = np.concatenate([path(posterior.mean[a], posterior.mean[b], times) for a, b in pairs])
    starts = np.repeat([first for first, _ in pairs], len(times))
    decoded = decode(decoder, posterior.with_codes(codes, starts), reference=x)
    return decoded.reshape(len(pairs), len(times), *decoded.shape[1:])


def _path_condition(pairs: list[tuple[int, int]], groups: np.ndarray | None) -> str:
    """Return the words on the condition of the paths; empty for a plain decoder."""
    if groups is None:
        return ""
    crosses = any(groups[first] != groups[last] for first, last in pairs)
    return ", under the condition of the first" if crosses else ", within a condition"


def _path_function(method: str) -> Path:
    if method not in PATHS:
        raise UnknownName("method", str(method), PATHS)
    return PATHS[method]


def _choose_pairs(
    pair: tuple[int, int] | None,
    between: tuple[str, str] | None,
    n_paths: int,
    total: int,
    labels: Any,
    groups: np.ndarray | None,
    seed: int,
) -> list[tuple[int, int]]:
    """Return the rows of the first and of the last sample of each path."""
    if pair is not None:
        check_rows("pair", pair, total, example=(0, 1))
        return [pair]
    if between is None and groups is not None:
        return same_class_pairs(n_paths, groups, seed) or cross_class_pairs(n_paths, total, None, seed)
    if labels is None:
        if between is not None:
            raise InputError(
                "between names two labels, but there are no labels.",
                got="no labels",
                expected="one label per sample",
                fix=Fix("Pass labels=, or pair= with two rows of x.", "Add --labels, or --pair with two rows of x."),
            )
        return cross_class_pairs(n_paths, total, None, seed)
    codes, names = factorize_labels(check_labels(labels, total))
    if between is None:
        return cross_class_pairs(n_paths, total, codes, seed)
    first, last = map(str, between)
    for name in (first, last):
        if name not in names:
            raise UnknownName("label", name, names)
    return pairs_between((names.index(first), names.index(last)), codes, n_paths, seed)
