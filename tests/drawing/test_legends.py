"""Legends, color bars and names on the data."""

import time
from contextlib import nullcontext
from itertools import combinations, product

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.text import Text

import vaeviz
from vaeviz import Posterior, latent_scatter
from vaeviz.drawing.colors import MAX_LEGEND_CLASSES, MISSING_COLOR, color_labels
from vaeviz.drawing.legends import add_color_key, legend_below
from vaeviz.drawing.styles import CLASS_COLORS

CLASSES = [to_rgba(color) for color in CLASS_COLORS]


def legend_entries(ax):
    return {handle.get_label(): handle.get_color() for handle in ax.get_legend().legend_handles}


def test_up_to_ten_classes_have_a_legend(ax):
    add_color_key(ax, color_labels(["b", "a"], 2), np.zeros((2, 2)))
    assert legend_entries(ax) == {"a": CLASSES[0], "b": CLASSES[1]}
    other = ax.figure.add_subplot()
    points = np.zeros((MAX_LEGEND_CLASSES, 2))
    add_color_key(other, color_labels(np.arange(MAX_LEGEND_CLASSES), MAX_LEGEND_CLASSES), points)
    assert list(legend_entries(other)) == [str(label) for label in range(10)]


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
    ax.scatter(*points.T)
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


STYLES, LETTERS, COUNTS = ("default", "paper", "talk"), (1, 8, 40), (11, 16, 60)
LEGENDS = [  # the quick cases contain every two values together
    pytest.param(style, letter, letters, count, marks=[pytest.mark.slow] if (i + j + k + (letter == "W")) % 3 else [])
    for (i, style), (j, letters), (k, count) in product(enumerate(STYLES), enumerate(LETTERS), enumerate(COUNTS))
    for letter in "aW"
]


@pytest.mark.no_cover
@pytest.mark.parametrize("style, letter, letters, count", LEGENDS)
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
    n_named = sum(any(is_abbreviation(text, name) for text in shown) for name in names)
    n_more = sum(int(text.split()[0]) for text in shown if text.endswith("more classes"))
    assert n_named + n_more == count
    assert (letters == 1 and count > 16) <= bool(ax.texts)
    plt.close(ax.figure)


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "names", [["0", "1"], ["a longer name", "x", "zebra finch"], [f"class {i}" for i in range(12)]]
)
def test_a_legend_neither_leaves_the_picture_nor_covers_a_neighbor_without_a_layout_engine(names):
    figure, axes = plt.subplots(2, 2, figsize=(6.4, 4.8), layout="none")
    labels = np.resize(names, 60)
    for ax in axes.flat:
        points = np.random.default_rng(0).standard_normal((60, 2))
        latent_scatter(Posterior(points), points, labels, ax=ax)
    figure.canvas.draw()
    for ax in axes.flat:
        place = ax.get_legend().get_window_extent()
        assert place.x1 <= figure.bbox.x1 and place.y0 >= 0
        assert not any(place.overlaps(other.get_window_extent()) for other in axes.flat if other is not ax)
    plt.close(figure)


def test_legend_handles_are_the_classes_and_a_later_legend_lists_them():
    for count in (3, 30):
        figure, ax = plt.subplots()
        points = np.random.default_rng(0).standard_normal((60, 2))
        latent_scatter(Posterior(points), points, np.arange(60) % count, ax=ax)
        labels = ax.get_legend_handles_labels()[1]
        assert labels == [str(code) for code in range(count)]
        legend = ax.legend(title="classes")
        assert [text.get_text() for text in legend.get_texts()] == labels
        assert len(figure.legend().get_texts()) == count
        plt.close(figure)


@pytest.mark.parametrize("style", ["default", "paper", "talk"])
def test_thirty_long_names_are_listed_in_full_below_or_beside_the_data(style):
    kinds = [f"{state} {cell} cells of the {place}" for state in "abcde" for cell in "fgh" for place in ("gut", "bone")]
    points = np.random.default_rng(0).standard_normal((60, 2))
    with nullcontext() if style == "default" else vaeviz.style(style):
        ax = latent_scatter(Posterior(points), points, np.resize(kinds, 60))
    ax.figure.canvas.draw()
    key, page, plane = ax.get_legend().get_window_extent(), ax.figure.bbox, ax.get_window_extent()
    assert not ax.texts
    assert len(set(map(str, (text.get_text() for text in ax.get_legend().get_texts())))) == 30
    assert page.x0 <= key.x0 and key.x1 <= page.x1 and page.y0 <= key.y0 and key.y1 <= page.y1
    assert not key.overlaps(plane)
    assert min(plane.size) > 0.3 * page.width
    plt.close(ax.figure)


def test_a_figure_of_the_user_does_not_grow():
    figure, ax = plt.subplots(figsize=(3.0, 2.0), layout="constrained")
    points = np.random.default_rng(0).standard_normal((60, 2))
    latent_scatter(Posterior(points), points, np.resize([f"a rather long name {i}" for i in range(30)], 60), ax=ax)
    assert figure.get_size_inches().tolist() == [3.0, 2.0]
    plt.close(figure)


