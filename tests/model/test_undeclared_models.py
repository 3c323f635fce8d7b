"""Models as people write them, without declarations."""

import warnings

import numpy as np
import pytest

import vaeviz
from vaeviz import Decoder, Encoder, GuessWarning, decode, encode
from vaeviz.errors import InputError

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

RNG = np.random.default_rng(0)
X = RNG.random((80, 6), dtype=np.float32)
MEAN = (X[:, :3] - 0.5) * 2
STD = np.exp(RNG.uniform(-1.5, -0.2, (80, 3))).astype(np.float32)
Z = MEAN + STD * RNG.standard_normal((80, 3)).astype(np.float32)
SPREADS = {"log_var": 2 * np.log(STD), "var": STD**2, "std": STD}


def returning(*outputs):
    """An encoder of the 80 samples, or of the first of them, that returns these."""
    return lambda x: tuple(output[: len(x)] for output in outputs)


def resampling(spread, order):
    """An encoder with a new z in each call; `order` are the positions of mean, spread and z."""

    def encoder(x):
        z = MEAN + STD * np.random.default_rng().standard_normal(MEAN.shape).astype(np.float32)
        return tuple((MEAN, spread, z)[i] for i in order)

    return encoder


# The second output: log-variance, variance or standard deviation


@pytest.mark.parametrize("kind", SPREADS)
def test_a_declared_spread_is_used(kind):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        posterior = encode(Encoder(returning(MEAN, SPREADS[kind]), returns=f"mean,{kind}"), X)
    np.testing.assert_allclose(posterior.std, STD, rtol=1e-5)


def test_a_second_output_is_a_log_variance():
    np.testing.assert_allclose(encode(returning(MEAN, SPREADS["log_var"]), X).std, STD, rtol=1e-5)


@pytest.mark.parametrize("kind", ["var", "std"])
def test_a_second_output_that_is_nowhere_negative_warns(kind):
    with pytest.warns(GuessWarning) as caught:
        encode(returning(MEAN, SPREADS[kind]), X)
    assert f'vaeviz.Encoder(fn, returns="mean,{kind}")' in caught[0].message.fix.python


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (0, 2, 1)], ids=["mean,s,z", "z,mean,s", "mean,z,s"])
@pytest.mark.parametrize("kind", SPREADS)
def test_a_sampled_z_proves_the_order_of_three_outputs(kind, order):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        posterior = encode(resampling(SPREADS[kind], order), X)
    np.testing.assert_allclose(posterior.mean, MEAN, rtol=1e-5)
    np.testing.assert_allclose(posterior.std, STD, rtol=1e-5)
    names = ",".join(("mean", kind, "z")[i] for i in order)
    assert len(caught) == (kind != "log_var")
    assert all(f'vaeviz.Encoder(fn, returns="{names}")' in one.message.fix.python for one in caught)


def test_three_outputs_that_prove_nothing_are_an_error():
    with pytest.raises(InputError) as caught:
        encode(returning(MEAN, MEAN - 9, -50 * X[:, 3:]), X)
    for returns in ("mean,log_var,other", "other,mean,log_var"):
        assert f'returns="{returns}"' in caught.value.fix.python


@pytest.mark.parametrize("outputs", ["recon,z", "z,recon"])
def test_a_reconstruction_beside_a_code_is_ignored(outputs):
    parts = {"recon": X, "z": MEAN}
    posterior = encode(returning(*(parts[name] for name in outputs.split(","))), X)
    np.testing.assert_array_equal(posterior.mean, MEAN)
    assert posterior.std is None


# Modes, devices, gradients


class Normed(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.drop, self.out = nn.BatchNorm1d(6), nn.Dropout(0.5), nn.Linear(6, 3)

    def forward(self, x):
        return self.out(self.drop(self.norm(x)))


def test_batch_norm_uses_its_running_statistics_and_keeps_them():
    torch.manual_seed(0)
    model = Normed().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    one_by_one = encode(Encoder(model, batch_size=1), X).mean
    np.testing.assert_allclose(one_by_one, encode(model, X).mean, atol=1e-5)
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_a_module_gets_its_own_dtype(dtype):
    model = nn.Linear(6, 3).to(dtype)
    assert encode(model, X.astype(np.float64)).mean.dtype == np.float32
    assert decode(nn.Linear(3, 6).to(dtype), MEAN).dtype == np.float32


def test_weights_outside_modules_receive_their_own_dtype():
    hidden = {"weights": torch.ones(6, 3, dtype=torch.float64)}
    codes = encode(lambda x: torch.as_tensor(x) @ hidden["weights"], X).mean
    np.testing.assert_allclose(codes, np.repeat(X.sum(axis=1)[:, None], 3, axis=1), rtol=1e-6)


def test_an_output_on_a_device_without_values_is_an_error():
    with pytest.raises(InputError, match=r"\(80, 6\).*meta"):
        encode(lambda x: torch.as_tensor(x).to("meta"), X)


def test_outputs_that_require_gradients_are_accepted():
    weights = torch.ones(6, 3, requires_grad=True)

    def fn(x):
        with torch.enable_grad():
            return torch.as_tensor(x) @ weights

    assert encode(fn, X).size == 3
    assert decode(fn, X).shape == (80, 3)


@pytest.mark.cuda
def test_a_module_on_a_gpu_stays_there():
    model = nn.Linear(6, 3).cuda()
    assert encode(model, X).size == 3
    assert model.weight.is_cuda


# Ranges


@pytest.mark.parametrize("last", [nn.Identity(), nn.Tanh()], ids=["logits", "tanh"])
def test_logits_and_tanh_against_data_in_the_unit_interval_warn(last):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 6), last)
    with torch.no_grad():
        model[0].bias -= 1.5
    with pytest.warns(GuessWarning) as caught:
        decode(model, MEAN, reference=X)
    assert 'Decoder(fn, output="logits")' in caught[0].message.fix.python
    assert "--value-range -1,1" in caught[0].message.fix.command_line


