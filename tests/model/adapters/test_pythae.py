import numpy as np
import pytest

import vaeviz
from vaeviz.model.torch_probe import fixed_noise

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


@pytest.mark.parametrize("name", ["VQVAE", "VAE_LinNF", "VAE_IAF"])
def test_what_the_model_does_before_it_decodes_is_done(name, images):
    from pythae import models

    torch.manual_seed(0)
    config = getattr(models, f"{name}_Config" if "_" in name else f"{name}Config")
    model = getattr(models, name)(config(input_dim=(1, 8, 8), latent_dim=4)).eval()
    with torch.no_grad(), fixed_noise(0.0):
        expected = model({"data": torch.from_numpy(images)[:, None]}).recon_x[:, 0]
    decoded = vaeviz.decode(model, vaeviz.encode(model, images), reference=images)
    np.testing.assert_allclose(decoded, expected, atol=1e-5)


def test_codes_of_a_hyperspherical_vae_are_directions(images):
    from pythae.models import SVAE, SVAEConfig

    posterior = vaeviz.encode(SVAE(SVAEConfig(input_dim=(1, 8, 8), latent_dim=4)), images)
    np.testing.assert_allclose(np.linalg.norm(posterior.mean, axis=1), 1, rtol=1e-5)
