import warnings

import numpy as np
import pytest

import vaeviz

pytest.importorskip("pythae")
torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def vae():
    from pythae.models import VAE, VAEConfig

    torch.manual_seed(0)
    return VAE(VAEConfig(input_dim=(1, 8, 8), latent_dim=3))


@pytest.mark.usefixtures("strict")
def test_a_model_gives_its_mean_not_a_sample(vae, images, draws):
    posterior, decoded = draws(vae, images, size=3)
    with torch.no_grad():
        output = vae.eval().encoder(torch.from_numpy(images)[:, None])
        expected = vae.decoder(output.embedding).reconstruction[:, 0]
    np.testing.assert_allclose(posterior.mean, output.embedding, atol=1e-5)
    np.testing.assert_allclose(posterior.std, torch.exp(0.5 * output.log_covariance), rtol=1e-4)
    np.testing.assert_allclose(decoded, expected, atol=1e-5)


def test_a_folder(vae, images, draws, tmp_path):
    vae.save(str(tmp_path / "saved"))
    posterior, _ = draws(tmp_path / "saved", images, size=3)
    np.testing.assert_allclose(posterior.mean, vaeviz.encode(vae, images).mean, atol=1e-5)
    assert vaeviz.open(str(tmp_path / "saved")).decoder.latent_size == 3


def test_a_plain_autoencoder_has_no_spread(images):
    from pythae.models import AE, AEConfig

    posterior = vaeviz.encode(AE(AEConfig(input_dim=(1, 8, 8), latent_dim=2)), images)
    assert posterior.std is posterior.prior is None


def own_codes(model, x):
    """What the decoder receives if the model draws no noise."""
    received = []
    hook = model.decoder.register_forward_pre_hook(lambda module, inputs: received.append(inputs[0]))
    drawn = torch.randn_like
    torch.randn_like = torch.zeros_like
    try:
        with torch.no_grad():
            recon = model.eval()({"data": x}).recon_x
    finally:
        torch.randn_like = drawn
        hook.remove()
    return received[0].numpy(), recon.numpy()


@pytest.mark.parametrize("name", ["AE", "VAE", "BetaVAE", "VQVAE", "VAE_LinNF", "VAE_IAF", "WAE_MMD", "RAE_L2"])
def test_codes_decode_to_the_reconstruction_of_the_model(name, images):
    import pythae.models as pythae

    torch.manual_seed(0)
    settings = getattr(pythae, f"{name}{'_' * ('_' in name)}Config")
    model = getattr(pythae, name)(settings(input_dim=(1, 8, 8), latent_dim=4))
    for _ in range(2):  # the layers of flows have batch statistics
        model.train()({"data": torch.from_numpy(images)[:, None]})
    codes, recon = own_codes(model, torch.from_numpy(images)[:, None])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        posterior = vaeviz.encode(model, images)
        decoded = vaeviz.decode(model, posterior)
    np.testing.assert_allclose(posterior.mean, codes, atol=1e-5)
    np.testing.assert_allclose(decoded, recon[:, 0], atol=1e-5)


def test_codes_of_a_sphere_are_on_it(images):
    from pythae.models import SVAE, SVAEConfig

    posterior = vaeviz.encode(SVAE(SVAEConfig(input_dim=(1, 8, 8), latent_dim=4)), images)
    np.testing.assert_allclose(np.linalg.norm(posterior.mean, axis=1), 1, rtol=1e-5)
    assert posterior.std is posterior.prior is None
