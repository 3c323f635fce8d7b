import matplotlib
import pytest
from matplotlib import pyplot as plt

import vaeviz
from vaeviz.drawing.places import axes_for, figure_for
from vaeviz.drawing.styles import STYLES, get_style
from vaeviz.errors import UnknownName
from vaeviz.plot import Page, register_plot


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
def test_fonts_are_embedded_as_truetype_and_colours_are_petroff10(name):
    with vaeviz.style(name):
        assert matplotlib.rcParams["pdf.fonttype"] == matplotlib.rcParams["ps.fonttype"] == 42
        colours = matplotlib.rcParams["axes.prop_cycle"].by_key()["color"]
    petroff = matplotlib.color_sequences["petroff10"]
    assert [matplotlib.colors.to_hex(colour) for colour in colours] == [matplotlib.colors.to_hex(c) for c in petroff]


def test_widths_are_those_of_columns_and_pages():
    assert get_style("paper").column < 3.6
    assert 6.5 < get_style("paper").full < 7.3
    assert get_style("talk").full > 12


def test_an_unknown_style_is_answered_with_the_nearest():
    with pytest.raises(UnknownName, match="unknown style 'papper'; did you mean 'paper'"), vaeviz.style("papper"):
        pass


@pytest.mark.parametrize(
    ("page", "aspect", "shape"), [(Page("column", 0.5), None, 0.5), (Page("full", 0.25), None, 0.25)]
)
def test_a_new_figure_has_the_shape_of_the_page(registered, page, aspect, shape):
    @register_plot(page=page)
    def mine(encoder, *, ax=None):
        """Mine."""

    width, height = figure_for(mine, aspect).get_size_inches()
    assert height / width == pytest.approx(shape)


def test_a_new_figure_has_the_shape_of_its_content_where_the_page_has_none(registered):
    @register_plot(page=Page("column", None))
    def mine(encoder, *, ax=None):
        """Mine."""

    low, high = (axes_for(mine, aspect).figure.get_size_inches() for aspect in (0.5, 2.0))
    assert low[0] == high[0]
    assert high[1] - low[1] == pytest.approx(1.5 * low[0])
    assert len(plt.get_fignums()) == 2
