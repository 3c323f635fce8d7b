import numpy as np
import pytest

from vaeviz import InputError, NotApplicable, Posterior
from vaeviz.analysis.linear_vae import linear_vae
from vaeviz.analysis.posterior_scale import SCALES, scaled_elbo

VARIANCES = np.array([4.0, 2.0, 1.0, 0.5, 0.5, 0.5])


@pytest.fixture(scope="module")
def model():
    return linear_vae(np.diag(VARIANCES), 2)


@pytest.fixture(scope="module")
def x():
    return (np.random.default_rng(5).standard_normal((80, 6)) * np.sqrt(VARIANCES)).astype(np.float32)


def posterior_of(model, x, scale):
    mean, log_var = model.encode(x)
    return Posterior(mean, scale * np.exp(log_var / 2), "normal")


@pytest.mark.parametrize("scale", [1.0, 0.5, 4.0])
def test_elbo_is_highest_at_the_true_posterior(model, x, scale):
    found = scaled_elbo(model.log_likelihood, x, posterior_of(model, x, scale))
    assert found.scales[found.best] * scale == pytest.approx(1)
    assert (found.gains.mean() > 0) == (scale != 1)


def test_loss_is_the_kl_to_the_true_posterior(model, x):
    """KL(N(m, c²s²) ‖ N(m, s²)) = (c² − 1)/2 − ln c in each of the two dimensions."""
    found = scaled_elbo(model.log_likelihood, x, posterior_of(model, x, 1.0), n_draws=100)
    lost = found.elbo[SCALES.index(1.0)] - found.elbo[SCALES.index(2.0)]
    assert lost.mean() == pytest.approx(2 * (1.5 - np.log(2)), rel=0.05)


def test_gaussian_posteriors_of_the_same_samples_are_needed(model, x):
    posterior = posterior_of(model, x, 1.0)
    with pytest.raises(NotApplicable):
        scaled_elbo(model.log_likelihood, x, Posterior(posterior.mean))
    with pytest.raises(InputError, match="x"):
        scaled_elbo(model.log_likelihood, x[:79], posterior)


def test_table_has_a_row_for_each_scale_and_sample(model, x):
    found = scaled_elbo(model.log_likelihood, x, posterior_of(model, x, 1.0), scales=(0.5, 1.0))
    frame = found.to_frame()
    assert len(frame) == 160
    np.testing.assert_allclose(frame.groupby("scale")["elbo"].mean(), found.elbo.mean(axis=1))
