import numpy as np
import pytest

from vaeviz import InputError, NotApplicable, Posterior
from vaeviz.analysis.linear_vae import fitted_linear_vae
from vaeviz.analysis.prior_mismatch import prior_mismatch


@pytest.fixture(scope="module")
def posterior():
    """Posteriors of the linear VAE at its optimum, whose mixture is the prior."""
    x = np.random.default_rng(0).standard_normal((3000, 6)) * np.sqrt([4, 2, 1, 0.3, 0.2, 0.1])
    mean, log_var = fitted_linear_vae(x, 3).encode(x)
    return Posterior(mean, np.exp(log_var / 2), "normal")


def test_optimal_linear_vae_matches_the_prior(posterior):
    found = prior_mismatch(posterior, n_codes=600)
    assert not found.flagged
    assert found.mmd.squared.value < np.quantile(found.mmd.null, 0.99)
    np.testing.assert_allclose(found.marginal_kl, 0, atol=0.02)


def test_shifted_posterior_is_flagged_and_measured(posterior):
    shifted = Posterior(posterior.mean + np.float32([0, 0.8, 0]), posterior.std, "normal")
    found = prior_mismatch(shifted, n_codes=600)
    assert found.flagged
    assert (np.abs(found.marginal_kl - [0, 0.32, 0]) < 0.02 + 3 * found.marginal_kl_error).all()
    frame = found.to_frame()
    np.testing.assert_array_equal(frame["marginal_kl"], found.marginal_kl)
    assert frame["dimension"].tolist() == [0, 1, 2]


def test_subsampled_mixture_says_its_size(posterior):
    found = prior_mismatch(posterior, n_codes=200, max_points=500)
    assert (found.n_codes, found.n_posteriors) == (200, 500)


def test_deterministic_encoder_has_no_marginal_kl(posterior):
    with pytest.raises(NotApplicable):
        prior_mismatch(Posterior(posterior.mean))


@pytest.mark.parametrize("level", [0.01, 1.0])
def test_level_is_one_that_a_p_value_can_reach(posterior, level):
    with pytest.raises(InputError) as caught:
        prior_mismatch(posterior, n_permutations=10, level=level)
    assert caught.value.got == f"{level:g}"
