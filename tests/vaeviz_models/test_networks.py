"""Shapes, channel order and sizes of the networks."""

import pytest
import torch

from vaeviz.errors import InputError, UnknownName
from vaeviz_models import ConvDecoder, ConvEncoder, DenseDecoder, DenseEncoder, autoencoder, conv, conv_autoencoder, mlp

SHAPES = [(28, 28), (7, 5), (1, 1), (9, 6, 3), (16,), (2, 3, 4, 5)]
IMAGES = [(28, 28), (29, 17), (8, 8, 3), (5, 1, 1), (1, 1)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("hidden", [(), (8,), (8, 6, 4)], ids=str)
def test_dense_shapes(shape, hidden):
    mean, log_var = DenseEncoder(shape, 3, hidden)(torch.rand(4, *shape))
    assert mean.shape == log_var.shape == (4, 3)
    assert DenseDecoder(shape, 3, hidden)(mean).shape == (4, *shape)


@pytest.mark.parametrize("shape", IMAGES, ids=str)
@pytest.mark.parametrize("channels", [(4,), (4, 6), (4, 4, 4)], ids=str)
def test_convolutional_shapes(shape, channels):
    mean, log_var = ConvEncoder(shape, 3, channels)(torch.rand(4, *shape))
    assert mean.shape == log_var.shape == (4, 3)
    assert ConvDecoder(shape, 3, channels)(mean).shape == (4, *shape)


@pytest.mark.parametrize("network", [mlp, conv, autoencoder, conv_autoencoder])
def test_a_batch_may_have_one_sample(network):
    model = network((7, 5))
    assert model.decode(torch.zeros(1, 2)).shape == (1, 7, 5)


def test_an_encoder_takes_channels_last():
    """An encoder without weights for green distinguishes a red image from a green one."""
    encoder = ConvEncoder((8, 8, 3), 2, (4,))
    red, green = torch.zeros(2, 1, 8, 8, 3)
    red[..., 0], green[..., 1] = 1, 1
    first = encoder.features[0].weight
    with torch.no_grad():
        first[:, 1] = 0  # ignore green
    blank = encoder(torch.zeros(1, 8, 8, 3))[0]
    assert torch.equal(encoder(green)[0], blank)
    assert not torch.equal(encoder(red)[0], blank)


def test_a_decoder_returns_channels_last():
    decoder = ConvDecoder((5, 4, 3), 2, (4,))
    last = decoder.features[-1]
    with torch.no_grad():
        last.weight.zero_()
        last.bias.copy_(torch.tensor([1.0, 2.0, 3.0]))
    assert torch.equal(decoder(torch.zeros(1, 2)), torch.tensor([1.0, 2.0, 3.0]).expand(1, 5, 4, 3))


def test_hidden_sizes_are_mirrored():
    decoder = DenseDecoder((10,), 2, (8, 4))
    assert [tuple(p.shape) for p in decoder.parameters() if p.ndim == 2] == [(4, 2), (8, 4), (10, 8)]


def test_without_hidden_layers_the_networks_are_affine():
    decoder = DenseDecoder((6,), 2, ())
    origin, *images = decoder(torch.tensor([[0.0, 0], [1, 0], [0, 1], [2, -3]]))
    across, up, both = (image - origin for image in images)
    torch.testing.assert_close(both, 2 * across - 3 * up)


def test_the_reference_network_has_as_many_parameters_as_counted_by_hand():
    encoder = 784 * 512 + 512 + 2 * (512 * 2 + 2)
    decoder = 2 * 512 + 512 + 512 * 784 + 784
    assert sum(p.numel() for p in mlp((28, 28)).parameters()) == encoder + decoder == 807_700


@pytest.mark.parametrize("shape", [(16,), (2, 3, 4, 5), ()], ids=str)
def test_convolutions_need_images(shape):
    with pytest.raises(InputError) as error:
        conv(shape)
    assert (error.value.got, error.value.expected) == (str(shape), "(H, W) or (H, W, C)")


@pytest.mark.parametrize(
    "network, options",
    [
        (mlp, {"latent_dim": 0}),
        (mlp, {"hidden": (16, -1)}),
        (conv, {"latent_dim": -2}),
        (conv, {"channels": (0,)}),
        (autoencoder, {"latent_dim": 0}),
        (autoencoder, {"hidden": (0,)}),
        (conv_autoencoder, {"channels": (0,)}),
    ],
)
def test_sizes_must_be_positive(network, options):
    ((name, value),) = options.items()
    with pytest.raises(InputError) as error:
        network((8, 8), **options)
    assert name in str(error.value)
    assert error.value.got == str(value)
    assert error.value.expected.endswith("1 or more")


def test_the_activation_is_that_of_every_hidden_layer():
    vae = mlp((6,), hidden=(5, 4), activation="tanh")
    for part in (vae.encoder, vae.decoder):
        kinds = [type(layer) for layer in part.features]
        assert kinds == [torch.nn.Linear, torch.nn.Tanh] * 2
    x = torch.rand(3, 6)
    first, second = vae.encoder.features[0], vae.encoder.features[2]
    expected = torch.tanh(second(torch.tanh(first(x))))
    torch.testing.assert_close(vae.encoder.features(x), expected)
    assert type(autoencoder((6,), activation="tanh").encoder.features[1]) is torch.nn.Tanh


def test_an_unknown_activation_is_an_error():
    with pytest.raises(UnknownName) as error:
        DenseEncoder((6,), activation="tan")
    assert error.value.got == "tan"
    assert "'tanh'" in error.value.fix.python
