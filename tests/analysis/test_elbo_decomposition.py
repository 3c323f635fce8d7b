import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vaeviz import InputError, NotApplicable, Posterior
from vaeviz.analysis.elbo_decomposition import elbo_terms
from vaeviz.analysis.linear_vae import fitted_linear_vae

EIGENVALUES = np.array([4.0, 2.0, 1.0, 0.5, 0.5, 0.5])


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(5).standard_normal((3000, 6)) * np.sqrt(EIGENVALUES)


@pytest.fixture(scope="module")
def model(x):
    return fitted_linear_vae(x, 3, noise=0.5)


@pytest.fixture(scope="module")
def posterior(model, x):
    mean, log_var = model.encode(x)
    return Posterior(mean, np.exp(log_var / 2), "normal")


def sum_of_terms(terms):
    return terms.mutual_information.value + terms.total_correlation.value + terms.dimension_kl.sum()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), size=st.integers(1, 4), total=st.integers(2, 60))
def test_terms_add_up_to_the_kl(seed, size, total):
    rng = np.random.default_rng(seed)
    posterior = Posterior(rng.normal(0, 2, (total, size)), np.exp(rng.normal(0, 1, (total, size))), "normal")
    terms = elbo_terms(posterior, seed=seed)
    assert sum_of_terms(terms) == pytest.approx(terms.kl.value, abs=1e-9)
    assert terms.dimension_kl_sum.value == pytest.approx(terms.dimension_kl.sum(), abs=1e-9)
    assert terms.with_own.value <= math.log(total) + 1e-12


def test_kl_of_the_optimal_linear_vae_is_mutual_information(posterior, model):
    terms = elbo_terms(posterior, n_codes=None)
    assert terms.exact_kl.value == pytest.approx(model.rate, abs=1e-6)
    assert abs(terms.kl.value - model.rate) < 3 * terms.kl.standard_error
    # The rate is 1.73 nats, far from ln 3000 = 8.0: the mixture of 3000 is nearly the prior.
    assert terms.mutual_information.value == pytest.approx(model.rate, abs=0.1)
    assert terms.total_correlation.value == pytest.approx(0, abs=0.05)
    np.testing.assert_allclose(terms.dimension_kl, 0, atol=0.02)
    assert not terms.saturated


def test_reconstruction_and_elbo_agree_with_the_closed_form(posterior, model, x):
    terms = elbo_terms(posterior, x, model.log_likelihood, n_codes=None)
    assert abs(terms.reconstruction.value + model.distortion) < 3 * terms.reconstruction.standard_error
    assert abs(terms.elbo.value - model.elbo) < 3 * terms.elbo.standard_error
    assert terms.elbo.value == pytest.approx(model.mean_log_likelihood, abs=0.1)


