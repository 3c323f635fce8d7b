"""Memory stays bounded for 5,000 importance samples of 10,000 images and mixtures of 60,000 posteriors."""

import importlib
import tracemalloc
from functools import partial

import numpy as np
import pytest

from vaeviz import Encoder, Model, NotApplicable, Posterior, likelihood_bound
from vaeviz.analysis import aggregate_posterior as aggregate
from vaeviz.analysis import disentanglement as scores
from vaeviz.analysis.active_dimensions import active_dimensions
from vaeviz.analysis.aggregate_posterior import (
    aggregate_quantiles,
    grid_density,
    log_aggregate,
    log_aggregate_and_marginals,
)
from vaeviz.analysis.factors import as_factors
from vaeviz.analysis.importance_bound import importance_bound
from vaeviz.analysis.rate_distortion import measure_rate_point
from vaeviz.model.encode import with_posterior

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


@pytest.mark.parametrize("has_std", [True, False])
def test_quantiles_of_many_posteriors_copy_one_dimension_at_a_time(has_std):
    posterior = posterior_of(20_000, size=64)
    posterior = posterior if has_std else Posterior(posterior.mean)
    aggregate_quantiles(posterior[:2], (0.5,))  # imports
    assert peak(lambda: aggregate_quantiles(posterior, (0.5,))) < posterior.mean.nbytes / 4


def test_rate_and_distortion_of_many_samples_are_measured_in_batches():
    posterior, x = posterior_of(50_000, size=64), np.zeros((50_000, 1), np.float32)
    encoder = with_posterior(Encoder(lambda x: x, returns="mean"), x, posterior)
    model = Model(encoder, inputs={"likelihood": likelihood})
    assert peak(lambda: measure_rate_point(model, x, n_draws=1)) < posterior.mean.nbytes / 2


def test_disentanglement_copies_the_chosen_samples_alone(monkeypatch):
    plots = importlib.import_module("vaeviz.plots.disentanglement")
    posterior, x, factors = posterior_of(50_000, size=64), np.zeros((50_000, 1), np.float32), np.arange(50_000)[:, None]
    encoder = with_posterior(Encoder(lambda x: x, returns="mean"), x, posterior)

    def stop(codes, *args, **settings):  # forests take long while allocations are traced
        assert codes.shape == (50, 2)
        raise NotApplicable("The codes are chosen.")

    monkeypatch.setattr(plots, "disentanglement_scores", stop)

    def draw():
        with pytest.raises(NotApplicable, match="chosen"):
            plots.disentanglement(encoder, x, factors % 2, max_points=50, max_dims=2)

    draw()  # imports
    assert peak(draw) < posterior.mean.nbytes / 2


def test_scores_of_disentanglement_copy_a_subsample_alone(monkeypatch):
    def stop(codes, *args):  # forests take long while allocations are traced
        assert codes.shape == (50, 64)
        raise NotApplicable("The codes are chosen.")

    monkeypatch.setattr(scores, "_check_scorable", stop)
    codes, factors = posterior_of(50_000, size=64).mean, as_factors(np.arange(50_000)[:, None] % 2, 50_000)

    def score():
        with pytest.raises(NotApplicable, match="chosen"):
            scores.disentanglement(codes, factors, max_points=50)

    assert peak(score) < codes.nbytes / 10


def test_a_notebook_shows_many_posteriors_after_one_pass_in_blocks():
    posterior = posterior_of(400_000)
    assert peak(posterior._repr_html_) < 6 * MEGABYTE


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


def test_the_plot_of_bounds_reads_only_the_samples_that_it_scores(tmp_path):
    """20,000 images need 63 MB as float32, and 100 of them are scored by default."""
    np.save(tmp_path / "x.npy", np.zeros((20_000, 28, 28), np.uint8))
    x, posterior = np.load(tmp_path / "x.npy", mmap_mode="r"), posterior_of(20_000)
    plot = partial(likelihood_bound, posterior, x, lambda x, z: -(z[:, 0] ** 2), n_draws=500)
    plot()  # imports
    assert peak(plot) < 20 * MEGABYTE
