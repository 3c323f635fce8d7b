"""Memory stays bounded for 5,000 importance samples of 10,000 images and mixtures of 60,000 posteriors."""

import tracemalloc

import numpy as np
import pytest

from vaeviz import Posterior
from vaeviz.analysis import aggregate_posterior as aggregate
from vaeviz.analysis.active_dimensions import active_dimensions
from vaeviz.analysis.aggregate_posterior import grid_density, log_aggregate, log_aggregate_and_marginals
from vaeviz.analysis.importance_bound import importance_bound

MEGABYTE = 1 << 20


def peak(work):
    """Return the peak memory that `work` allocates, in bytes."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def posterior_of(total, size=8):
    mean = np.random.default_rng(0).standard_normal((total, size)).astype(np.float32)
    return Posterior(mean, np.full((total, size), 0.3, np.float32), "normal")


def likelihood(x, z):
    return -x[:, 0] * z[:, 0] ** 2


def test_importance_bound_scores_few_pairs_at_once():
    """All pairs of 40 images and 2,000 samples need 250 MB; twice the images or samples need no more memory."""
    x = np.random.default_rng(0).random((80, 784), dtype=np.float32)

    def allocated(images, n_draws):
        posterior = posterior_of(images)
        return peak(lambda: importance_bound(likelihood, x[:images], posterior, n_draws=n_draws, max_evaluations=None))

    fewest = allocated(40, 1000)
    assert fewest < 30 * MEGABYTE
    assert allocated(80, 1000) < 1.3 * fewest
    assert allocated(40, 2000) < 1.3 * fewest


@pytest.mark.parametrize(
    "work",
    [
        lambda z, q: log_aggregate(z, q),
        lambda z, q: log_aggregate_and_marginals(z, q),
        lambda z, q: grid_density(q, (0, 1), (np.linspace(-3, 3, 200),) * 2),
    ],
)
def test_mixture_of_many_posteriors_is_scored_in_blocks(work):
    """All pairs of 100 codes and 60,000 posteriors need 48 MB per array; a block needs less than 1 MB."""
    z, posterior = np.random.default_rng(1).standard_normal((100, 2)), posterior_of(60_000, size=2)
    assert peak(lambda: work(z, posterior)) < 48 * MEGABYTE


def test_active_dimensions_of_many_posteriors_are_found_in_blocks():
    """The posteriors hold 2 × 13 MB; in float64 each array would be twice as large."""
    posterior = posterior_of(400_000)
    assert peak(lambda: active_dimensions(posterior)) < 6 * MEGABYTE


def test_progress_bar_counts_the_scored_codes(monkeypatch):
    calls = []

    class Bar:
        def __init__(self, **settings):
            calls.append(settings)

        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

        def update(self, rows):
            calls.append(rows)

    monkeypatch.setattr("tqdm.tqdm", Bar)
    monkeypatch.setattr(aggregate, "MAX_BLOCK_PAIRS", 40)
    log_aggregate(np.zeros((10, 8)), posterior_of(10))
    settings, *steps = calls
    assert (settings["desc"], settings["total"], settings["delay"]) == ("mixing posteriors", 10, 2)
    assert steps == [4, 4, 2]
