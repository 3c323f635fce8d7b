import numpy as np
import pytest

from vaeviz import InputError, NotApplicable, Posterior
from vaeviz.analysis.estimates import Estimate, mean_estimate
from vaeviz.analysis.linear_vae import fitted_linear_vae
from vaeviz.analysis.prior_mismatch import prior_mismatch


def linear_posterior():
    x = np.random.default_rng(0).standard_normal((3000, 6)) * np.sqrt([4, 2, 1, 0.3, 0.2, 0.1])
    mean, log_var = fitted_linear_vae(x, 3).encode(x)
    return Posterior(mean, np.exp(log_var / 2), "normal")


def test_the_linear_vae_at_its_optimum_meets_the_prior():
    found = prior_mismatch(linear_posterior(), n=600)
    assert not found.flagged
    assert found.mmd.squared.value < np.quantile(found.mmd.null, 0.99)
    np.testing.assert_allclose(found.marginal_kl, 0, atol=0.02)


def test_a_posterior_off_the_prior_is_flagged_and_measured():
    posterior = linear_posterior()
    shifted = Posterior(posterior.mean + np.float32([0, 0.8, 0]), posterior.std, "normal")
    found = prior_mismatch(shifted, n=600)
    assert found.verdict == "off the prior"
    assert (np.abs(found.marginal_kl - [0, 0.32, 0]) < 0.02 + 3 * found.marginal_kl_error).all()


def test_bad_input():
    posterior = linear_posterior()
    with pytest.raises(NotApplicable, match="gives no spread"):
        prior_mismatch(Posterior(posterior.mean))
    with pytest.raises(InputError, match="10 permutations give no p-value so low"):
        prior_mismatch(posterior, permutations=10)


def test_estimates_are_written_to_the_place_of_their_error():
    assert str(Estimate(0.01134, 0.0024)) == "0.0113 ± 0.0024"
    assert str(Estimate(-98.345, 0.4)) == "−98.34 ± 0.40"
    assert str(Estimate(1234.5, 22.0)) == "1234 ± 22"
    assert str(Estimate(-0.00001, 0.0011)) == "0.0000 ± 0.0011"
    assert str(Estimate(3.0, float("nan"))) == "3"
    assert mean_estimate(np.array([1.0, 3.0])) == Estimate(2.0, 1.0)
