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
