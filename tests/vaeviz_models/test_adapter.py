"""The adapter opens whole models, their methods, and their networks."""

import warnings

import numpy as np
import pytest
import torch

import vaeviz
from vaeviz.errors import InputError, NotApplicable
from vaeviz_models import ConvEncoder, DenseEncoder, autoencoder, conv, conv_autoencoder, mlp

BUILDERS = [mlp, conv, autoencoder, conv_autoencoder]
SHAPES = [(9, 6), (9, 6, 3)]


@pytest.fixture(params=SHAPES, ids=str)
def images(request):
    return np.random.default_rng(0).random((7, *request.param), dtype=np.float32)


@pytest.fixture(params=BUILDERS, ids=lambda build: build.__name__)
def model(request, images):
    return request.param(images.shape[1:], latent_dim=3).eval()


@pytest.mark.parametrize("part", ["encoder", "encode"])
def test_an_encoder_alone_encodes_as_the_model_does(part, model, images):
    whole, alone = (vaeviz.encode(given, images) for given in (model, getattr(model, part)))
    np.testing.assert_array_equal(alone.mean, whole.mean)
    assert alone.prior == whole.prior == model.prior
    if model.prior is None:
        assert alone.std is None
    else:
        np.testing.assert_array_equal(alone.std, whole.std)


def test_an_encoder_alone_returns_what_the_network_returns(images):
    for kind in (DenseEncoder, ConvEncoder):
        encoder = kind(images.shape[1:], 2)
        with torch.no_grad():
            mean, log_var = encoder(torch.from_numpy(images))
        posterior = vaeviz.encode(encoder, images)
        np.testing.assert_allclose(posterior.mean, mean, rtol=1e-6)
        np.testing.assert_allclose(posterior.std, (0.5 * log_var).exp(), rtol=1e-6)


@pytest.mark.filterwarnings("ignore::vaeviz.errors.GuessWarning")
def test_a_decoder_alone_returns_the_parameters_of_the_likelihood(model):
    z = np.zeros((4, 3), dtype=np.float32)
    logits = vaeviz.decode(model.decoder, z)
    assert logits.shape == (4, *model.decoder.sample_shape)
    np.testing.assert_allclose(1 / (1 + np.exp(-logits)), vaeviz.decode(model, z), rtol=1e-5)
    np.testing.assert_array_equal(vaeviz.decode(model.decode, z), vaeviz.decode(model, z))
    declared = vaeviz.Decoder(model.decoder, output="logits")
    np.testing.assert_allclose(vaeviz.decode(declared, z), vaeviz.decode(model, z), rtol=1e-5)


def test_undeclared_logits_cause_a_warning(images):
    model = mlp(images.shape[1:])
    with torch.no_grad():
        model.decoder.out.bias.fill_(-4)
    z = np.zeros((7, 2), dtype=np.float32)
    with pytest.warns(UserWarning, match="logits"):
        vaeviz.decode(model.decoder, z, reference=images)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        vaeviz.decode(model, z, reference=images)


def test_an_encoder_is_not_a_decoder():
    model = mlp((5, 4))
    x, z = np.zeros((2, 5, 4), dtype=np.float32), np.zeros((2, 2), dtype=np.float32)
    with pytest.raises(NotApplicable, match="has no encoder"):
        vaeviz.encode(model.decoder, x)
    with pytest.raises(NotApplicable, match="has no decoder"):
        vaeviz.decode(model.encoder, z)
    with pytest.raises(InputError) as caught:
        vaeviz.encode(model.decode, x)
    assert caught.value.expected == "VAE.encode"
    with pytest.raises(InputError) as caught:
        vaeviz.decode(model.encode, z)
    assert caught.value.expected == "VAE.decode"


def test_the_history_is_an_input_of_plots(run):
    assert vaeviz.open(run).inputs["history"]["epoch"] == [1, 2]


def test_a_history_without_rows_is_not_an_input(run, tmp_path):
    for name in ("config.json", "weights.safetensors"):
        (tmp_path / name).write_bytes((run / name).read_bytes())
    (tmp_path / "history.csv").write_text("\n")
    assert "history" not in vaeviz.open(tmp_path).inputs
