"""The VAE and the plain autoencoder: their terms, decoded means, gradients and histories."""

import numpy as np
import pytest
import torch

from vaeviz.errors import InputError
from vaeviz_models import autoencoder, conv, conv_autoencoder, evaluate, fit, gaussian_kl, mlp, reparameterize

BUILDERS = [mlp, conv]
PLAIN = [autoencoder, conv_autoencoder]


@pytest.fixture
def x(generator):
    return torch.rand(6, 8, 8, generator=generator)


@pytest.mark.parametrize("build", BUILDERS)
def test_terms_are_sums_over_the_batch(build, x):
    vae = build((8, 8), latent_dim=3)
    log_likelihood, kl = vae.terms(x, torch.Generator().manual_seed(1))
    mean, log_var = vae.encoder(x)
    z = reparameterize(mean, log_var, torch.Generator().manual_seed(1))
    torch.testing.assert_close(log_likelihood, vae.log_likelihood(x, z).sum())
    torch.testing.assert_close(kl, gaussian_kl(mean, log_var).sum())


@pytest.mark.parametrize("build", BUILDERS)
def test_log_likelihood_is_one_number_per_pair(build, x, generator):
    vae = build((8, 8), likelihood="gaussian", std=0.5)
    z = torch.randn(6, 2, generator=generator)
    expected = torch.distributions.Normal(vae.decode(z), 0.5).log_prob(x).sum(dim=(1, 2))
    torch.testing.assert_close(vae.log_likelihood(x, z), expected)


@pytest.mark.parametrize("build", [*BUILDERS, *PLAIN])
def test_decoded_bernoulli_means_are_probabilities(build, generator):
    images = build((8, 8)).decode(20 * torch.randn(50, 2, generator=generator))
    assert 0 <= images.min() < images.max() <= 1


@pytest.mark.parametrize("build", BUILDERS)
def test_forward_reconstructs_a_sample_of_the_posterior(build, x):
    vae = build((8, 8))
    reconstruction, mean, log_var = vae(x, torch.Generator().manual_seed(1))
    z = reparameterize(mean, log_var, torch.Generator().manual_seed(1))
    torch.testing.assert_close(reconstruction, vae.decode(z))


@pytest.mark.parametrize("build", [*BUILDERS, *PLAIN])
def test_encoder_and_decoder_share_weights_with_the_whole(build, noise_images):
    model = build((5, 4))
    parts = {p.data_ptr() for part in (model.encoder, model.decoder) for p in part.parameters()}
    assert parts == {p.data_ptr() for p in model.parameters()}
    encoder, decoder = model.encoder, model.decoder
    before = [p.clone() for p in (*encoder.parameters(), *decoder.parameters())]
    fit(model, noise_images, epochs=1, device="cpu", progress=False)
    assert not any(torch.equal(p, old) for p, old in zip((*encoder.parameters(), *decoder.parameters()), before))


@pytest.mark.parametrize("build", BUILDERS)
def test_every_weight_gets_a_gradient(build, x):
    vae = build((8, 8), likelihood="gaussian-learned")
    log_likelihood, kl = vae.terms(x)
    (kl - log_likelihood).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in vae.parameters())


@pytest.mark.parametrize("build", [*BUILDERS, *PLAIN])
def test_likelihoods_are_built_by_name(build):
    assert "log_var" not in build((8, 8)).likelihood.state_dict()
    fixed, learned = (build((8, 8), likelihood=name, std=0.5) for name in ("gaussian", "gaussian-learned"))
    assert fixed.likelihood.log_var.exp().item() == learned.likelihood.log_var.exp().item() == pytest.approx(0.25)
    assert not fixed.likelihood.log_var.requires_grad
    assert learned.likelihood.log_var.requires_grad


def test_an_unknown_likelihood_is_an_error_that_lists_all():
    with pytest.raises(InputError) as error:
        mlp((8, 8), likelihood="bernouli")
    assert error.value.got == "'bernouli'"
    assert error.value.expected == "bernoulli|gaussian|gaussian-learned"


@pytest.mark.parametrize("build", PLAIN)
def test_an_autoencoder_has_a_code_and_no_posterior(build, x):
    model = build((8, 8), latent_dim=3)
    assert model.prior is None
    assert model.encode(x).shape == (6, 3)
    torch.testing.assert_close(model(x), model.decode(model.encode(x)))


@pytest.mark.parametrize("build", PLAIN)
def test_an_autoencoder_has_no_kl_and_no_noise(build, x):
    model = build((8, 8))
    log_likelihood, kl = model.terms(x)
    assert kl is None
    torch.testing.assert_close(log_likelihood, model.likelihood.log_prob(model.decoder(model.encode(x)), x).sum())
    assert torch.equal(log_likelihood, model.terms(x)[0])


def test_the_history_of_an_autoencoder_has_no_elbo(noise_images):
    model = autoencoder((5, 4), hidden=(16,))
    history = fit(model, noise_images, noise_images[:9], epochs=2, device="cpu", progress=False)
    assert list(history) == ["epoch", "beta", "train_log_likelihood", "test_log_likelihood"]
    assert list(evaluate(model, noise_images)) == ["log_likelihood"]


@pytest.mark.parametrize(
    "option, value",
    [
        ("latent_dim", 2.5),
        ("latent_dim", None),
        ("hidden", 8),
        ("hidden", "wide"),
        ("activation", "gelu"),
        ("std", "a"),
    ],
)
def test_an_option_of_another_type_is_an_error(option, value):
    with pytest.raises(InputError, match=option) as error:
        mlp((5, 4), **{option: value})
    assert error.value.got == repr(value)


@pytest.mark.parametrize("build", [mlp, conv])
@pytest.mark.parametrize("shape", [8, "ab", (8.0, 8), (0, 3), (-8, -8), None])
def test_a_sample_shape_of_something_else_is_an_error(build, shape):
    with pytest.raises(InputError, match="sample_shape") as error:
        build(shape)
    assert error.value.expected


def test_shapes_and_options_of_numpy_and_torch_are_numbers():
    model = mlp(torch.zeros(3, 5, 4).shape[1:], latent_dim=np.int64(3), hidden=np.array([8, 4]))
    assert model.recipe["sample_shape"] == [5, 4]
    assert model.recipe["options"]["hidden"] == (8, 4)
    assert model.latent_dim == 3
