"""Filled outlines are drawn with the area that they cover of each pixel."""

import numpy as np
import pytest
from matplotlib.path import Path

from vaeviz_models.datasets.outlines import PAGE_IMAGES, draw_outlines


def box(left, bottom, right, top):
    return Path([(left, bottom), (right, bottom), (right, top), (left, top), (left, bottom)], closed=True)


@pytest.mark.parametrize("count", [1, 3])
def test_gray_levels_are_shares_of_pixels(count):
    images = draw_outlines([box(-1.25, -2, 1, 0.5)] * count, 6)
    expected = np.zeros((6, 6))
    expected[2:5, 1:4] = np.outer((0.5, 1, 1), (0.25, 1, 1))
    assert images.dtype == np.uint8
    for image in images:
        np.testing.assert_allclose(image, 255 * expected, atol=1.5)


def test_images_of_several_pages_keep_their_order():
    widths = np.arange(PAGE_IMAGES + 5) % 5
    images = draw_outlines([box(0, 0, width, 1) for width in widths], 10)
    np.testing.assert_array_equal(images.sum(axis=(1, 2)), 255 * widths)


def test_what_reaches_into_the_margin_is_cut_off_and_not_drawn_beside():
    first, second = draw_outlines([box(0, 0, 5, 1), box(-1, 0, 0, 1)], 6, margin=2)
    assert (first.sum(), second.sum()) == (3 * 255, 255)


def test_a_line_along_an_outline_reaches_half_its_width_outside():
    images = draw_outlines([box(-1, -1, 1, 1)] * 2, 8, strokes=np.array([0, 2]))
    np.testing.assert_array_equal(images[:, 4].sum(axis=1), (2 * 255, 4 * 255))
