"""A trained linear VAE against the closed forms of its optimum (Lucas et al. 2019), to 0.01 nats."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

import vaeviz
from vaeviz.analysis.importance_bound import importance_bound
from vaeviz.analysis.rate_distortion import measure_rate_point
from vaeviz.data.loading import load_data
from vaeviz_models import fit, mlp, seeded

pytestmark = pytest.mark.no_cover

LATENT_DIM, NOISE = 5, 0.15  # three eigenvalues, 4, 2 and 1, lie above the noise, and thirteen of 0.1 below it
STEPS = ((5e-2, 8, 50), (1e-2, 12, 50), (2e-3, 15, 100), (3e-4, 15, 400))
"""Learning rate, epochs, batch size: towards the optimum, then out of the noise around it."""
NEAR = {"rtol": 0, "atol": 1e-2}


@pytest.fixture(scope="module")
def found():
    """The trained model, its posteriors, and the closed form at the same data and noise."""
    x = load_data("linear-gaussian", split="train").x
    with torch.random.fork_rng(devices=[]):
        vae = seeded(mlp, x.shape[1:], latent_dim=LATENT_DIM, hidden=(), likelihood="gaussian", std=NOISE**0.5, seed=0)
        for learning_rate, epochs, batch_size in STEPS:
            settings = {"learning_rate": learning_rate, "epochs": epochs, "batch_size": batch_size}
            fit(vae, x, **settings, device="cpu", progress=False)
    model = vaeviz.open(vae)
    posterior = vaeviz.encode(model.encoder, x)
    order = np.argsort(-posterior.kl().mean(axis=0))  # in the order of the eigenvalues
    exact = vaeviz.fitted_linear_vae(x, LATENT_DIM, noise=NOISE)
    bound = importance_bound(model.inputs["likelihood"], x[:1000], posterior[:1000], n_draws=50)
    return SimpleNamespace(x=x, vae=vae, model=model, posterior=posterior, order=order, exact=exact, bound=bound)


def exact_distortion(found):
    """Compute −E ln p(x | z) in closed form, since the decoder is linear."""
    weights = found.vae.decoder.out.weight.detach().double().numpy()
    residual = found.x - found.vae.decode(torch.from_numpy(found.posterior.mean)).detach().double().numpy()
    spread = ((found.posterior.std[:, None, :] * weights) ** 2).sum(axis=(1, 2))
    squares = (residual**2).sum(axis=1) + spread
    return 0.5 * (squares.mean() / NOISE + found.x.shape[1] * np.log(2 * np.pi * NOISE))


def test_kl_of_each_dimension(found):
    np.testing.assert_allclose(found.posterior.kl().mean(axis=0)[found.order], found.exact.kl, **NEAR)


def test_variances_of_means_and_posteriors(found):
    np.testing.assert_allclose(found.posterior.mean.var(axis=0)[found.order], found.exact.mean_variance, **NEAR)
    variance = (found.posterior.std**2).mean(axis=0)
    np.testing.assert_allclose(variance[found.order], found.exact.posterior_variance, **NEAR)


def test_active_units(found):
    active = found.posterior.mean.var(axis=0)[found.order] > 0.01
    assert active.tolist() == found.exact.active.tolist() == [True] * 3 + [False] * 2
    verdicts = vaeviz.triage(found.posterior, found.model.decoder, found.x).status[found.order]
    assert verdicts.tolist() == ["active"] * 3 + ["collapsed"] * 2


def test_rate_distortion_and_elbo(found):
    rate, distortion = found.posterior.kl().sum(axis=1).mean(), exact_distortion(found)
    assert rate == pytest.approx(found.exact.rate, abs=1e-2)
    assert distortion == pytest.approx(found.exact.distortion, abs=1e-2)
    assert -rate - distortion == pytest.approx(found.exact.elbo, abs=1e-2)
    assert found.exact.elbo == pytest.approx(found.exact.mean_log_likelihood, abs=1e-9)
    measured = measure_rate_point(found.model, found.x)
    assert measured.rate == pytest.approx(rate, abs=1e-5)
    assert abs(measured.distortion - distortion) < 4 * measured.distortion_error


def test_every_importance_weighted_bound_is_the_log_likelihood(found):
    evidence = found.exact.log_evidence(found.x[:1000])
    np.testing.assert_allclose(found.bound.mean, evidence.mean(), **NEAR)
    np.testing.assert_allclose(found.bound.elbo.mean(), evidence.mean(), **NEAR)
    assert np.abs(found.bound.values[:, -1] - evidence).mean() < 2e-2  # sample by sample, on average


def test_importance_weights_are_constant(found):
    """1 − ESS/S is the relative variance of S importance weights."""
    assert 1 - found.bound.effective.mean() / 50 < 1e-2
