import numpy as np
import pytest

from vaeviz.analysis.jackknife import jackknife_error, mean_standard_error

RNG = np.random.default_rng(0)


def test_the_error_of_a_mean():
    assert mean_standard_error(np.array([1.0, 3.0])) == pytest.approx(1.0)
    np.testing.assert_allclose(mean_standard_error(np.array([[1.0, 5.0], [3.0, 5.0]])), [1, 0])
    assert np.isnan(mean_standard_error(np.array([1.0])))


def test_the_jackknife_of_a_mean_with_groups_of_one_is_its_standard_error():
    values = RNG.standard_normal(60)
    error = jackknife_error(lambda rows: values[rows].mean(), 60, groups=30, seed=0)
    assert error == pytest.approx(mean_standard_error(values), rel=0.4)
    values = np.repeat(values, 2)
    alone = np.sqrt(119 / 120 * ((values - values.mean()) ** 2).sum() / 119**2)
    assert alone == pytest.approx(values.std(ddof=1) / np.sqrt(120))


def test_too_few_samples_have_no_jackknife_error():
    assert np.isnan(jackknife_error(lambda rows: rows.mean(), 5, groups=3, seed=0))
    assert np.isnan(jackknife_error(lambda rows: rows[:2], 5, groups=3, seed=0)).all()
