"""Styles for print and slides."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

import vaeviz
from vaeviz.drawing.styles import CLASS_COLORS, STYLES, get_style
from vaeviz.errors import UnknownName

VISIONS = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
"""Linear RGB as seen with color vision deficiencies (Machado et al. 2009, severity 1)."""


def test_style_applies_inside_the_block_only():
    before = dict(matplotlib.rcParams)
    with vaeviz.style("talk") as style:
        assert style is STYLES["talk"]
        assert matplotlib.rcParams["font.size"] == 16
    assert dict(matplotlib.rcParams) == before


def test_rcparams_are_restored_after_an_error():
    before = dict(matplotlib.rcParams)
    with pytest.raises(RuntimeError), vaeviz.style("paper"):
        raise RuntimeError
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize("name", STYLES)
def test_fonts_are_truetype_and_lines_have_class_colors(name):
    with vaeviz.style(name):
        assert matplotlib.rcParams["pdf.fonttype"] == matplotlib.rcParams["ps.fonttype"] == 42
        colors = matplotlib.rcParams["axes.prop_cycle"].by_key()["color"]
    assert tuple(colors) == CLASS_COLORS


def color_distances(colors, vision, opacity):
    """Return CIELAB differences between colors on white (C, C), infinite on the diagonal."""
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
def test_class_colors_differ_at_least_as_much_as_petroff10(vision, opacity):
    petroff = color_distances(matplotlib.color_sequences["petroff10"], vision, opacity)
    own = color_distances(CLASS_COLORS, vision, opacity)
    assert own.min() >= petroff.min()
    assert own[8].min() > 1.3 * petroff[8].min()


def test_widths_fit_columns_and_pages():
    assert get_style("paper").column < 3.6
    assert 6.5 < get_style("paper").full < 7.3
    assert get_style("talk").full > 12


def test_unknown_style_is_an_error():
    with pytest.raises(UnknownName) as caught, vaeviz.style("papper"):
        pass
    assert (caught.value.got, caught.value.expected) == ("papper", "paper, talk")


@pytest.mark.parametrize("name", ["paper", "talk"])
def test_figures_saved_inside_a_style_have_its_resolution(tmp_path, name):
    with vaeviz.style(name) as style:
        figure = Figure(figsize=(1, 1))
        figure.savefig(tmp_path / "figure.png")
    assert plt.imread(tmp_path / "figure.png").shape[0] == style.dpi
