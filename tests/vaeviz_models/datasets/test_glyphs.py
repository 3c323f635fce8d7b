"""Images of characters: their factors do what they say, and they are drawn once."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from vaeviz.analysis.factors import as_factors
from vaeviz.data.loading import load_data
from vaeviz.errors import UnknownName
from vaeviz_models.datasets import glyphs
from vaeviz_models.datasets.glyphs import FACTOR_RANGES, FONTS, draw_glyphs


@pytest.fixture(scope="module", autouse=True)
def _few_samples(tmp_path_factory):
    """Draw fewer images, into a cache of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAEVIZ_DATA", str(tmp_path_factory.mktemp("cache")))
        patch.setattr(glyphs, "N_TRAIN", 2000)
        patch.setattr(glyphs, "N_TEST", 400)
        yield


@pytest.fixture(scope="module")
def data():
    return load_data("glyphs", split="all")


def draw(*changes, character="4", font="DejaVu Sans"):
    """Draw a plain character for each set of factors that differ from it."""
    plain = {"character": character, "font": font, "stroke": 0, "slant": 0, "rotation": 0, "scale": 1, "x": 0, "y": 0}
    return draw_glyphs(pd.DataFrame([plain | change for change in changes])) / 255


def centroid(image):
    """Column and row of the center of mass, in pixels."""
    rows, columns = np.indices(image.shape)
    return np.array([(image * columns).sum(), (image * rows).sum()]) / image.sum()


def moment_angle(image):
    """Angle of the longest axis to the left of upright, in degrees."""
    rows, columns = np.indices(image.shape)
    x, y = columns - centroid(image)[0], centroid(image)[1] - rows
    xx, yy, xy = ((image * product).sum() for product in (x * x, y * y, x * y))
    return np.rad2deg(0.5 * np.arctan2(-2 * xy, yy - xx))


def test_characters_are_images_with_labels_and_factors(data):
    assert data.x.shape == (2400, 28, 28)
    assert (data.x.dtype, data.x.min(), data.x.max()) == (np.float32, 0, 1)
    assert data.class_names == tuple("0123456789")
    assert data.factor_names == ("character", "font", "stroke", "slant", "rotation", "scale", "x", "y")
    assert (data.factors["character"].astype(int) == data.labels).all()


def test_no_character_is_cut_off(data):
    assert data.x[:, [0, -1]].max() == data.x[:, :, [0, -1]].max() == 0


def test_the_splits_share_no_image(data):
    train, test = (load_data("glyphs", split=split) for split in ("train", "test"))
    assert (len(train), len(test)) == (2000, 400)
    np.testing.assert_array_equal(np.concatenate([train.x, test.x]), data.x)
    assert not data.factors.duplicated().any()


def test_factors_are_uniform_and_independent(data):
    numbers = data.factors[list(FACTOR_RANGES)]
    for name, (low, high) in FACTOR_RANGES.items():
        quantiles = np.quantile(numbers[name], [0, 0.25, 0.5, 0.75, 1])
        np.testing.assert_allclose(quantiles, np.linspace(low, high, 5), atol=0.05 * (high - low))
    ranks = pd.DataFrame({name: data.factors[name].cat.codes for name in ("character", "font")}).join(numbers)
    correlation = ranks.corr().to_numpy()[~np.eye(8, dtype=bool)]
    assert abs(correlation).max() < 4 / np.sqrt(2400)
    counts = pd.crosstab(data.factors["character"], data.factors["font"])
    assert counts.shape == (10, len(FONTS))
    assert counts.min(axis=None) > 0


def test_characters_and_fonts_are_scored_as_classes(data):
    kinds = [factor.is_nominal for factor in as_factors(data.factors, len(data))]
    assert kinds == [True, True, False, False, False, False, False, False]


def test_shifts_by_whole_pixels_move_the_image():
    plain, moved = draw({}, {"x": 3, "y": 2})
    np.testing.assert_array_equal(moved, np.roll(plain, (2, 3), axis=(0, 1)))


def test_shifts_move_the_center_of_mass_by_as_many_pixels():
    plain, moved = draw({}, {"x": 1.5, "y": 0.25})
    np.testing.assert_allclose(centroid(moved) - centroid(plain), (1.5, 0.25), atol=0.05)


@pytest.mark.parametrize("angle", [-20, 7, 20])
def test_rotation_turns_the_longest_axis_to_the_left(angle):
    plain, turned = draw({}, {"rotation": angle}, character="0")
    assert moment_angle(plain) == pytest.approx(0, abs=0.1)
    assert moment_angle(turned) == pytest.approx(angle, abs=0.2)


def test_slant_moves_rows_to_the_right_in_proportion_to_their_height():
    plain, slanted = draw({}, {"slant": 20}, character="0")
    columns = np.arange(28)
    middles = [(image[6:22] @ columns) / image[6:22].sum(axis=1) for image in (plain, slanted)]
    shift_per_row = np.polyfit(-np.arange(16), middles[1] - middles[0], 1)[0]
    assert shift_per_row == pytest.approx(np.tan(np.deg2rad(20)), abs=0.01)


def test_scale_multiplies_lengths():
    images = draw({"scale": 0.5}, {"scale": 1}, {"scale": 1.25}, character="8")
    areas = images.sum(axis=(1, 2))
    np.testing.assert_allclose(areas / areas[1], (0.25, 1, 1.5625), rtol=0.01)


def test_a_stroke_widens_the_outline_by_half_its_width_on_each_side():
    plain, bold = draw({}, {"stroke": 1}, character="I")
    width, height = plain[14].sum(), plain[:, 14].sum()
    assert bold[14].sum() == pytest.approx(
        width + 1, abs=0.15
    )  # both edges of a line are drawn over those of the inside
    assert bold[:, 14].sum() == pytest.approx(height + 1, abs=0.15)


def test_every_font_draws_every_character_in_its_own_way():
    pairs = [{"character": character, "font": font} for font, character in product(FONTS, "0123456789")]
    images = draw(*pairs)
    assert len(np.unique(images.reshape(len(pairs), -1), axis=0)) == len(pairs)


def test_images_from_the_cache_equal_those_drawn_afresh(data, tmp_path, monkeypatch):
    monkeypatch.setattr(glyphs, "N_TRAIN", 40)
    monkeypatch.setattr(glyphs, "N_TEST", 10)
    monkeypatch.setenv("VAEVIZ_DATA", str(tmp_path))
    fresh = glyphs.glyphs(split="all")
    (file,) = tmp_path.iterdir()
    monkeypatch.setattr(glyphs, "draw_glyphs", None)
    cached = glyphs.glyphs(split="all")
    np.testing.assert_array_equal(fresh.x, cached.x)
    pd.testing.assert_frame_equal(fresh.factors, cached.factors)
    np.testing.assert_array_equal(np.load(file) / np.float32(255), fresh.x)


def test_letters_are_another_data_set(tmp_path, monkeypatch):
    monkeypatch.setattr(glyphs, "N_TRAIN", 40)
    monkeypatch.setattr(glyphs, "N_TEST", 60)
    monkeypatch.setenv("VAEVIZ_DATA", str(tmp_path))
    letters = load_data("glyphs:letters")
    assert letters.x.shape == (60, 28, 28)
    assert letters.class_names == tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def test_an_unknown_alphabet_lists_the_known_ones():
    with pytest.raises(UnknownName) as raised:
        load_data("glyphs:leters")
    assert raised.value.expected == "digits, letters"
    assert "letters" in raised.value.fix.python