def test_a_declared_range_is_applied():
    def fn(z):
        return np.repeat(z[:, :1], 6, axis=1)

    z = np.array([[-1.0], [0.0], [1.0]])
    np.testing.assert_allclose(decode(Decoder(fn, value_range=(-1, 1)), z)[:, 0], [0, 0.5, 1])
    np.testing.assert_allclose(decode(Decoder(fn, output="logits"), z)[:, 0], 1 / (1 + np.exp(-z[:, 0])), rtol=1e-6)


# Batches


def test_batches_are_padded_to_a_declared_size():
    sizes = []

    def fn(x):
        sizes.append(len(x))
        return x.reshape(32, 6)[:, :3] - 1

    posterior = encode(Encoder(lambda x: (fn(x), fn(x)), batch_size=32, pad=True), X)
    np.testing.assert_allclose(posterior.mean, X[:, :3] - 1)
    assert posterior.std.shape == (80, 3)
    assert set(sizes) == {32}
    assert decode(Decoder(fn, batch_size=32, pad=True), X[:5]).shape == (5, 3)
    with pytest.raises(InputError) as caught:
        Encoder(fn, pad=True)
    assert caught.value.expected == "batch_size"


# Channels


class Sees(nn.Module):
    """A convolution that records the image that it receives."""

    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, 2, 1)

    def forward(self, x):
        self.seen = x.clone()  # at the end some rows alone
        return self.conv(x).mean((2, 3))


@pytest.mark.parametrize("shape", [(3, 3, 3), (3, 5, 3)], ids=str)
def test_ambiguous_channels_warn_and_can_be_declared(shape):
    x = RNG.random((4, *shape), dtype=np.float32)
    model = Sees(3)
    with pytest.warns(GuessWarning, match="channels first or last"):
        encode(model, x)
    np.testing.assert_array_equal(model.seen[:, 0], x[-len(model.seen) :, ..., 0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encode(Encoder(model, layout="channels_first"), x)
        np.testing.assert_array_equal(model.seen[:, 0], x[-len(model.seen) :, ..., 0])
        encode(Encoder(model, input_shape=shape), x)
        np.testing.assert_array_equal(model.seen, x[-len(model.seen) :])


@pytest.mark.parametrize("shape", [(5, 6, 3), (6, 6, 3), (6, 6)], ids=str)
def test_unambiguous_channels_do_not_warn(shape):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encode(Sees(3 if len(shape) == 3 else 1), RNG.random((4, *shape), dtype=np.float32))


def test_ambiguous_channels_of_a_decoder():
    cube = RNG.random((2, 3, 3, 3), dtype=np.float32)
    first = np.moveaxis(cube, 1, -1)
    for layout, expected in (("channels_first", first), ("channels_last", cube), (None, cube)):
        decoded = decode(Decoder(lambda z: cube, layout=layout), np.zeros((2, 1)), reference=cube)
        np.testing.assert_array_equal(decoded, expected)
    conv = nn.ConvTranspose2d(1, 3, 3)
    with pytest.warns(GuessWarning, match="channels first or last"):
        decoded = decode(Decoder(conv, latent_shape=(1, 1, 1)), np.ones((2, 1)), reference=cube)
    with torch.no_grad():
        np.testing.assert_allclose(decoded, np.moveaxis(conv(torch.ones(2, 1, 1, 1)).numpy(), 1, -1), atol=1e-6)


def test_modules_of_decorated_functions_run_in_eval_mode():
    import functools

    model = Normed().train()

    def encoder(x):
        return model(x)

    @functools.wraps(encoder)
    def decorated(x):
        return encoder(x)

    np.testing.assert_allclose(encode(decorated, X).mean, encode(model, X).mean, atol=1e-6)


def test_an_encoder_that_samples_warns():
    with pytest.warns(GuessWarning, match="it samples"):
        vaeviz.encode(lambda x: MEAN + np.random.default_rng().standard_normal(MEAN.shape), X)


@pytest.mark.parametrize(
    ("kind", "declared", "fix"),
    [
        (Decoder, {"output": "logit"}, "'logits'"),
        (Decoder, {"latent_shape": 3}, "Decoder(fn, latent_shape=(16,))"),
        (Encoder, {"layout": "chanels_first"}, "'channels_first'"),
        (Encoder, {"prior": "gauss"}, "normal"),
        (Encoder, {"value_range": (1, -1)}, "Encoder(fn, value_range=(-1, 1))"),
    ],
)
def test_an_invalid_declaration_is_an_error_with_a_valid_one(kind, declared, fix):
    with pytest.raises(InputError, match=next(iter(declared))) as caught:
        kind(lambda x: x, **declared)
    assert fix in caught.value.fix.python
