import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.backends.backend_agg import FigureCanvasAgg

import vaeviz
from vaeviz import Posterior
from vaeviz.drawing.figure_factory import axes_for, figure_for
from vaeviz.drawing.styles import CLASS_COLORS, STYLES, get_style
from vaeviz.errors import UnknownName
from vaeviz.export.render import draw_figure
from vaeviz.plugins.plot_spec import PageShape, get_plot, register_plot


def test_a_style_holds_inside_the_block_only():
    before = dict(matplotlib.rcParams)
    with vaeviz.style("talk") as look:
        assert look is STYLES["talk"]
        assert matplotlib.rcParams["font.size"] == 16
    assert dict(matplotlib.rcParams) == before


def test_rcparams_are_restored_after_an_error():
    before = dict(matplotlib.rcParams)
    with pytest.raises(RuntimeError), vaeviz.style("paper"):
        raise RuntimeError
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize("name", STYLES)
def test_fonts_are_embedded_as_truetype_and_lines_have_the_colors_of_classes(name):
    with vaeviz.style(name):
        assert matplotlib.rcParams["pdf.fonttype"] == matplotlib.rcParams["ps.fonttype"] == 42
        colors = matplotlib.rcParams["axes.prop_cycle"].by_key()["color"]
    assert tuple(colors) == CLASS_COLORS


VISIONS = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
"""What the eye makes of linear RGB (Machado et al. 2009, severity 1)."""


def distances(colors, vision, opacity):
    """CIELAB differences between all pairs of colors, drawn so opaque on white: (C, C), infinite on the diagonal."""
    rgb = opacity * np.array([matplotlib.colors.to_rgb(color) for color in colors]) + 1 - opacity
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.transpose(VISIONS[vision]), 0, 1)
    to_xyz = np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]
    )
    x, y, z = np.cbrt(seen @ (to_xyz / to_xyz.sum(axis=1, keepdims=True)).T + 1e-9).T
    lab = np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)
    return np.linalg.norm(lab[:, None] - lab, axis=-1) + np.diag([np.inf] * len(colors))


@pytest.mark.parametrize("opacity", [1.0, 0.65])
@pytest.mark.parametrize("vision", VISIONS)
def test_colors_of_classes_are_told_apart_at_least_as_well_as_petroff10(vision, opacity):
    petroff = distances(matplotlib.color_sequences["petroff10"], vision, opacity)
    own = distances(CLASS_COLORS, vision, opacity)
    assert own.min() >= petroff.min()
    assert own[8].min() > 1.3 * petroff[8].min()


def test_widths_are_those_of_columns_and_pages():
    assert get_style("paper").column < 3.6
    assert 6.5 < get_style("paper").full < 7.3
    assert get_style("talk").full > 12


def test_an_unknown_style_is_answered_with_the_nearest():
    with pytest.raises(UnknownName, match="Unknown style 'papper'. Did you mean 'paper'"), vaeviz.style("papper"):
        pass


@pytest.mark.parametrize(
    ("page", "aspect", "shape"), [(PageShape("column", 0.5), None, 0.5), (PageShape("full", 0.25), None, 0.25)]
)
def test_a_new_figure_has_the_shape_of_the_page(registered, page, aspect, shape):
    @register_plot(page=page)
    def mine(encoder, *, ax=None):
        """Mine."""

    width, height = figure_for(mine, aspect).get_size_inches()
    assert height / width == pytest.approx(shape)


def test_a_new_figure_has_the_shape_of_its_content_where_the_page_has_none(registered):
    @register_plot(page=PageShape("column", None))
    def mine(encoder, *, ax=None):
        """Mine."""

    low, high = (axes_for(mine, aspect).figure.get_size_inches() for aspect in (0.5, 2.0))
    assert low[0] == high[0]
    assert high[1] - low[1] == pytest.approx(1.5 * low[0])
    assert len(plt.get_fignums()) == 2


@pytest.mark.parametrize("style", ["paper", "talk"])
@pytest.mark.parametrize("seed", [3, 22])
def test_ticks_that_change_with_the_layout_find_room_on_a_page(style, seed):
    classes = np.arange(600) % 10
    points = np.random.default_rng(seed).normal(size=(600, 4))
    points[:, :2] += 2 * np.column_stack([np.cos(classes), np.sin(1.7 * classes)])
    names = np.array([f"{letter} marshes and floodplains" for letter in "abcdefghij"])[classes]
    inputs = {"encoder": Posterior(points, np.full_like(points, 0.3), "normal"), "x": points, "labels": names}
    with vaeviz.style(style):
        figure = draw_figure(get_plot("latent_scatter"), inputs, {}, get_style(style))
        FigureCanvasAgg(figure).draw()
    assert figure.axes[0].get_tightbbox().x0 >= 0