def test_the_legend_of_pairs_stays_in_the_corner_above_the_diagonal():
    points = np.random.default_rng(0).standard_normal((60, 4))
    names = np.resize([f"{i} is a rather long name" for i in range(30)], 60)
    axes = vaeviz.latent_pairs(Posterior(points), points, names)
    axes[0, 0].figure.canvas.draw()
    key = axes[0, -1].get_legend().get_window_extent()
    assert len(axes[0, -1].get_legend().get_texts()) >= 30
    assert not any(key.overlaps(axes[row, column].get_window_extent()) for row in range(4) for column in range(row + 1))
    plt.close(axes[0, 0].figure)


@pytest.mark.no_cover
@pytest.mark.parametrize("count", [60, 137])
def test_many_names_on_the_data_do_not_overlap(count):
    rng = np.random.default_rng(0)
    labels = np.arange(5 * count) % count
    points = 3 * rng.standard_normal((count, 2))[labels] + 0.3 * rng.standard_normal((5 * count, 2))
    ax = latent_scatter(Posterior(points), points, np.array([f"cell type {code}" for code in labels]))
    ax.figure.canvas.draw()
    boxes = [Text.get_window_extent(text) for text in ax.texts]  # without the lines to the classes
    assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))
    rest = [text.get_text() for text in ax.get_legend().get_texts()] if ax.get_legend() else [""]
    n_unnamed = int(rest[-1].split()[0]) if rest[-1] else 0
    assert len(boxes) + n_unnamed == count
    assert len(boxes) >= 15
    plt.close(ax.figure)


def test_markers_of_the_legend_are_those_of_the_points(ax):
    points = np.random.default_rng(0).standard_normal((10, 2))
    latent_scatter(Posterior(points), points, np.arange(10) % 2, marker_kws={"marker": "x"}, ax=ax)
    assert {handle.get_marker() for handle in ax.get_legend().legend_handles} == {"x"}
    assert all(handle.get_markeredgewidth() > 0 for handle in ax.get_legend().legend_handles)


def test_classes_without_points_are_not_named(ax):
    labels = np.arange(11)
    points = np.column_stack([labels, labels])
    ax.scatter(*points.T)
    add_color_key(ax, color_labels(labels, 11)[2:], points[2:])
    assert [text.get_text() for text in ax.texts] == [str(i) for i in range(2, 11)]


def test_a_gradient_has_a_color_bar(ax):
    colors = color_labels([0.0, 3.0, 4.0], 3)
    add_color_key(ax, colors, np.zeros((3, 2)))
    (bar,) = [other for other in ax.figure.axes if other is not ax]
    assert bar.get_ylim() == (0, 4)
    assert bar.get_ylabel() == "label"


def test_a_very_long_name_is_abbreviated_quickly(ax):
    names = np.array(["a" * 2000, "b" * 1999])
    start = time.process_time()
    add_color_key(ax, color_labels(names, 2), np.zeros((2, 2)))
    assert time.process_time() - start < 5
    assert all(len(text.get_text()) <= 80 for text in ax.get_legend().get_texts())


def test_limits_follow_the_data_above_a_legend_of_very_long_names():
    figure, ax = plt.subplots(layout="constrained")
    codes = np.random.default_rng(0).uniform(-4, 4, (300, 2))
    latent_scatter(Posterior(codes), codes, np.array([letter * 200 for letter in "abc"])[np.arange(300) % 3], ax=ax)
    figure.canvas.draw()
    assert -5 < ax.get_xlim()[0] < ax.get_xlim()[1] < 5


@pytest.mark.parametrize("count", [3, 11, 16])
def test_a_legend_below_leaves_the_limits_of_the_data(count):
    points = np.random.default_rng(0).standard_normal((200, 2))
    names = np.array([f"a rather long class name {row % count:02d}" for row in range(200)])
    with vaeviz.style("paper"):
        ax = latent_scatter(Posterior(points), points, names)
    ax.figure.canvas.draw()
    assert ax.get_legend().get_window_extent().y1 < ax.xaxis.label.get_window_extent().y0
    assert max(ax.get_xlim()[1], -ax.get_xlim()[0]) < 1.2 * np.abs(points[:, 0]).max()
    assert ax.get_window_extent().height > 0.4 * ax.figure.bbox.height
    plt.close(ax.figure)


def test_a_legend_below_is_below_an_axis_label_that_is_broken():
    figure, axes = plt.subplots(2, 3)
    ax = axes[0, 0]
    ax.plot([0, 1], label="line")
    ax.set_xlabel("a label with more words than the cell of the Axes is wide")
    legend_below(ax)
    figure.canvas.draw()
    assert "\n" in ax.get_xlabel()
    assert ax.get_legend().get_window_extent().y1 < ax.xaxis.label.get_window_extent().y0
    plt.close(figure)
