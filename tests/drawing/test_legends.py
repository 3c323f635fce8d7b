"""Legends, color bars and names on the data."""

from contextlib import nullcontext

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgba

import vaeviz
from vaeviz import Posterior, latent_scatter
from vaeviz.drawing.colors import MAX_LEGEND_CLASSES, MISSING_COLOR, color_labels
from vaeviz.drawing.legends import add_color_key
from vaeviz.drawing.styles import CLASS_COLORS

CLASSES = [to_rgba(color) for color in CLASS_COLORS]


def legend_entries(ax):
    return {handle.get_label(): handle.get_color() for handle in ax.get_legend().legend_handles}


def test_up_to_ten_classes_have_a_legend(ax):
    add_color_key(ax, color_labels(["b", "a"], 2), np.zeros((2, 2)))
    assert legend_entries(ax) == {"a": CLASSES[0], "b": CLASSES[1]}
    add_color_key(
        ax, color_labels(np.arange(MAX_LEGEND_CLASSES), MAX_LEGEND_CLASSES), np.zeros((MAX_LEGEND_CLASSES, 2))
    )
    assert list(legend_entries(ax)) == [str(label) for label in range(10)]


def test_legend_lists_missing_labels_and_other_artists(ax):
    ax.plot([0, 1], [0, 1], color="k", label="something else")
    add_color_key(ax, color_labels(np.array(["a", None], dtype=object), 2))
    assert legend_entries(ax) == {"a": CLASSES[0], "no label": MISSING_COLOR, "something else": "k"}


def test_without_labels_there_is_no_legend(ax):
    add_color_key(ax, color_labels(None, 2), np.zeros((2, 2)))
    assert ax.get_legend() is None


def test_more_than_ten_classes_are_named_at_their_medians(ax):
    labels = np.repeat(np.arange(11), 3)
    points = np.column_stack([labels + np.tile([-0.1, 0, 5], 11), -labels])
    add_color_key(ax, color_labels(labels, 33), points)
    assert {text.get_text(): text.get_position() for text in ax.texts} == {str(i): (i, -i) for i in range(11)}
    assert ax.get_legend() is None


def is_abbreviation(text, name):
    head, _, tail = text.partition("…")
    return text == name or (text != head and name.startswith(head) and name.endswith(tail))


def test_legend_below_does_not_overlap_the_axis_label():
    names = np.array([f"{i:02d}".rjust(24, "a") for i in range(14)])
    points = np.random.default_rng(0).standard_normal((14, 2))
    with vaeviz.style("paper"):
        ax = latent_scatter(Posterior(points, np.ones_like(points), "normal"), points, names)
    ax.figure.canvas.draw()
    assert not ax.texts
    assert ax.get_legend().get_window_extent().y1 < ax.xaxis.label.get_window_extent().y0
    plt.close(ax.figure)


def test_missing_labels_are_named_below_next_to_a_color_bar():
    points = np.random.default_rng(0).standard_normal((4, 2))
    ax = latent_scatter(Posterior(points, np.ones_like(points), "normal"), points, [0.0, 1.0, 2.0, np.nan])
    ax.figure.canvas.draw()
    assert ax.get_legend().get_window_extent().y1 < ax.xaxis.label.get_window_extent().y0
    plt.close(ax.figure)


@pytest.mark.parametrize("count", [3, 10])
def test_few_long_names_leave_space_for_the_data(count):
    names = np.array([f"{i:02d}".rjust(40, "a") for i in range(count)])
    points = np.random.default_rng(0).standard_normal((count, 2))
    with vaeviz.style("paper"):
        ax = latent_scatter(Posterior(points, np.ones_like(points), "normal"), points, names)
    ax.figure.canvas.draw()
    assert ax.get_window_extent().width > 0.4 * ax.figure.bbox.width
    assert ax.get_legend().get_window_extent().x1 <= ax.figure.bbox.x1
    plt.close(ax.figure)


def test_classes_are_named_on_the_data_after_the_layout_is_turned_off():
    figure = plt.figure(layout="constrained")
    ax = figure.subplots()
    figure.colorbar(plt.cm.ScalarMappable(), ax=ax)
    figure.set_layout_engine("none")
    add_color_key(ax, color_labels(np.array([f"class {i}" for i in range(12)]), 12), np.zeros((12, 2)))
    assert len(ax.texts) == 12
    plt.close(figure)


@pytest.mark.parametrize("style", ["default", "paper", "talk"])
@pytest.mark.parametrize("letter", ["a", "W"])
@pytest.mark.parametrize("letters", [1, 8, 20, 40])
@pytest.mark.parametrize("count", [11, 14, 16, 17, 60])
def test_many_classes_have_a_legend_only_where_it_fits(style, letter, letters, count):
    names = np.array([f"{i:02d}".rjust(letters, letter) for i in range(count)])
    points = np.random.default_rng(0).standard_normal((count, 2))
    with nullcontext() if style == "default" else vaeviz.style(style):
        ax = latent_scatter(Posterior(points, np.ones_like(points), "normal"), points, names)
    ax.figure.canvas.draw()
    page, place, plane = ax.figure.bbox, ax.get_legend().get_window_extent(), ax.get_window_extent()
    assert ax.texts or (plane.width > 0.4 * page.width and plane.height > 0.25 * page.height)
    assert place.x1 <= page.x1 + 1 and place.x0 >= -1 and place.y0 >= -1
    shown = [text.get_text() for text in (*ax.get_legend().get_texts(), *ax.texts)]
    assert all(any(is_abbreviation(text, name) for text in shown) for name in names)
    assert len(set(shown)) == count + 1  # and the prior's circles
    assert (count > 16) <= (len(ax.texts) == count)
    plt.close(ax.figure)


def test_classes_are_named_on_the_data_without_a_layout_engine():
    names = np.array([f"class {i}" for i in range(12)])
    ax = plt.figure().subplots()
    add_color_key(ax, color_labels(names, 12), np.zeros((12, 2)))
    assert len(ax.texts) == 12
    plt.close(ax.figure)


def test_classes_without_points_are_not_named(ax):
    labels = np.arange(11)
    points = np.column_stack([labels, labels])
    add_color_key(ax, color_labels(labels, 11)[2:], points[2:])
    assert [text.get_text() for text in ax.texts] == [str(i) for i in range(2, 11)]


def test_a_gradient_has_a_color_bar(ax):
    colors = color_labels([0.0, 3.0, 4.0], 3)
    add_color_key(ax, colors, np.zeros((3, 2)))
    (bar,) = [other for other in ax.figure.axes if other is not ax]
    assert bar.get_ylim() == (0, 4)
    assert bar.get_ylabel() == "label"
