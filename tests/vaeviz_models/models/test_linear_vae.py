"""A linear VAE is probabilistic PCA, whose optimum is known (Lucas et al. 2019, arXiv:1911.02469)."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.distributions import MultivariateNormal, kl_divergence

from vaeviz.data.loading import load_data
from vaeviz_models import evaluate, fit, mlp, seeded

pytestmark = pytest.mark.no_cover

LATENT_DIM = 3


@pytest.fixture(scope="module")
def x():
    return load_data("linear-gaussian", split="train").x


@pytest.fixture(scope="module")
def eigenvalues(x):
    """Eigenvalues of the sample covariance, the largest first."""
    return np.linalg.eigvalsh(np.cov(x.T, bias=True))[::-1]


@pytest.fixture(scope="module")
def trained(x):
    return linear_vae(x, "gaussian-learned", std=1.0, beta=1.0)


def linear_vae(x, likelihood, std, beta):
    """Train with decreasing learning rates, to reach the optimum and not the noise around it."""
    model = seeded(mlp, x.shape[1:], latent_dim=LATENT_DIM, hidden=(), likelihood=likelihood, std=std, seed=0)
    for learning_rate, epochs in ((3e-2, 15), (3e-3, 10), (5e-4, 10)):
        fit(
            model,
            x,
            epochs=epochs,
            batch_size=100,
            learning_rate=learning_rate,
            beta=beta,
            device="cpu",
            progress=False,
        )
    return model


def scores(model, x):
    """Average the terms of the ELBO over enough noise to be exact to a few thousandths of a nat."""
    each = [evaluate(model, x, seed=seed) for seed in range(20)]
    return SimpleNamespace(**{name: np.mean([terms[name] for terms in each]) for name in each[0]})


def test_the_elbo_reaches_the_likelihood_of_probabilistic_pca(trained, x, eigenvalues):
    kept, left = eigenvalues[:LATENT_DIM], eigenvalues[LATENT_DIM:]
    noise = left.mean()
    constant = len(eigenvalues) * (np.log(2 * np.pi) + 1)
    optimum = -0.5 * (constant + np.log(kept).sum() + len(left) * np.log(noise))
    assert scores(trained, x).elbo == pytest.approx(optimum, abs=0.02)


def test_the_learned_variance_is_the_mean_of_the_eigenvalues_left_out(trained, eigenvalues):
    assert trained.likelihood.log_var.exp().item() == pytest.approx(eigenvalues[LATENT_DIM:].mean(), rel=0.02)


def test_posterior_variances_are_noise_over_eigenvalue(trained, x, eigenvalues):
    with torch.no_grad():
        variances = trained.encode(torch.from_numpy(x))[1].exp().mean(dim=0).numpy()
    noise = eigenvalues[LATENT_DIM:].mean()
    np.testing.assert_allclose(np.sort(variances), noise / eigenvalues[:LATENT_DIM], rtol=0.05)


def test_beta_switches_off_dimensions_below_a_known_threshold(x, eigenvalues):
    """With β σ² between two eigenvalues, the dimensions below it are off; the others have a known rate."""
    variance, beta = 0.1, 14.0
    threshold = beta * variance
    active = eigenvalues[eigenvalues > threshold]
    assert len(active) == 2
    terms = scores(linear_vae(x, "gaussian", np.sqrt(variance), beta), x)
    squares = len(active) * threshold + eigenvalues[len(active) :].sum()
    distortion = 0.5 * (len(eigenvalues) * np.log(2 * np.pi * variance) + squares / variance)
    assert terms.kl == pytest.approx(0.5 * np.log(active / threshold).sum(), abs=0.05)
    assert -terms.log_likelihood == pytest.approx(distortion, abs=0.3)


def test_the_gap_between_elbo_and_evidence_is_the_kl_to_the_posterior(generator):
    """ln p(x) − KL(q(z|x) || p(z|x)) = ELBO for any q, here that of an untrained encoder."""
    std, copies = 0.7, 200_000
    vae = mlp((6,), latent_dim=LATENT_DIM, hidden=(), likelihood="gaussian", std=std)
    x = torch.randn(1, 6, generator=generator)
    with torch.no_grad():
        weight, bias = vae.decoder.out.weight, vae.decoder.out.bias
        precision = torch.eye(LATENT_DIM) + weight.T @ weight / std**2
        posterior = MultivariateNormal(
            precision.inverse() @ weight.T @ (x[0] - bias) / std**2, precision_matrix=precision
        )
        evidence = MultivariateNormal(bias, weight @ weight.T + std**2 * torch.eye(6)).log_prob(x[0])
        mean, log_var = vae.encode(x)
        gap = kl_divergence(MultivariateNormal(mean[0], log_var[0].exp().diag()), posterior)
        log_likelihood, kl = vae.terms(x.expand(copies, 6), generator)
    assert gap > 0.1
    assert ((log_likelihood - kl) / copies).item() == pytest.approx((evidence - gap).item(), abs=0.02)
