import warnings

import numpy as np
import pytest

from vaeviz import Posterior
from vaeviz.analysis.shared_estimates import MAX_KEPT, share_estimates, shared_estimate


@pytest.fixture
def counted():
    """An estimate that warns, and the list of its calls."""
    calls = []

    @shared_estimate
    def total(posterior, *, power=1):
        calls.append(power)
        warnings.warn("This is a sum.", UserWarning, stacklevel=2)
        return float((posterior.mean**power).sum())

    return total, calls


def posterior_of(value):
    return Posterior(np.full((3, 2), value))


def test_equal_posteriors_share_a_result_and_its_warnings(counted):
    total, calls = counted
    with share_estimates():
        for _ in range(2):
            with pytest.warns(UserWarning, match="sum"):
                assert total(posterior_of(1.0)) == 6
    assert calls == [1]


def test_other_posteriors_and_settings_have_results_of_their_own(counted):
    total, calls = counted
    mean = np.ones((3, 2))
    with share_estimates(), pytest.warns(UserWarning):
        found = [total(posterior_of(2.0), power=power) for power in (1, 2)]
        found += [total(posterior_of(1.0)), total(Posterior(mean.T)), total(Posterior(mean, mean))]
    assert found == [12, 24, 6, 6, 6]
    assert len(calls) == 5


def test_nothing_is_kept_outside_of_the_block(counted):
    total, calls = counted
    with pytest.warns(UserWarning):
        total(posterior_of(1.0))
        with share_estimates():
            total(posterior_of(1.0))
        total(posterior_of(1.0))
    assert len(calls) == 3


def test_the_oldest_results_are_dropped(counted):
    total, calls = counted
    with share_estimates(), pytest.warns(UserWarning):
        for value in (*range(MAX_KEPT + 1), MAX_KEPT, 0):
            total(posterior_of(float(value)))
    assert len(calls) == MAX_KEPT + 2
