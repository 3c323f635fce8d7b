"""Scales of samples."""

import numpy as np
import pytest

from vaeviz.drawing.sample_style import sample_style, shared_range

RNG = np.random.default_rng(0)


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
def test_shared_range(values, expected):
    assert shared_range(np.array(values)) == pytest.approx(expected)


def test_rare_outlier_does_not_change_the_range():
    values = np.concatenate([np.linspace(0, 1, 1000), [3.0]])
    assert shared_range(values) == (0, 1)


def test_value_range_follows_the_data():
    assert sample_style(RNG.random((20, 4)) > 0.5).value_range == (0, 1)
    assert sample_style(None).value_range is None
    assert sample_style(RNG.random((5000, 4)) * 9 - 4).value_range == pytest.approx((-4, 5), abs=0.1)


def test_range_of_a_table_ignores_outliers():
    x = np.concatenate([RNG.standard_normal((999, 5)), np.full((1, 5), 1e4)]).astype(np.float32)
    assert max(map(abs, sample_style(x).value_range)) < 4
    assert sample_style(x, kind="signal").value_range[1] == 1e4


def test_features_with_different_spans_are_scaled_separately():
    x = RNG.random((500, 3)) * [1, 1000, 5] + [0, 300, 0]
    style = sample_style(x)
    assert style.has_feature_scales((3,))
    shares = style.scaled(x, n_leading_axes=1)
    np.testing.assert_allclose(np.quantile(shares, (0.005, 0.995), axis=0), [[0] * 3, [1] * 3], atol=1e-5)
    assert style.range_for(shares, (3,)) == (0, 1)
    assert not sample_style(x, kind="signal").has_feature_scales((3,))
    assert not sample_style(x[:, [0, 2]]).has_feature_scales((2,))
    constant = sample_style(np.column_stack([x, np.full(500, 7.0)]))
    np.testing.assert_allclose(constant.scaled(np.array([[0, 300, 0, 7.0]]), n_leading_axes=1)[0, 3], 0.5)
