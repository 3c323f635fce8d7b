"""Coverage of the printed standard errors over 200 repeats, each with other samples, codes and seeds."""

import math

import numpy as np
import pytest

from vaeviz import Posterior
from vaeviz.analysis.class_structure import class_structure
from vaeviz.analysis.disentanglement import disentanglement
from vaeviz.analysis.elbo_decomposition import elbo_terms
from vaeviz.analysis.estimates import Estimate
from vaeviz.analysis.importance_bound import importance_bound
from vaeviz.analysis.linear_vae import linear_vae
from vaeviz.analysis.map_quality import MEASURES, map_quality
from vaeviz.analysis.mmd import mmd_test, shifted_mmd
from vaeviz.analysis.prior_holes import find_holes
from vaeviz.analysis.similarity import code_similarity

pytestmark = pytest.mark.slow

N_REPEATS = 200


def standard(rng, total, size, std, shift=0.0):
    """Return N posteriors whose mixture is a sample of N(shift, I)."""
    mean = shift + math.sqrt(1 - std**2) * rng.standard_normal((total, size))
    return Posterior(mean, np.full(mean.shape, std), "normal")


def check_coverage(estimates, truth, least=0.90, most=0.99):
    """Assert that ±2 standard errors cover the truth as often as they claim; binomial errors of 200 repeats allowed."""
    values, errors = np.array([(estimate.value, estimate.standard_error) for estimate in estimates]).T
    coverage = (np.abs(values - truth) <= 2 * errors).mean()
    allowed = 2 * math.sqrt(0.05 * 0.95 / len(values))
    assert least - allowed <= coverage <= min(most + allowed, 1), (coverage, values.mean(), values.std(), errors.mean())


@pytest.mark.parametrize(
    ("size", "std", "shift"), [(1, 0.7, 0), (1, 0.2, 0.5), (2, 0.4, 0), (2, 0.4, 0.5), (5, 0.7, 0), (2, 1e-4, 0.3)]
)
def test_terms_of_the_kl(size, std, shift):
    found = []
    for seed in range(N_REPEATS):
        posterior = standard(np.random.default_rng((seed, 1)), 600, size, std, shift)
        found.append(elbo_terms(posterior, n_codes=300, seed=seed))
    dimension_kl, information = shift**2 / 2, -size * math.log(std)
    check_coverage([terms.exact_kl for terms in found], information + size * dimension_kl)
    check_coverage([terms.kl for terms in found], information + size * dimension_kl)
    check_coverage([terms.dimension_kl_sum for terms in found], size * dimension_kl)
    if std < 0.01:
        assert all(terms.saturated and terms.dimension_kl_by_spacings.all() for terms in found)
        return
    assert not any(terms.saturated for terms in found)
    check_coverage([terms.mutual_information for terms in found], information)
    if size > 1:
        check_coverage([terms.total_correlation for terms in found], 0)


def test_mmd_of_equal_and_of_shifted_samples():
    for shift in (0, 0.5):
        found = []
        for seed in range(N_REPEATS):
            a, b = np.random.default_rng(seed).standard_normal((2, 150, 2))
            found.append(mmd_test(a, b + [shift, 0], length=1.5, n_permutations=50, seed=seed).squared)
        check_coverage(found, shifted_mmd(shift, 2, 1.5))


def test_importance_bound_of_the_exact_posterior():
    model = linear_vae(np.diag([4.0, 2.0, 0.5]), 2)
    found = []
    for seed in range(N_REPEATS):
        x = np.random.default_rng(seed).standard_normal((60, 3)) * np.sqrt([4, 2, 0.5])
        mean, log_var = model.encode(x)
        bound = importance_bound(model.log_likelihood, x, Posterior(mean, np.exp(log_var / 2), "normal"), n_draws=5)
        found.append(bound)
    last = [Estimate(float(bound.mean[-1]), float(bound.mean_error[-1])) for bound in found]
    check_coverage(last, model.mean_log_likelihood)


def test_prior_mass_in_holes():
    found = [
        find_holes(standard(np.random.default_rng((seed, 2)), 600, 2, 0.5), n_codes=400, seed=seed).scores[0].mass
        for seed in range(N_REPEATS)
    ]
    check_coverage(found, 0.01, least=0.85)


@pytest.fixture(scope="module")
def related_points():
    """Pairs of 200 points in three dimensions and noisy linear images of them, one pair for each repeat."""
    mixing = np.array([[1, 0.2, 0], [0, 1, 0.3], [0.1, 0, 1]])
    rngs = [np.random.default_rng((seed, 3)) for seed in range(N_REPEATS)]
    points = [rng.standard_normal((200, 3)) for rng in rngs]
    return [(x, x @ mixing + 0.7 * rng.standard_normal(x.shape)) for x, rng in zip(points, rngs)]


def check_spread(estimates):
    """Assert coverage of the mean over all repeats, for statistics whose truth is not known in closed form."""
    check_coverage(estimates, np.mean([estimate.value for estimate in estimates]))


def test_neighborhoods_on_a_map(related_points):
    found = [map_quality(x, y[:, :2]) for x, y in related_points]
    for measure in MEASURES:
        check_spread([Estimate(quality.mean(measure)[0], quality.error(measure)[0]) for quality in found])


def test_similarity_of_codes(related_points):
    found = [code_similarity(x, y, seed=seed) for seed, (x, y) in enumerate(related_points)]
    for name in ("cka", "residual", "overlap"):
        check_spread([getattr(similarity, name) for similarity in found])


def test_class_structure(related_points):
    found = [class_structure(y, (x[:, 0] > 0).astype(int) + (x[:, 1] > 0.5), (1, 10)) for x, y in related_points]
    for place in range(2):
        check_spread([Estimate(some.accuracy[place], some.accuracy_error[place]) for some in found])
    check_spread([some.silhouette for some in found])


def test_disentanglement_scores(monkeypatch):
    """The truth is the mean over all repeats."""
    for name, count in {"N_TREES": 5, "N_SHUFFLES": 1}.items():
        monkeypatch.setattr(f"vaeviz.analysis.disentanglement.{name}", count)
    found = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        factors = np.column_stack([rng.integers(3, size=400), rng.random(400)])
        codes = factors @ [[1, 0.3], [0.2, 1]] + 0.3 * rng.standard_normal((400, 2))
        found.append(disentanglement(codes, factors, seed=seed).scores)
    for scores in zip(*found):
        check_coverage(scores, np.mean([score.value for score in scores]), least=0.88, most=1)