def test_likelihood_may_be_a_torch_module(posterior, model, x):
    class Likelihood(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weights = torch.nn.Parameter(torch.tensor(model.weights, dtype=torch.float32))
            self.register_buffer("center", torch.tensor(model.mean, dtype=torch.float32))

        def forward(self, x, z):
            square = (x - z @ self.weights.T - self.center).square().sum(dim=1)
            return -0.5 * (square / model.noise + 6 * math.log(2 * math.pi * model.noise))

    ours, theirs = (elbo_terms(posterior, x, given, n_codes=200) for given in (model.log_likelihood, Likelihood()))
    assert theirs.reconstruction.value == pytest.approx(ours.reconstruction.value, abs=1e-4)


def test_total_correlation_of_one_gaussian():
    """−½ ln det(correlation); the posteriors are narrow, so that their mixture is the Gaussian of their means."""
    correlation = np.array([[1, 0.8], [0.8, 1]])
    means = np.random.default_rng(2).multivariate_normal(np.zeros(2), correlation - 0.04 * np.eye(2), 6000)
    terms = elbo_terms(Posterior(means, np.full(means.shape, 0.2), "normal"), n_codes=3000)
    exact = -0.5 * np.log(np.linalg.det(correlation))
    assert terms.total_correlation.value == pytest.approx(exact, abs=0.05)


def test_shifted_dimension_has_a_dimension_wise_kl():
    means = np.random.default_rng(2).normal((0, 1.5), np.sqrt(0.5), (4000, 2))
    terms = elbo_terms(Posterior(means, np.full(means.shape, np.sqrt(0.5)), "normal"))
    np.testing.assert_allclose(terms.dimension_kl, [0, 1.5**2 / 2], atol=3 * terms.dimension_kl_error.max())


def test_mutual_information_saturates_where_posteriors_do_not_overlap():
    posterior = Posterior(np.arange(50.0)[:, None], np.full((50, 1), 1e-3), "normal")
    terms = elbo_terms(posterior)
    assert terms.ceiling == pytest.approx(math.log(50))
    assert terms.mutual_information.value == pytest.approx(math.log(50), abs=1e-9)
    assert terms.saturated


def test_identical_posteriors_have_no_mutual_information():
    terms = elbo_terms(Posterior(np.zeros((30, 2)), np.ones((30, 2)), "normal"))
    assert (terms.mutual_information.value, terms.total_correlation.value) == pytest.approx((0, 0), abs=1e-12)
    np.testing.assert_allclose(terms.dimension_kl, 0, atol=1e-12)


def test_standard_errors_agree_with_the_spread_over_seeds(posterior):
    found = [elbo_terms(posterior, n_codes=150, seed=seed) for seed in range(30)]
    for name in ("mutual_information", "kl", "dimension_kl_sum"):
        parts = [getattr(terms, name) for terms in found]
        spread = np.std([part.value for part in parts], ddof=1)
        assert np.mean([part.standard_error for part in parts]) == pytest.approx(spread, rel=0.4), name


def test_terms_need_gaussian_posteriors():
    with pytest.raises(NotApplicable):
        elbo_terms(Posterior(np.zeros((5, 2))))


def test_likelihood_and_x_fit_the_codes(posterior, x):
    with pytest.raises(InputError, match="likelihood"):
        elbo_terms(posterior, x, lambda x, z: np.float64(0), n_codes=50)
    with pytest.raises(InputError, match="x"):
        elbo_terms(posterior, x[:7], lambda x, z: np.zeros(len(x)), n_codes=5)


def test_likelihood_receives_spatial_codes_in_their_shape():
    def likelihood(x, z):
        assert z.shape[1:] == (1, 2, 2)
        return -((x - z.reshape(len(z), 4)) ** 2).sum(axis=1)

    mean = np.random.default_rng(0).standard_normal((40, 4)).astype(np.float32)
    flat, spatial = (Posterior(mean, np.full((40, 4), 0.5), "normal", shape) for shape in ((), (1, 2, 2)))
    expected = elbo_terms(flat, mean, lambda x, z: -((x - z) ** 2).sum(axis=1))
    assert elbo_terms(spatial, mean, likelihood).elbo.value == pytest.approx(expected.elbo.value, abs=1e-6)


def test_max_points_computes_the_terms_of_a_subset(model, x, posterior):
    from vaeviz.analysis.subsampling import subsample_rows

    rows = subsample_rows(500, len(x), 3)
    some = elbo_terms(posterior, x, model.log_likelihood, n_codes=100, max_points=500, seed=3)
    alone = elbo_terms(posterior[rows], x[rows], model.log_likelihood, n_codes=100, seed=3)
    assert (some.n_posteriors, some.n_given, alone.n_given) == (500, 3000, 500)
    assert some.ceiling == pytest.approx(math.log(500))
    assert (some.mutual_information, some.elbo, some.kl) == (alone.mutual_information, alone.elbo, alone.kl)


@pytest.mark.parametrize("total", [100, 3000])
def test_information_of_unlimited_samples_is_between_the_two_estimates(model, posterior, total):
    """For the optimal linear VAE it is the rate, because q(z) is the prior."""
    found = elbo_terms(posterior[:total], n_codes=None)
    below, above = found.with_own, found.left_out
    assert below.value - 2 * below.standard_error < model.rate < above.value + 2 * above.standard_error
    assert above.value - below.value < (1.0 if total == 100 else 0.1)


def test_upper_bound_of_information_is_computed_where_posteriors_do_not_overlap():
    """Neighbors are 1,000 standard deviations apart: ½ · 1,000² nats."""
    posterior = Posterior(np.arange(20.0)[:, None] * 100, np.full((20, 1), 0.1), "normal")
    found = elbo_terms(posterior)
    assert found.saturated
    assert found.mutual_information.value == pytest.approx(math.log(20))
    assert found.left_out.value == pytest.approx(1000**2 / 2, rel=0.01)
    assert math.isfinite(found.left_out.standard_error)


@pytest.mark.parametrize("std", [1e-4, 1e-8])
def test_dimension_wise_kl_of_narrow_posteriors_is_that_of_their_codes(std):
    """q(z) is N(0, I) up to a relative width of 1e-4; the mixture of N posteriors has a KL of about a nat."""
    mean = np.random.default_rng(0).standard_normal((2000, 3)) + [0, 0, 1]
    terms = elbo_terms(Posterior(mean, np.full(mean.shape, std), "normal"))
    assert terms.saturated and terms.dimension_kl_by_spacings.all()
    np.testing.assert_allclose(terms.dimension_kl, [0, 0, 0.5], atol=0.06)
    assert (np.abs(terms.dimension_kl - [0, 0, 0.5]) < 3 * terms.dimension_kl_error).all()
    kinds = terms.to_frame().set_index("term")["kind"]
    assert kinds[["mutual_information", "total_correlation"]].tolist() == ["lower bound", "upper bound"]
    assert kinds["dimension_kl_1"] == "spacings"
    assert sum_of_terms(terms) == pytest.approx(terms.kl.value)


def test_table_has_a_row_for_each_term_and_dimension(posterior, model, x):
    terms = elbo_terms(posterior, x, model.log_likelihood, n_codes=100)
    frame = terms.to_frame().set_index("term")
    assert {"mutual_information", "reconstruction", "elbo", "dimension_kl_1", "dimension_kl_3"} <= set(frame.index)
    assert frame.loc["kl", "value"] == terms.kl.value
    assert frame.loc["dimension_kl_2", "standard_error"] == terms.dimension_kl_error[1]
    assert "elbo" not in elbo_terms(posterior, n_codes=100).to_frame()["term"].tolist()


def test_the_error_of_a_spacing_estimate_is_never_zero():
    for seed in range(20):
        z = np.random.default_rng(seed).standard_normal((100, 1))
        posterior = Posterior(z, np.full_like(z, 1e-4), "normal")
        assert elbo_terms(posterior, seed=seed).dimension_kl_error[0] > 0.02
