"""Images of shapes: their factors do what they say, and the full grid is drawn as it is read."""

import numpy as np
import pytest

from vaeviz.analysis.factors import as_factors
from vaeviz.data.loading import load_data
from vaeviz.errors import NoSuchSplit, UnknownName
from vaeviz_models.datasets.shapes import GRID, ShapeGrid

PIXELS = np.arange(64) + 0.5


@pytest.fixture(scope="module")
def test_split():
    return load_data("shapes")


@pytest.fixture(scope="module")
def grid():
    return ShapeGrid()


def image(grid, shape=0, scale=5, orientation=0, x=15, y=15):
    """One image of the grid, by the place of each factor, from 0 to 1."""
    return grid[np.ravel_multi_index(([shape], [scale], [orientation], [x], [y]), GRID)][0] / 255


def moment_angle(image):
    """Angle of the longest axis to the left of horizontal, in degrees from -90 to 90."""
    x, y = PIXELS - image.sum(axis=0) @ PIXELS / image.sum(), image.sum(axis=1) @ PIXELS / image.sum() - PIXELS
    xx, yy, xy = image.sum(axis=0) @ x**2, image.sum(axis=1) @ y**2, y @ image @ x
    return np.rad2deg(0.5 * np.arctan2(2 * xy, xx - yy))


def test_shapes_are_images_with_labels_and_factors(test_split):
    assert test_split.x.shape == (2000, 64, 64)
    assert (test_split.x.dtype, test_split.x.min(), test_split.x.max()) == (np.float32, 0, 1)
    assert test_split.class_names == ("square", "ellipse", "heart")
    assert test_split.factor_names == ("shape", "scale", "orientation", "x", "y")
    assert np.array_equal(test_split.named_labels()[:], test_split.factors["shape"])
    assert test_split.factors.nunique().tolist() == [3, 6, 40, 32, 32]


def test_positions_are_centers_of_mass(test_split):
    mass = test_split.x.sum(axis=(1, 2))
    column, row = (test_split.x.sum(axis=axis) @ PIXELS / mass for axis in (1, 2))
    np.testing.assert_allclose(column, 16.5 + 31 * test_split.factors["x"], atol=0.05)
    np.testing.assert_allclose(row, 16.5 + 31 * test_split.factors["y"], atol=0.05)


def test_all_shapes_of_a_scale_have_one_area(test_split):
    area = test_split.x.sum(axis=(1, 2))
    np.testing.assert_allclose(area, 400 * test_split.factors["scale"] ** 2, rtol=0.02)


@pytest.mark.parametrize("place", [0, 3, 10, 17])
def test_orientation_turns_an_ellipse_to_the_left(grid, place):
    difference = moment_angle(image(grid, shape=1, orientation=place)) - 9 * place
    assert (difference + 90) % 180 - 90 == pytest.approx(0, abs=0.3)


def test_a_heart_has_its_tip_at_the_bottom_and_turns_all_the_way_round(grid):
    heart, turned = image(grid, shape=2), image(grid, shape=2, orientation=20)
    rows = np.flatnonzero(heart.max(axis=1) > 0.5)
    assert heart[rows[0]].sum() > heart[rows[-1]].sum()
    np.testing.assert_allclose(heart[:63, :63], turned[62::-1, 62::-1], atol=0.05)


def test_shapes_are_scored_as_classes_and_orientations_have_no_order(test_split):
    kinds = [factor.is_nominal for factor in as_factors(test_split.factors, 2000)]
    assert kinds == [True, False, True, False, False]


def test_the_splits_share_no_image(test_split):
    everything = load_data("shapes", split="all")
    assert not everything.factors.duplicated().any()
    assert everything.factors[10000:].reset_index(drop=True).equals(test_split.factors)
    np.testing.assert_array_equal(everything.x[10000:], test_split.x)


def test_the_full_set_is_every_combination_once_and_not_in_memory():
    full = load_data("shapes:full")
    assert full.x.shape == (737280, 64, 64)
    assert full.factors.iloc[[0, 1, -1]].values.tolist() == [
        ["square", 0.5, 0, 0, 0],
        ["square", 0.5, 0, 0, 1 / 31],
        ["heart", 1, 351, 1, 1],
    ]
    assert not full.factors.duplicated().any()
    rows = np.array([5, 700_000, 700_001])
    np.testing.assert_array_equal(full.x[rows], ShapeGrid()[rows] / np.float32(255))
    assert len(full[10:30]) == 20


def test_a_sampled_image_is_the_one_of_its_factors(test_split, grid):
    row = test_split.factors.iloc[7]
    places = [
        test_split.class_names.index(row["shape"]),
        round(10 * row["scale"]) - 5,
        int(row["orientation"]) // 9,
        round(31 * row["x"]),
        round(31 * row["y"]),
    ]
    np.testing.assert_allclose(test_split.x[7], image(grid, *places), atol=1e-6)


def test_the_full_set_has_no_splits():
    with pytest.raises(NoSuchSplit) as raised:
        load_data("shapes:full", split="train")
    assert raised.value.fix.python == 'Pass split="all".'


def test_an_unknown_variant_lists_the_known_ones():
    with pytest.raises(UnknownName) as raised:
        load_data("shapes:ful")
    assert raised.value.expected == "ellipses, full, sample"


def test_ellipses_are_where_and_as_large_as_their_factors_say():
    data = load_data("shapes:ellipses")
    assert data.x.shape == (2000, 32, 32)
    assert data.factor_names == ("scale", "x", "y")
    np.testing.assert_array_equal(data.labels, data.factors["x"])
    mass, pixels = data.x.sum(axis=(1, 2)), np.arange(32) - 15.5
    np.testing.assert_allclose(mass, 100 * data.factors["scale"] ** 2, rtol=0.03)
    for name, axis in (("x", 1), ("y", 2)):
        np.testing.assert_allclose(data.x.sum(axis=axis) @ pixels / mass, data.factors[name], atol=0.05)


def test_parts_of_the_ellipses_share_no_image():
    parts = [load_data("shapes:ellipses", split=split) for split in ("train", "test", "all")]
    assert [len(part) for part in parts] == [10_000, 2_000, 12_000]
    np.testing.assert_array_equal(np.concatenate([parts[0].x, parts[1].x]), parts[2].x)
    assert len(np.unique(parts[2].factors, axis=0)) == 12_000
