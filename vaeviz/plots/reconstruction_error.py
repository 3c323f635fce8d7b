"""Plot of reconstruction errors by label, and of the worst cases."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from vaeviz.analysis.estimates import mean_estimate
from vaeviz.analysis.reconstruction import Measure, errors_from_means, roc, worst_and_median
from vaeviz.data.channels import match_shape
from vaeviz.data.labels import check_labels, has_classes, label_name, labels_for
from vaeviz.data.out_of_core import as_samples, take_rows
from vaeviz.data.sample_kind import SampleKind, check_same_columns
from vaeviz.drawing.cells import draw_cells
from vaeviz.drawing.colors import MISSING_COLOR, ClassNames, LabelColors, Palette, color_labels
from vaeviz.drawing.figure_factory import figure_for
from vaeviz.drawing.grid_layout import GridLayout
from vaeviz.drawing.latent_axes import DASHES
from vaeviz.drawing.sample_style import SampleStyle, sample_style
from vaeviz.drawing.scatter import MAX_VECTOR_POINTS
from vaeviz.drawing.text_fit import abbreviate, drawable_text, label_rotation
from vaeviz.model.decode import decode
from vaeviz.model.encode import encode, encode_others
from vaeviz.model.opening import both_parts, check_columns, with_decoder
from vaeviz.plots._option_checks import check_minimum
from vaeviz.plots._other_samples import missing_condition
from vaeviz.plugins.plot_spec import PageShape, register_plot

MEASURE_NAMES = {
    "squared": "mean squared error",
    "absolute": "mean absolute error",
    "cross-entropy": "cross-entropy (nats)",
}
MAX_NAME_LETTERS = 16  # of a class below its box, so that the boxes keep most of the height


@register_plot(page=PageShape("full", 0.38), question="What does it reconstruct?")
def reconstruction_error(
    encoder: Any,
    decoder: Any,
    x: Any,
    labels: Any = None,
    condition: Any = None,
    other_x: Any = None,
    feature_names: Any = None,
    *,
    measure: Measure = "squared",
    n_samples: int = 8,
    palette: Palette | None = None,
    class_names: ClassNames | None = None,
    kind: SampleKind | None = None,
    cmap: str | None = None,
    figure: Figure | SubFigure | None = None,
) -> np.ndarray:
    """Plot reconstruction errors by label, and the worst and the median cases.

    What to look for: a class with a high box is badly represented. Look at the worst cases for mislabeled or broken
    samples. With other data, the ROC curve shows how well the error separates them from the data: an area of 0.5 is
    chance.

    What commonly misleads: the mean squared error rewards blur and depends on the brightness of a sample, so classes
    with more ink have larger errors. A high area under the ROC for one kind of other data does not carry over to
    another kind.

    Parameters
    ----------
    encoder : callable, model or Posterior
        Encoder of `x`.
    decoder : callable or model
        Decoder of the codes, by default that of the model if `encoder` is one. Each sample is decoded from its
        posterior mean.
    x : array_like, shape (N, ...)
        Samples.
    labels : array_like, shape (N,), optional
        One class per sample, as integers or strings. Continuous labels form no groups and are ignored.
    condition : array_like, shape (N, ...), optional
        Condition of each sample. Only a conditional model needs it.
    other_x : array_like, shape (M, ...), optional
        Samples of another kind. They add a panel that shows how well the error separates them from `x`.
    feature_names : sequence of str, optional
        Names of the values of a sample. By default, the column names of `x` if it is a data frame.
    measure : {"squared", "absolute", "cross-entropy"}, default="squared"
        Error of a sample: the mean over its values, or for "cross-entropy" the sum in nats.
    n_samples : int, default=8
        Number of worst and of median cases to draw.
    palette : str, tuple or dict, optional
        Color sequence or colormap of matplotlib, palette of seaborn, colors (also separated by commas), or a color for
        each class by name.
    class_names : tuple or dict, optional
        Names of the integer labels 0, 1, ..., or all names in order, or new names by label.
    kind : {"image", "spectrogram", "signal", "point", "table"}, optional
        How to draw a sample. By default, its shape decides.
    cmap : str, optional
        Matplotlib colormap of samples with one channel.
    figure : Figure or SubFigure, optional
        Figure to draw into. By default, a new pyplot figure.

    Returns
    -------
    ndarray of Axes, shape (2,) or (3,)
        The Axes of the errors, of the cases and, with `other_x`, of the ROC curve.

    Raises
    ------
    NotApplicable
        If `other_x` is given for a conditional encoder.
    InputError
        If `labels` does not fit `x`, `n_samples` is below 1, values for "cross-entropy" are outside [0, 1], or
        `other_x` is given with a Posterior, which holds the codes of `x` only.

    Notes
    -----
    Boxes span the quartiles, whiskers the 5th to the 95th percentile. The title of the ROC curve shows its area with
    DeLong's standard error.

    References
    ----------
    DeLong et al., Comparing the areas under two or more correlated ROC curves, Biometrics 44, 1988.
    """
    check_minimum("n_samples", n_samples, 1)
    encoder, decoder = both_parts(encoder, decoder)
    if other_x is not None and (reason := missing_condition(encoder)):
        raise reason
    check_same_columns(x, other_x)
    labels = labels_for(x, labels)
    style = sample_style(x, feature_names, kind=kind, cmap=cmap)
    check_columns(encoder, x)
    x = as_samples(x, "x")
    encoder = with_decoder(encoder, decoder)
    posterior = encode(encoder, x, condition)
    errors = errors_from_means(decoder, posterior, x, measure)
    classes = _class_labels(labels, len(errors))
    colors = color_labels(classes, len(errors), palette, class_names=None if classes is None else class_names)
    others = None if other_x is None else _errors_of_others(other_x, encoder, decoder, measure)
    rows = np.concatenate(worst_and_median(errors, n_samples))
    decoded = decode(decoder, posterior[rows], reference=x)
    originals = match_shape(take_rows(x, rows), decoded.shape[1:])
    figure = figure or figure_for(reconstruction_error)
    widths = (1.0, 1.9) if others is None else (1.0, 1.6, 1.0)
    axes: np.ndarray = figure.subplots(1, len(widths), width_ratios=widths)
    _draw_by_label(axes[0], errors, colors, MEASURE_NAMES[measure], label_name(labels) or "label")
    _draw_cases(axes[1], originals, decoded, style)
    if others is not None:
        _draw_roc(axes[2], errors, others)
    return axes


def _class_labels(labels: Any, total: int) -> Any:
    """Return the labels, or None for continuous ones, which form no groups."""
    if labels is None:
        return None
    values = check_labels(labels, total)
    return values if has_classes(values) else None


def _errors_of_others(other_x: Any, encoder: Any, decoder: Any, measure: Measure) -> np.ndarray:
    check_columns(encoder, other_x)
    other_x = as_samples(other_x, "other_x")
    return errors_from_means(decoder, encode_others(encoder, other_x), other_x, measure)


def _draw_by_label(ax: Axes, errors: np.ndarray, colors: LabelColors, error_name: str, name: str) -> None:
    """Draw a box for each label, with whiskers from the 5th to the 95th percentile."""
    import seaborn

    names = [*colors.names, "no label"] if colors.names else ["all"]
    boxes = colors.index % len(names)  # the index of a missing label, −1, selects the last name
    present = np.unique(boxes).tolist()
    with warnings.catch_warnings():
        # seaborn 0.13 passes vert=, which matplotlib 3.11 deprecates.
        warnings.filterwarnings("ignore", "vert: bool", DeprecationWarning)
        seaborn.boxplot(
            x=boxes,
            y=errors,
            hue=boxes,
            order=present,
            hue_order=present,
            palette=[[*colors.colors, MISSING_COLOR][box] for box in present],
            saturation=1,
            legend=False,
            whis=(5, 95),
            width=0.65,
            linewidth=0.6,
            boxprops={"alpha": 0.55},
            medianprops={"color": "0.1", "linewidth": 1.0},
            whiskerprops={"color": "0.3"},
            capprops={"color": "0.3"},
            flierprops={
                "marker": ".",
                "ms": 2,
                "mfc": "0.5",
                "mec": "none",
                "rasterized": len(errors) > MAX_VECTOR_POINTS,
            },
            ax=ax,
        )
    shown = abbreviate([names[box] for box in present], MAX_NAME_LETTERS)
    ax.set_xticks(range(len(shown)), shown, rotation=label_rotation(ax, shown))
    of_classes = f"{drawable_text(name)}; " if colors.names else ""
    ax.set(ylim=(0, None), ylabel=error_name, xlabel=f"{of_classes}whiskers from 5 to 95 %")
    ax.set_title(f"Mean {mean_estimate(errors)}, N = {len(errors):,}")


def _draw_cases(ax: Axes, originals: np.ndarray, decoded: np.ndarray, style: SampleStyle) -> None:
    """Draw the worst cases above the median ones, each above what is decoded."""
    n_cases = len(originals) // 2
    cells = np.stack([originals, decoded]).reshape(2, 2, n_cases, *decoded.shape[1:])
    layout = GridLayout(row_labels=("worst", "decoded", "median", "decoded"), connect="pairs")
    ax.set_anchor("N")
    draw_cells(ax, np.moveaxis(cells, 1, 0).reshape(4, n_cases, *decoded.shape[1:]), style, layout)
    ax.set_title(f"The {n_cases} worst and the {n_cases} median cases")


def _draw_roc(ax: Axes, errors: np.ndarray, others: np.ndarray) -> None:
    curve = roc(errors, others)
    ax.plot((0, 1), (0, 1), color="0.35", lw=0.8, ls=DASHES)
    ax.plot(curve.false_positive, curve.true_positive)
    ax.set(xlabel="share of $x$ above threshold", ylabel="share of other $x$ above it", xlim=(0, 1), ylim=(0, 1.01))
    ax.set(box_aspect=1, anchor="N")
    ax.set_title(f"ROC area {curve.area}")
