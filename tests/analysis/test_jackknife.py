import numpy as np
import pytest

from vaeviz.analysis.estimates import standard_error
from vaeviz.analysis.jackknife import jackknife_error


def test_jackknife_error_of_a_mean_is_near_its_standard_error():
    values = np.random.default_rng(0).standard_normal(60)
    error = jackknife_error(lambda rows: values[rows].mean(), 60, n_groups=30, seed=0)
    assert error == pytest.approx(standard_error(values), rel=0.4)


def test_jackknife_error_of_several_statistics_has_their_shape():
    values = np.random.default_rng(0).standard_normal((60, 2))
    assert jackknife_error(lambda rows: values[rows].mean(axis=0), 60, n_groups=20, seed=0).shape == (2,)


def test_error_is_unknown_for_fewer_than_two_samples_per_group():
    assert np.isnan(jackknife_error(lambda rows: rows.mean(), 5, n_groups=3, seed=0))
    assert np.isnan(jackknife_error(lambda rows: rows[:2], 5, n_groups=3, seed=0)).all()
