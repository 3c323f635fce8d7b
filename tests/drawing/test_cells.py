"""Grids of samples: what they are taken for, where they lie, and what they lie on."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgba

from vaeviz.analysis.latent_grid import equal_mass_nodes, linear_nodes
from vaeviz.data.sample_kind import as_images, as_signals, column_names, displayed_names, sample_kind
from vaeviz.drawing import tables
from vaeviz.drawing.cells import cells_aspect, draw_cells
from vaeviz.drawing.grid_axis import GridAxis
from vaeviz.drawing.mosaic import assemble_mosaic
from vaeviz.drawing.sample_style import SampleStyle, sample_style, shared_range
from vaeviz.errors import InputError, UnknownName

RNG = np.random.default_rng(0)
NODES = {
    "even": linear_nodes(-3, 1, 5),
    "uneven": equal_mass_nodes(6),
    "two": np.array([0.5, 2.0]),
    "skewed": np.array([-1.0, 0.0, 0.1, 5.0]),
}


# Kinds


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        ((28, 28), "image"),
        ((2, 2), "image"),
        ((8, 8, 1), "image"),
        ((8, 8, 3), "image"),
        ((8, 8, 4), "image"),
        ((784,), "image"),
        ((64,), "image"),
        ((63,), "signal"),
        ((49,), "signal"),
        ((32,), "signal"),
        ((1, 128), "signal"),
        ((1, 256), "signal"),
        ((1024, 1), "signal"),
        ((128, 1), "signal"),
        ((128, 2), "signal"),
        ((4, 64), "signal"),
        ((32, 3), "signal"),
        ((5, 64), "image"),
        ((4, 31), "image"),
        ((400, 20), "image"),
        ((32, 32, 3), "image"),
        ((4, 9, 7), "image"),
        ((31,), "table"),
        ((3,), "table"),
        ((1,), "table"),
        ((2,), "point"),
        ((1, 2), "point"),
    ],
)
def test_the_kind_of_a_sample_is_told_by_its_shape(shape, kind):
    assert sample_kind(shape) == kind


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        ((64,), "signal"),
        ((64,), "table"),
        ((28, 28), "signal"),
        ((28, 28), "spectrogram"),
        ((1, 33, 31), "spectrogram"),
        ((128, 2), "image"),
        ((9,), "image"),
        ((2,), "table"),
        ((3, 8, 8), "table"),
    ],
)
def test_a_kind_that_is_given_wins(shape, kind):
    assert sample_kind(shape, kind) == kind


@pytest.mark.parametrize(
    ("shape", "kind", "told"),
    [
        ((3,), "point", "samples have 3 values, expected 2"),
        ((12,), "image", r"12 values are no square image; declare the decoder's sample_shape=\(H, W\)"),
        ((5, 8, 8), None, r"samples of shape \(5, 8, 8\) cannot be drawn; images are \(H, W\), \(H, W, 1\|3\|4\)"),
        ((5, 8, 8), "image", r"samples of shape \(5, 8, 8\) cannot be drawn"),
        ((8, 8), "picture", "Unknown kind of sample 'picture'"),
        ((2, 8, 8, 3), None, "cannot be drawn"),
        ((784,), "spectrogram", r"expected \(F, T\)"),
        ((8, 8, 3), "spectrogram", r"expected \(F, T\)"),
        ((5, 8, 8), "signal", r"expected \(L,\), \(L, C\) or \(C, L\)"),
    ],
)
def test_what_cannot_be_drawn_is_an_error(shape, kind, told):
    with pytest.raises(InputError, match=told):
        sample_kind(shape, kind)


def test_images_lose_a_lone_channel_and_vectors_are_folded():
    assert as_images(np.zeros((2, 3, 8, 8, 1)), 2).shape == (2, 3, 8, 8)
    assert as_images(np.zeros((2, 3, 64)), 2).shape == (2, 3, 8, 8)
    assert as_images(np.zeros((2, 3, 6, 8, 3)), 2).shape == (2, 3, 6, 8, 3)


def test_a_vector_whose_values_have_names_is_a_row_of_a_table():
    names = tuple("abcdefgh" * 8)
    assert sample_kind((64,), names=names) == "table"
    assert sample_kind((2,), names=("a", "b")) == "point"
    assert sample_kind((8, 8), names=names) == "image"
    assert sample_kind((64,), "signal", names) == "signal"


def test_the_longer_side_of_a_signal_runs_along():
    assert as_signals(np.zeros((2, 3, 64)), 2).shape == (2, 3, 64, 1)
    assert as_signals(np.zeros((2, 3, 1, 64)), 2).shape == (2, 3, 64, 1)
    assert as_signals(np.zeros((2, 3, 5, 5)), 2).shape == (2, 3, 5, 5)
    channels = RNG.random((2, 3, 2, 64))
    np.testing.assert_array_equal(as_signals(channels, 2), np.swapaxes(channels, -1, -2))


def test_names_are_given_or_those_of_the_columns():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"alcohol": [1.0], "ash": [2.0]})
    assert column_names(None, frame) == ("alcohol", "ash")
    assert column_names(["a", 1], frame) == ("a", "1")
    assert column_names(None, pandas.DataFrame(np.zeros((2, 3)))) == ()  # columns that were only counted
    assert column_names(None, np.zeros((2, 3))) == column_names(None) == column_names((), None) == ()


@pytest.mark.parametrize(
    ("kind", "shape", "count", "shown"),
    [
        ("table", (5,), 5, True),
        ("point", (2,), 2, True),
        ("signal", (64, 3), 3, True),
        ("signal", (3, 64), 3, True),
        ("signal", (64,), 1, True),
        ("signal", (64,), 64, False),
        ("image", (8, 8), 64, False),
        ("spectrogram", (8, 9), 8, False),
    ],
)
def test_what_has_names(kind, shape, count, shown):
    names = tuple(map(str, range(count)))
    assert displayed_names(names, kind, shape) == (names if shown else ())
    assert displayed_names((), kind, shape) == ()


@pytest.mark.parametrize(
    ("kind", "shape", "told"),
    [("table", (5,), "5 values"), ("point", (2,), "2 coordinates"), ("signal", (64, 2), "2 channels")],
)
def test_too_few_or_too_many_names_are_an_error(kind, shape, told):
    with pytest.raises(InputError, match=f"feature_names: got 3 names for samples of {told}"):
        displayed_names(("a", "b", "c"), kind, shape)


# Ranges


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, 0.3, 1.0], (0, 1)),
        ([0.2, 0.8], (0, 1)),
        ([-5.0, 5.0], (-5, 5)),
        ([0.0, 255.0], (0, 255)),
        ([0.0, 0.01], (0, 0.01)),
        ([3.0, 3.0], (2.5, 3.5)),
        ([0.0, np.nan, 1.0], (0, 1)),
    ],
)
def test_the_shared_range(values, expected):
    assert shared_range(np.array(values)) == pytest.approx(expected)


def test_a_rare_overshoot_does_not_change_the_range():
    values = np.concatenate([np.linspace(0, 1, 1000), [3.0]])
    assert shared_range(values) == (0, 1)


def test_an_unknown_colormap_is_answered_with_the_nearest(ax):
    with pytest.raises(UnknownName, match="Unknown colormap 'virids'. Did you mean 'viridis'"):
        draw_cells(ax, RNG.random((2, 3, 8, 8)), SampleStyle(cmap="virids"))


def test_the_range_of_the_data():
    assert sample_style(RNG.random((20, 4)) > 0.5).value_range == (0, 1)
    assert sample_style(None).value_range is None
    assert sample_style(RNG.random((5000, 4)) * 9 - 4).value_range == pytest.approx((-4, 5), abs=0.1)


def test_the_range_of_a_table_leaves_out_what_lies_far_out():
    x = np.concatenate([RNG.standard_normal((999, 5)), np.full((1, 5), 1e4)]).astype(np.float32)
    assert max(map(abs, sample_style(x).value_range)) < 4
    assert sample_style(x, kind="signal").value_range[1] == 1e4


def test_features_on_unlike_scales_are_shares_of_their_own_spans():
    x = RNG.random((500, 3)) * [1, 1000, 5] + [0, 300, 0]
    look = sample_style(x)
    assert look.has_feature_scales((3,))
    shares = look.scaled(x, n_leading_axes=1)
    np.testing.assert_allclose(np.quantile(shares, (0.005, 0.995), axis=0), [[0] * 3, [1] * 3], atol=1e-5)
    assert look.range_for(shares, (3,)) == (0, 1)
    assert not sample_style(x, kind="signal").has_feature_scales((3,))
    assert not sample_style(x[:, [0, 2]]).has_feature_scales((2,))
    constant = sample_style(np.column_stack([x, np.full(500, 7.0)]))
    np.testing.assert_allclose(constant.scaled(np.array([[0, 300, 0, 7.0]]), n_leading_axes=1)[0, 3], 0.5)


# Mosaics


@pytest.mark.parametrize("shape", [(8, 8), (28, 28), (5, 9), (1, 3), (6, 8, 3)])
def test_every_image_lies_in_its_place_with_gaps_between(shape):
    images = RNG.random((3, 4, *shape), dtype=np.float32)
    mosaic, (gap_up, gap_across) = assemble_mosaic(images)
    height = (mosaic.shape[0] + gap_up) // 3 - gap_up
    width = (mosaic.shape[1] + gap_across) // 4 - gap_across
    factor = height // shape[0]
    assert (height, width) == (factor * shape[0], factor * shape[1])
    filled = np.zeros(mosaic.shape[:2], dtype=bool)
    for row in range(3):
        for column in range(4):
            place = (
                slice(row * (height + gap_up), row * (height + gap_up) + height),
                slice(column * (width + gap_across), column * (width + gap_across) + width),
            )
            np.testing.assert_array_equal(mosaic[place][::factor, ::factor], images[row, column])
            filled[place] = True
    assert np.isnan(mosaic[~filled]).all()
    assert (~filled).sum() > 0


@pytest.mark.parametrize("shape", [(8, 8), (28, 28), (64, 64), (200, 200)])
def test_gaps_are_hairlines(shape):
    mosaic, gaps = assemble_mosaic(np.zeros((2, 2, *shape)))
    side = (mosaic.shape[0] - gaps[0]) / 2
    assert all(0.02 < gap / side < 0.05 for gap in gaps)


def test_one_image_has_no_gap():
    mosaic, _ = assemble_mosaic(np.zeros((1, 1, 28, 28)))
    assert mosaic.shape == (28, 28)


# Nodes


@pytest.mark.parametrize("values", NODES.values(), ids=NODES)
def test_nodes_map_cells_to_values_and_back(values):
    nodes = GridAxis(values)
    cells = np.linspace(-1.5, len(values) + 0.5, 41)
    np.testing.assert_allclose(nodes.to_value(np.arange(len(values))), values)
    np.testing.assert_allclose(nodes.to_cell(nodes.to_value(cells)), cells)
    assert (np.diff(nodes.to_value(cells)) > 0).all()


def test_even_nodes_are_told_from_uneven_ones():
    assert GridAxis(linear_nodes(-1.96, 1.96, 20)).is_even
    assert not GridAxis(equal_mass_nodes(20)).is_even
    assert GridAxis(1e6 + linear_nodes(0, 1, 20)).is_even


@pytest.mark.parametrize("n", [3, 10, 20, 50])
def test_ticks_of_uneven_nodes_are_round_and_apart(n):
    nodes = GridAxis(equal_mass_nodes(n))
    ticks = nodes.ticks()
    assert 0 in ticks
    np.testing.assert_allclose(ticks, np.negative(ticks[::-1]))
    assert all(abs(tick * 20 - round(tick * 20)) < 1e-9 for tick in ticks)
    assert 3 <= len(ticks) <= 11
    assert np.diff(nodes.to_cell(np.array(ticks))).min() >= n / 10


# Images on latent axes


def cell_centers(ax, shape, gaps):
    """Where the center of each cell of a mosaic lies, in pixels of the screen: (rows, columns, 2)."""
    image = ax.images[0]
    (left, right, bottom, top), (height, width) = image.get_extent(), image.get_array().shape[:2]
    (x0, y0), (x1, y1) = image.get_transform().transform([(left, bottom), (right, top)])
    (rows, columns), (gap_up, gap_across) = shape, gaps
    across = (np.arange(columns) + 0.5) * (width + gap_across) / columns - gap_across / 2
    down = (np.arange(rows) + 0.5) * (height + gap_up) / rows - gap_up / 2
    return np.stack(np.meshgrid(x0 + across / width * (x1 - x0), y1 - down / height * (y1 - y0)), axis=-1)


@pytest.mark.parametrize("shape", [(8, 8), (6, 10), (8, 8, 3), (5,)], ids=["square", "wide", "color", "table"])
@pytest.mark.parametrize("up", NODES)
@pytest.mark.parametrize("across", NODES)
def test_a_scatter_at_the_nodes_falls_on_the_centers_of_the_cells(ax, across, up, shape):
    rows, columns = len(NODES[up]), len(NODES[across])
    cells = RNG.random((rows, columns, *shape), dtype=np.float32)
    kind = draw_cells(ax, cells, x_axis=GridAxis(NODES[across]), y_axis=GridAxis(NODES[up]))
    (dots,) = ax.plot(*np.meshgrid(NODES[across], NODES[up][::-1]), "o", zorder=3)[:1]
    ax.figure.draw_without_rendering()

    images = cells.reshape(rows, columns, -1, 1) if kind == "table" else as_images(cells, 2)
    gap = {"stretched": True, "gap": tables.STRIP_GAP} if kind == "table" else {}
    images = images.repeat(images.shape[2], axis=3) if kind == "table" else images
    _, gaps = assemble_mosaic(images, **gap)
    points = np.stack(np.meshgrid(NODES[across], NODES[up][::-1]), axis=-1)
    expected = ax.transData.transform(points.reshape(-1, 2)).reshape(points.shape)
    np.testing.assert_allclose(cell_centers(ax, (rows, columns), gaps), expected, atol=0.02)
    assert dots.get_transform() == ax.transData


@pytest.mark.parametrize("nodes", NODES)
def test_a_cell_is_rendered_where_its_node_lies(ax, nodes):
    values = NODES[nodes]
    for row, column in [(0, 0), (len(values) - 1, 1)]:
        ax.clear()
        cells = np.zeros((len(values), len(values), 8, 8))
        cells[row, column] = 1
        draw_cells(ax, cells, x_axis=GridAxis(values), y_axis=GridAxis(values))
        ax.axis("off")
        canvas = FigureCanvasAgg(ax.figure)
        canvas.draw()
        screen = np.asarray(canvas.buffer_rgba())[..., :3].astype(int)
        box = ax.get_window_extent()
        inside = screen[::-1][int(box.y0) + 2 : int(box.y1) - 2, int(box.x0) + 2 : int(box.x1) - 2]
        # the mean of everything white in the columns and rows through the cell's own center: the cell, not the gaps
        x, y = ax.transData.transform((values[column], values[::-1][row]))
        x, y = int(x - int(box.x0) - 2), int(y - int(box.y0) - 2)
        assert inside[y, x].min() > 200
        others = [(c, r) for c in range(len(values)) for r in range(len(values)) if (c, r) != (column, row)]
        for other_column, other_row in others:
            x, y = ax.transData.transform((values[other_column], values[::-1][other_row]))
            assert inside[int(y - int(box.y0) - 2), int(x - int(box.x0) - 2)].max() < 50


@pytest.mark.parametrize("nodes", NODES)
def test_cells_are_of_one_width_on_screen_and_images_keep_their_aspect(ax, nodes):
    values = NODES[nodes]
    draw_cells(ax, RNG.random((len(values), len(values), 6, 9)), x_axis=GridAxis(values), y_axis=GridAxis(values))
    ax.figure.draw_without_rendering()
    edges = GridAxis(values).to_value(np.arange(len(values) + 1) - 0.5)
    x, y = ax.transData.transform(np.column_stack([edges, edges])).T
    np.testing.assert_allclose(np.diff(x), np.diff(x)[0], rtol=1e-6)
    np.testing.assert_allclose(np.diff(y), np.diff(y)[0], rtol=1e-6)
    image = ax.images[0].get_window_extent()
    height, width = ax.images[0].get_array().shape[:2]
    assert image.height / image.width == pytest.approx(height / width, rel=1e-3)


def test_the_limits_are_those_of_the_image(ax):
    values = NODES["uneven"]
    draw_cells(ax, RNG.random((6, 6, 8, 8)), x_axis=GridAxis(values), y_axis=GridAxis(values))
    ax.figure.draw_without_rendering()
    np.testing.assert_allclose(ax.images[0].get_window_extent().bounds, ax.get_window_extent().bounds, atol=0.01)
    assert values[0] > ax.get_xlim()[0] > GridAxis(values).to_value(-0.5)


def test_the_first_row_is_on_top_whatever_the_origin_of_images_is(ax):
    import matplotlib

    cells = np.zeros((2, 1, 8, 8))
    cells[0] = 1
    with matplotlib.rc_context({"image.origin": "lower"}):
        draw_cells(ax, cells)
    assert ax.images[0].origin == "upper"
    assert ax.images[0].get_array()[0, 0] == 1


# Images without latent axes


def test_gray_images_share_a_color_map_and_a_range(ax):
    assert draw_cells(ax, RNG.random((2, 3, 8, 8)) * 4 - 2, SampleStyle(value_range=(-2, 2))) == "image"
    image = ax.images[0]
    assert len(ax.images) == 1
    assert image.get_cmap().name == "gray"
    assert image.get_clim() == (-2, 2)
    assert image.get_cmap()(np.nan) == to_rgba("white")


def test_color_images_are_scaled_to_the_range_with_transparent_gaps(ax):
    cells = np.full((1, 2, 8, 8, 3), 100.0)
    cells[0, 1] = (0, 100, 200)
    draw_cells(ax, cells, SampleStyle(value_range=(0, 200)))
    pixels = np.asarray(ax.images[0].get_array())
    assert pixels.shape[-1] == 4
    np.testing.assert_allclose(pixels[0, 0], [0.5, 0.5, 0.5, 1])
    np.testing.assert_allclose(pixels[0, -1], [0, 0.5, 1, 1])
    assert pixels[:, pixels.shape[1] // 2, 3].max() == 0


def test_labels_stand_beside_rows_and_under_columns(ax):
    draw_cells(ax, RNG.random((2, 3, 8, 8)), row_labels=("top", "bottom"), column_labels=("a", "b", "c"))
    ax.figure.draw_without_rendering()
    assert {tick.get_text(): y for y, tick in zip(ax.get_yticks(), ax.get_yticklabels())} == {"top": 1, "bottom": 0}
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["a", "b", "c"]
    assert list(ax.get_xticks()) == [0, 1, 2]


def test_without_labels_there_are_no_ticks(ax):
    draw_cells(ax, RNG.random((2, 3, 8, 8)))
    assert len(ax.get_xticks()) == len(ax.get_yticks()) == 0


@pytest.mark.parametrize(
    ("shape", "kind", "aspect"),
    [((8, 8), None, 2 / 4), ((6, 9), None, 2 * 6 / (4 * 9)), ((64,), None, 2 / 4), ((6, 9, 3), None, 12 / 36)],
)
def test_the_aspect_of_a_grid_of_images(ax, shape, kind, aspect):
    cells = RNG.random((2, 4, *shape))
    assert cells_aspect(cells, SampleStyle(kind)) == pytest.approx(aspect)


# Tables, signals, points


def colors_at(ax, places):
    """The values that the one image of the Axes holds at places in the units of the axes."""
    image = ax.images[0]
    left, right, bottom, top = image.get_extent()
    pixels = image.get_array()
    across, up = np.asarray(places).T
    columns = (across - left) / (right - left) * pixels.shape[1]
    rows = (top - up) / (top - bottom) * pixels.shape[0]
    return pixels[rows.astype(int), columns.astype(int)]


def ticks(axis, *, minor=False):
    axis.axes.figure.draw_without_rendering()
    places, texts = axis.get_ticklocs(minor=minor), axis.get_ticklabels(minor="minor" if minor else None)
    return [(place, text.get_text()) for place, text in zip(places, texts)]


def test_pairs_of_a_table_are_rows_of_heat_under_one_another(ax):
    cells = RNG.random((2, 3, 5), dtype=np.float32)
    names = ("a", "b", "c", "d", "e")
    labels = {"row_labels": ("original", "reconstruction"), "column_labels": ("one", "two", "three")}
    assert draw_cells(ax, cells, SampleStyle(names=names), connect="pairs", **labels) == "table"
    assert ax.images[0].get_cmap().name == "viridis"
    assert [text for _, text in ticks(ax.xaxis)] == list(names)
    assert [text for _, text in ticks(ax.yaxis)] == ["one", "two", "three"]
    assert ax.get_ylabel() == "original above reconstruction"
    for (middle, _), column in zip(ticks(ax.yaxis), range(3)):
        for row, offset in ((0, 0.2), (1, -0.2)):
            places = [(place, middle + offset) for place, _ in ticks(ax.xaxis)]
            np.testing.assert_array_equal(colors_at(ax, places), cells[row, column])


def test_sequences_of_rows_are_labeled_with_their_ends(ax):
    cells = RNG.random((2, 6, 4), dtype=np.float32)
    labels = {"row_labels": ("up", "down"), "column_labels": ("first", "", "", "", "", "last")}
    draw_cells(ax, cells, SampleStyle(names=("a", "b", "c", "d")), connect="rows", **labels)
    assert [text for _, text in ticks(ax.yaxis)] == ["up", "down"]
    across = [place for place, _ in ticks(ax.xaxis)]
    ends = ticks(ax.yaxis, minor=True)
    assert [text for _, text in ends] == ["first", "first", "last", "last"]
    for (place, _), row in zip(ends, (cells[0, 0], cells[1, 0], cells[0, -1], cells[1, -1])):
        np.testing.assert_array_equal(colors_at(ax, [(x, place) for x in across]), row)


def test_bands_of_pairs_are_named_as_a_whole(ax):
    names = ("worst", "decoded", "median", "decoded")
    draw_cells(ax, RNG.random((4, 3, 5)), connect="pairs", row_labels=names)
    assert [text for _, text in ticks(ax.yaxis)] == ["worst,\ndecoded\nbelow", "median,\ndecoded\nbelow"]


def test_blank_rows_of_a_table_are_not_drawn(ax):
    cells = RNG.random((2, 2, 5)).astype(np.float32)
    cells[1, 1] = np.nan
    draw_cells(ax, cells)
    assert np.isfinite(ax.images[0].get_array()).all()
    assert cells_aspect(cells, SampleStyle()) == cells_aspect(cells[:1], SampleStyle())
    assert ax.get_xlabel() == "5 features"


def test_names_that_find_no_room_are_counted_and_long_ones_are_cut(ax):
    draw_cells(ax, RNG.random((2, 2, 500)), SampleStyle("table", names=tuple(f"gene {i}" for i in range(500))))
    assert ax.get_xlabel() == "500 features"
    assert not len(ax.get_xticks())
    ax.clear()
    draw_cells(ax, RNG.random((2, 2, 3)), SampleStyle(names=("od280/od315 of diluted wines", "hue", "ash")))
    assert [text for _, text in ticks(ax.xaxis)] == ["od280/od315…luted wines", "hue", "ash"]


def test_one_feature_and_one_sample(ax):
    assert draw_cells(ax, RNG.random((1, 1, 1)), SampleStyle(names=("mass",))) == "table"
    assert [text for _, text in ticks(ax.xaxis)] == ["mass"]


def test_rows_of_a_table_on_latent_axes_are_strips_whose_features_are_listed(ax):
    cells = RNG.random((5, 5, 3))
    on = {"x_axis": GridAxis(NODES["even"], "z_1"), "y_axis": GridAxis(NODES["even"], "z_2")}
    draw_cells(ax, cells, SampleStyle(names=("a", "b", "c")), **on)
    assert ax.get_xlabel() == "z_1\neach cell from the top: a, b, c"
    assert ax.get_ylabel() == "z_2"
    center = NODES["even"][2]
    third = (NODES["even"][1] - NODES["even"][0]) / 4
    found = colors_at(ax, [(center, center + third), (center, center), (center, center - third)])
    np.testing.assert_allclose(found, cells[2, 2])
    ax.clear()
    draw_cells(ax, cells[:1], SampleStyle(names=("a", "b", "c")), x_axis=GridAxis(NODES["even"], "z_1"))
    assert ax.get_xlabel() == "z_1"
    across = NODES["even"][0]
    for (place, name), value in zip(ticks(ax.yaxis), cells[0, 0]):
        assert name in "abc"
        np.testing.assert_allclose(colors_at(ax, [(across, place)]), value)


def test_features_on_unlike_scales_are_told_by_the_color_bar(ax):
    x = RNG.random((50, 3)) * [1, 1000, 5]
    draw_cells(ax, x[:4].reshape(2, 2, 3), sample_style(x))
    assert ax.images[0].get_clim() == (0, 1)
    assert ax.child_axes[0].get_ylabel() == "share of span"


# Spectrograms


def test_the_lowest_frequency_of_a_spectrogram_is_at_the_foot(ax):
    cells = np.zeros((1, 1, 6, 20), dtype=np.float32)
    cells[..., 0, :] = 1
    assert draw_cells(ax, cells, SampleStyle("spectrogram")) == "spectrogram"
    pixels = ax.images[0].get_array()
    assert (pixels[-1] == 1).all()
    assert (pixels[0] == 0).all()
    assert ax.images[0].get_cmap().name == "magma"
    assert ax.get_xlabel() == "each cell: time →, frequency ↑"
    assert len(ax.child_axes) == 1


@pytest.mark.parametrize("shape", [(6, 200), (200, 6), (1, 33, 31)])
def test_a_spectrogram_has_an_aspect_of_its_own(ax, shape):
    cells = RNG.random((2, 4, *shape))
    draw_cells(ax, cells, SampleStyle("spectrogram"))
    ax.figure.draw_without_rendering()
    box = ax.images[0].get_window_extent()
    assert box.height / box.width == pytest.approx(cells_aspect(cells, SampleStyle("spectrogram")), rel=0.03)
    assert cells_aspect(cells, SampleStyle("spectrogram")) == pytest.approx(0.375)


# Signals


def test_channels_are_lines_of_their_own_colors_told_by_name(ax):
    signals = RNG.random((2, 3, 2, 50))
    assert draw_cells(ax, signals, SampleStyle(names=("left", "right"))) == "signal"
    assert len(ax.collections) == 2
    assert [len(lines.get_segments()) for lines in ax.collections] == [6, 6]
    handles = ax.get_legend().legend_handles
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["left", "right"]
    assert [to_rgba(handle.get_color()) for handle in handles] == [to_rgba("#3f90da"), to_rgba("#ffa90e")]
    heights = ax.collections[1].get_segments()[4][:, 1]
    np.testing.assert_allclose(np.corrcoef(heights, signals[1, 1, 1])[0, 1], 1, atol=1e-6)


def test_the_height_of_a_cell_is_told_where_it_is_not_one(ax):
    draw_cells(ax, RNG.random((2, 2, 50)) * 4 - 2, SampleStyle(value_range=(-2, 2)))
    assert ax.get_xlabel() == "each cell from −2 to 2"
    assert ax.get_legend() is None


@pytest.mark.parametrize("nodes", [None, "even", "uneven"])
def test_signals_are_lines_in_their_cells(ax, nodes):
    count = 3 if nodes is None else len(NODES[nodes])
    signals = RNG.random((count, count, 50))
    signals[0, 1, 10], signals[0, 1, 20] = 1.0, 0.0
    on = None if nodes is None else GridAxis(NODES[nodes])
    assert draw_cells(ax, signals, SampleStyle(value_range=(0, 1)), x_axis=on, y_axis=on) == "signal"
    lines = ax.collections[0].get_segments()
    assert len(lines) == count**2
    place = (lambda value: value) if on is None else on.to_cell
    for index, line in enumerate(lines):
        row, column = divmod(index, count)
        x, y = place(line[:, 0]) - column, place(line[:, 1]) - (count - 1 - row)
        assert x.min() == pytest.approx(-x.max())
        assert np.abs(x).max() < 0.5
        assert np.abs(y).max() < 0.5
        np.testing.assert_allclose(np.corrcoef(y, signals[row, column])[0, 1], 1, atol=1e-6)
    y = place(lines[1][:, 1]) - (count - 1)
    assert y[10] == pytest.approx(-y[20])
    ax.figure.draw_without_rendering()
    assert not ax.images


def test_a_blank_signal_is_not_drawn_and_does_not_matter(ax):
    signals = RNG.random((2, 2, 50))
    signals[1, 1] = np.nan
    draw_cells(ax, signals)
    ax.figure.draw_without_rendering()
    assert np.isfinite(ax.collections[0].get_segments()[0]).all()


@pytest.mark.parametrize(("connect", "lines"), [(None, 0), ("rows", 4), ("pairs", 6), ("both", 7)])
def test_points_are_dots_in_data_units(ax, connect, lines):
    points = RNG.standard_normal((4, 3, 2)) * 100
    assert draw_cells(ax, points, connect=connect) == "point"
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    joined = [line for line in ax.lines if line.get_marker() != "o"]
    np.testing.assert_allclose(np.concatenate([line.get_xydata() for line in dots]), points.reshape(-1, 2))
    assert len(joined) == lines
    assert all(line.get_zorder() < dots[0].get_zorder() for line in joined)
    assert ax.get_aspect() == 1
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$x_1$", "$x_2$")


def test_rows_of_points_are_told_apart_by_their_names(ax):
    draw_cells(ax, RNG.standard_normal((2, 4, 2)), row_labels=("original", "reconstruction"))
    handles = ax.get_legend().legend_handles
    assert [handle.get_label() for handle in handles] == ["original", "reconstruction"]
    assert handles[0].get_color() != handles[1].get_color()


def test_rows_of_one_name_share_a_color_and_coordinates_have_names(ax):
    names = ("worst", "decoded", "median", "decoded")
    draw_cells(
        ax, RNG.standard_normal((4, 3, 2)), SampleStyle(names=("width", "height")), connect="pairs", row_labels=names
    )
    assert [handle.get_label() for handle in ax.get_legend().legend_handles] == ["worst", "decoded", "median"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("width", "height")


def test_tall_images_keep_their_aspect_and_transparency(ax):
    cells = np.full((1, 2, 30, 5, 4), 0.5)
    cells[..., 3] = 0.25
    assert draw_cells(ax, cells) == "image"
    assert np.asarray(ax.images[0].get_array())[0, 0, 3] == 0.25
    assert cells_aspect(cells, SampleStyle()) == pytest.approx(3)
