import json

import numpy as np
import pytest

import vaeviz

pytest.importorskip("diffusers")
torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def autoencoder():
    from diffusers import AutoencoderKL

    torch.manual_seed(0)
    return AutoencoderKL(
        block_out_channels=(8, 16),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        latent_channels=4,
        norm_num_groups=4,
        layers_per_block=1,
        shift_factor=0.1,
    )


@pytest.fixture
def pictures():
    return np.random.default_rng(0).random((5, 16, 16, 3), dtype=np.float32)


@pytest.mark.usefixtures("strict")
def test_images_are_sent_in_its_range_and_codes_are_its_own(autoencoder, pictures, draws):
    posterior, decoded = draws(autoencoder, pictures, size=4 * 8 * 8)
    assert posterior.code_shape == (4, 8, 8)
    sent = torch.from_numpy(np.moveaxis(2 * pictures - 1, -1, 1).copy())
    with torch.no_grad():
        latent = autoencoder.eval().encode(sent).latent_dist
        expected = autoencoder.decode(latent.mean).sample
    np.testing.assert_allclose(posterior.mean, latent.mean.flatten(1), atol=1e-5)
    np.testing.assert_allclose(posterior.std, latent.std.flatten(1), rtol=1e-4)
    np.testing.assert_allclose(posterior.kl().sum(axis=1), latent.kl(), rtol=1e-3)
    np.testing.assert_allclose(decoded, np.moveaxis((expected.numpy() + 1) / 2, 1, -1), atol=1e-4)


def test_a_folder_and_a_pipelines_folder(autoencoder, pictures, tmp_path):
    autoencoder.save_pretrained(tmp_path / "pipeline" / "vae")
    (tmp_path / "pipeline" / "model_index.json").write_text(json.dumps({"_class_name": "StableDiffusionPipeline"}))
    expected = vaeviz.encode(autoencoder, pictures).mean
    for folder in (tmp_path / "pipeline" / "vae", tmp_path / "pipeline"):
        np.testing.assert_allclose(vaeviz.encode(vaeviz.open(folder).encoder, pictures).mean, expected, atol=1e-5)


def test_images_in_the_range_of_the_model_are_an_error_with_the_line_to_write(autoencoder, pictures):
    with pytest.raises(vaeviz.InputError) as caught:
        vaeviz.encode(autoencoder, 2 * pictures - 1)
    assert "(x + 1) / 2" in caught.value.fix.python
