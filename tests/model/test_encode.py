import functools
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaeviz import Encoder, GuessWarning, NotApplicable, Posterior, cache_encoding, encode
from vaeviz.errors import InputError
from vaeviz.model.opening import Model
from vaeviz.model.repeatability import N_REPEATED_ROWS

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402


class Images(nn.Module):
    """A convolutional encoder of (N, C, H, W) that records how it is run."""

    def __init__(self, channels=1):
        super().__init__()
        self.conv = nn.Conv2d(channels, 3, 3, padding=1)
        self.drop = nn.Dropout(0.5)
        self.seen = []

    def forward(self, x):
        self.seen.append((tuple(x.shape), self.training, self.drop.training, torch.is_grad_enabled(), x.dtype))
        features = self.drop(self.conv(x)).flatten(2)
        return features.mean(2)[:, :2], -features.std(2)[:, :2] - 1


@pytest.fixture
def x(digits):
    return digits.x


def flat_mean(x):
    return x.reshape(len(x), -1)[:, :2]


# Kinds of encoders


def test_a_numpy_function(x):
    posterior = encode(flat_mean, x)
    assert posterior.mean.dtype == np.float32
    np.testing.assert_array_equal(posterior.mean, x.reshape(len(x), -1)[:, :2])


def test_a_function_of_torch_tensors(x):
    layer = nn.Linear(64, 2)
    expected = layer(torch.from_numpy(x).flatten(1)).detach().numpy()
    for fn in (lambda x: layer(x.flatten(1)), functools.partial(lambda model, x: model(x.flatten(1)), layer)):
        np.testing.assert_allclose(encode(fn, x).mean, expected, rtol=1e-5)


def test_a_function_of_torch_tensors_without_any_module(x):
    weights = torch.ones(64, 2)
    np.testing.assert_allclose(encode(lambda x: x.flatten(1) @ weights, x).mean[:, 0], x.sum((1, 2)), rtol=1e-5)


def test_a_numpy_function_that_calls_torch(x):
    layer = nn.Linear(64, 2)

    def fn(x):
        return layer(torch.from_numpy(x).flatten(1)).numpy()

    assert encode(fn, x).mean.shape == (60, 2)


def test_a_linear_module_takes_samples_flat(x):
    layer = nn.Sequential(nn.Linear(64, 5), nn.ReLU(), nn.Linear(5, 2))
    expected = layer(torch.from_numpy(x).flatten(1)).detach().numpy()
    np.testing.assert_allclose(encode(layer, x).mean, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "channels", "sent"),
    [
        ((8, 8), 1, (1, 8, 8)),
        ((8, 8, 1), 1, (1, 8, 8)),
        ((6, 8, 3), 3, (3, 6, 8)),
        ((1, 8, 8), 1, (1, 8, 8)),
        ((3, 6, 8), 3, (3, 6, 8)),
    ],
)
def test_a_convolution_takes_the_channels_first(shape, channels, sent):
    x = np.random.default_rng(0).random((5, *shape), dtype=np.float32)
    model = Images(channels).eval()
    posterior = encode(model, x)
    nchw = x if shape == sent else np.moveaxis(x.reshape(5, *shape, 1)[..., :channels, :1].squeeze(-1), -1, 1)
    nchw = nchw if nchw.shape[1:] == sent else x.reshape(5, *sent)
    expected, _ = model(torch.from_numpy(np.ascontiguousarray(nchw)))
    assert model.seen[-1][0] == (5, *sent)
    np.testing.assert_allclose(posterior.mean, expected.detach().numpy(), rtol=1e-5, atol=1e-6)


def test_a_convolution_over_signals_takes_the_channels_first():
    x = np.random.default_rng(0).random((5, 32), dtype=np.float32)
    model = nn.Sequential(nn.Conv1d(1, 2, 32), nn.Flatten())
    expected = model(torch.from_numpy(x)[:, None]).detach().numpy()
    np.testing.assert_allclose(encode(model, x).mean, expected, rtol=1e-4, atol=1e-6)


class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.drop = nn.Dropout(0.5)
        self.inner = nn.Linear(64, 2)

    def encode(self, x):
        return self.inner(self.drop(x.flatten(1)))

    def decode(self, z):
        return z @ self.inner.weight


class Wrapper:
    """A plain object with a module as an attribute."""

    def __init__(self):
        self.pair = Pair()

    def to_code(self, x):
        return self.pair.encode(x)

    def __call__(self, x):
        return self.pair.encode(x)


def test_bound_methods_and_objects_run_their_modules_in_eval_mode(x):
    pair, wrapper = Pair(), Wrapper()
    for fn, model in (
        (pair.encode, pair),
        (pair, pair),
        (functools.partial(pair.encode), pair),
        (wrapper.to_code, wrapper.pair),
        (wrapper, wrapper.pair),
    ):
        expected = model.eval().encode(torch.from_numpy(x)).detach().numpy()
        model.train()
        np.testing.assert_allclose(encode(fn, x).mean, expected, rtol=1e-5)
        assert model.drop.training


def test_a_scikit_learn_estimator(x):
    from sklearn.decomposition import PCA
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    flat = x.reshape(len(x), -1)
    pca = PCA(3).fit(flat)
    pipeline = make_pipeline(StandardScaler(), PCA(2)).fit(flat)
    for fn in (pca, Encoder(pca), lambda x: pca.transform(x.reshape(len(x), -1))):
        posterior = encode(fn, x)
        np.testing.assert_allclose(posterior.mean, pca.transform(flat), atol=1e-5)
        assert posterior.std is None
    np.testing.assert_allclose(encode(pipeline, x).mean, pipeline.transform(flat), atol=1e-4)


def test_a_model_is_opened(x):
    posterior = encode(Model(encoder=Encoder(flat_mean)), x)
    assert posterior.size == 2
    with pytest.raises(NotApplicable, match="only a decoder"):
        encode(Model(name="only a decoder"), x)


# Modes, gradients, types, batches


def test_modules_run_in_eval_mode_without_gradients_and_are_restored(x):
    model = Images()
    model.conv.eval()
    encode(model, x)
    assert all(seen[1:4] == (False, False, False) for seen in model.seen)
    assert (model.training, model.conv.training, model.drop.training) == (True, False, True)
    assert torch.is_grad_enabled()


def test_modes_are_restored_after_an_error(x):
    model = Images(channels=2)
    with pytest.raises(InputError):
        encode(model, x)
    assert model.training
    assert model.drop.training


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_samples_take_the_dtype_of_the_module(x, dtype):
    model = Images().to(dtype)
    assert encode(model, x).mean.dtype == np.float32
    assert model.seen[0][-1] == dtype


@pytest.mark.cuda
def test_samples_move_to_the_device_of_the_module(x):
    model = Images().eval()
    expected = encode(model, x)
    model.to("cuda")
    for fn, some in ((model, x), (lambda x: model(x), x[:, None]), (model, torch.from_numpy(x).cuda())):
        np.testing.assert_allclose(encode(fn, some).mean, expected.mean, rtol=1e-3, atol=1e-4)


def counting(sizes):
    def fn(x):
        sizes.append(len(x))
        return flat_mean(x)

    return fn


def test_the_declared_batch_size_is_used(x):
    sizes = []
    posterior = encode(Encoder(counting(sizes), batch_size=25), x)
    assert sizes == [25, 25, 25, 10]  # the first is encoded twice, to see whether the encoder samples
    np.testing.assert_array_equal(posterior.mean, flat_mean(x))


def test_batches_are_bounded_without_a_declared_size():
    sizes = []
    encode(counting(sizes), np.zeros((50, 256, 256), dtype=np.float32))
    assert max(sizes) <= 16
    first, alone, again, *others = sizes
    assert (first, alone, again) == (16, N_REPEATED_ROWS, N_REPEATED_ROWS)
    assert first + sum(others) == 50


@given(size=st.integers(1, 70), spread=st.booleans())
@settings(max_examples=25, deadline=None)
def test_codes_do_not_depend_on_the_batch_size(make_encoder, digits, size, spread):
    fn = make_encoder(3, spread=spread)
    whole, parts = encode(fn, digits.x), encode(Encoder(fn, batch_size=size), digits.x)
    np.testing.assert_allclose(parts.mean, whole.mean, atol=1e-6)
    assert (parts.std is None) is (not spread)
    if spread:
        np.testing.assert_allclose(parts.std, whole.std, rtol=1e-6)


@given(shape=st.lists(st.integers(1, 5), min_size=1, max_size=3), count=st.integers(1, 7))
@settings(max_examples=25, deadline=None)
def test_samples_of_any_shape_reach_the_encoder_as_they_are(shape, count):
    x = np.random.default_rng(0).random((count, *shape), dtype=np.float32)
    seen = []

    def fn(batch):
        seen.append(batch.shape)
        return batch.reshape(len(batch), -1)

    np.testing.assert_array_equal(encode(fn, x).mean, x.reshape(count, -1))
    assert {sent[1:] for sent in seen} == {x.shape[1:]}
    assert seen[0] == x.shape


def test_an_encoder_that_works_in_place_does_not_change_x(x):
    before = x.copy()

    def numpy_fn(batch):
        batch -= 0.5
        return flat_mean(batch)

    layer = nn.Sequential(nn.Flatten(), nn.Threshold(0.5, 0, inplace=True), nn.Linear(64, 2))
    for fn in (numpy_fn, layer):
        encode(fn, x)
        np.testing.assert_array_equal(x, before)


def test_integers_lists_and_tensors_are_samples():
    np.testing.assert_array_equal(encode(lambda x: x, [[1, 2], [3, 4]]).mean, [[1, 2], [3, 4]])
    np.testing.assert_array_equal(encode(lambda x: x, torch.ones(3, 2)).mean, np.ones((3, 2)))


def test_spatial_codes_are_flattened_and_keep_their_shape():
    posterior = encode(lambda x: (x.reshape(-1, 2, 3, 3), -1 - x.reshape(-1, 2, 3, 3)), np.ones((4, 18)))
    assert posterior.mean.shape == posterior.std.shape == (4, 18)
    assert posterior.code_shape == (2, 3, 3)


def test_one_number_per_sample_is_one_latent_dimension(x):
    posterior = encode(lambda x: (x.mean((1, 2)), -1 - x.mean((1, 2))), x)
    assert posterior.mean.shape == posterior.std.shape == (60, 1)


def test_a_condition_is_passed_with_the_samples(x, digits):
    layer = nn.Linear(64, 2)

    def fn(x, y):
        assert y.dtype == torch.int64
        return layer(x.flatten(1)) + y[:, None]

    with_label, without = encode(fn, x, digits.labels), encode(layer, x)
    np.testing.assert_allclose(with_label.mean - without.mean, np.repeat(digits.labels[:, None], 2, 1), atol=1e-5)
    with pytest.raises(InputError) as caught:
        encode(fn, x, digits.labels[:3])
    assert (caught.value.got, caught.value.expected) == ("3", "60")


# Declarations


def test_a_spread_implies_the_normal_prior_and_a_mean_none(x):
    assert encode(lambda x: (flat_mean(x), flat_mean(x) - 5), x).prior == "normal"
    assert encode(flat_mean, x).prior is None
    assert encode(Encoder(flat_mean, prior="normal"), x).prior == "normal"


@pytest.mark.parametrize(
    ("declared", "shape", "sent"),
    [
        ({}, (8, 8), (8, 8)),
        ({"input_shape": (-1,)}, (8, 8), (64,)),
        ({"input_shape": (1, 8, 8)}, (64,), (1, 8, 8)),
        ({"input_shape": (3, 6, 8)}, (6, 8, 3), (3, 6, 8)),
        ({"layout": "channels_first"}, (8, 8), (1, 8, 8)),
        ({"layout": "channels_first"}, (6, 8, 3), (3, 6, 8)),
        ({"layout": "channels_last"}, (8, 8), (8, 8, 1)),
        ({"layout": "channels_last"}, (6, 8, 3), (6, 8, 3)),
    ],
)
def test_layout_and_input_shape(declared, shape, sent):
    x = np.random.default_rng(0).random((4, *shape), dtype=np.float32)
    seen = []

    def fn(batch):
        seen.append(batch)
        return batch.reshape(len(batch), -1)[:, :2]

    encode(Encoder(fn, **declared), x)
    assert seen[0].shape == (4, *sent)
    if shape[-1] == 3 and sent[0] == 3:
        np.testing.assert_array_equal(seen[0][:, 1], x[..., 1])
    else:
        np.testing.assert_array_equal(seen[0].ravel(), x.ravel())


def test_value_range_and_preprocess(x):
    seen = []

    def fn(batch):
        seen.append(batch)
        return flat_mean(batch)

    encode(Encoder(fn, value_range=(-1, 1)), x)
    np.testing.assert_allclose(seen[0], 2 * x - 1)
    encode(Encoder(fn, value_range=(-1, 1), preprocess=lambda x: x > 0.5), x)
    received = next(batch for batch in reversed(seen) if len(batch) == len(x))
    np.testing.assert_array_equal(received, np.where(x > 0.5, 1, -1))
    assert received.dtype == np.float32


# The cache


def test_the_cache_answers_for_the_same_array_only():
    calls = []

    def fn(x):
        calls.append(len(x))
        return x[:, :2]

    x = np.random.default_rng(0).random((10, 4), dtype=np.float32)
    encoder = cache_encoding(fn, x)
    calls.clear()
    assert encode(encoder, x) is encode(encoder, x)
    assert calls == []
    encode(encoder, x.copy())
    assert sum(calls) > 0
    np.testing.assert_array_equal(encode(encoder, x + 1).mean, x[:, :2] + 1)
    np.testing.assert_array_equal(encode(encoder, x[::-1]).mean, x[::-1, :2])


def trained(net, x):
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    net(torch.as_tensor(x)).sum().backward()
    optimizer.step()


def written_through_data(net, x):
    for parameter in net.parameters():
        parameter.data.mul_(2)  # torch's version counters do not see this


def loaded(net, x):
    net.load_state_dict({name: 2 * tensor for name, tensor in net.state_dict().items()})


@pytest.mark.parametrize("change", [trained, written_through_data, loaded])
@pytest.mark.parametrize("wrap", [lambda net: net, lambda net: lambda x: net(x)], ids=["module", "function"])
def test_a_cache_is_out_of_date_once_the_model_changes(change, wrap):
    net = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.Linear(5, 2))
    x = np.random.default_rng(0).random((10, 4), dtype=np.float32)
    encoder = cache_encoding(wrap(net), x)
    before = encode(encoder, x)
    assert encode(encoder, x) is before
    change(net, x)
    after = encode(encoder, x)
    np.testing.assert_allclose(after.mean, net(torch.as_tensor(x)).detach().numpy(), rtol=1e-5)
    assert np.abs(after.mean - before.mean).max() > 0.01


def test_a_pickled_cache_answers_in_another_process(x):
    encoder = cache_encoding(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 2)), x)
    other = pickle.loads(pickle.dumps(encoder))
    assert encode(other, other._cached[0]) is other._cached[1]


def test_a_cache_keeps_declarations(x):
    encoder = cache_encoding(Encoder(flat_mean, prior="normal", value_range=(-1, 1), name="mine"), x)
    assert (encoder.name, encoder.prior) == ("mine", "normal")
    np.testing.assert_allclose(encode(encoder, x.copy()).mean, flat_mean(2 * x - 1))


def test_a_posterior_is_not_used_for_other_samples(x):
    posterior = Posterior(flat_mean(x))
    assert encode(posterior, x) is posterior
    with pytest.raises(InputError) as caught:
        encode(posterior, x[1:])
    assert (caught.value.got, caught.value.expected) == ("60", "59")
    encoder = cache_encoding(posterior, x)
    assert encode(encoder, x) is posterior
    with pytest.raises(InputError, match="Posterior"):
        encode(encoder, x[1:])


# Errors


def nan_in(x, row):
    x = x.copy()
    x[row, 2, 3] = np.nan
    return x


def mean_in_a_dict(x):
    return {"features": flat_mean(x)}


def broken(x):
    raise RuntimeError("out of luck")


def test_nan_in_the_data_is_an_error_that_names_the_row(x):
    with pytest.raises(InputError, match="row 7"):
        encode(flat_mean, nan_in(x, 7))


@pytest.mark.parametrize(
    ("bad", "got"),
    [
        (np.zeros(3), r"\(3,\)"),
        (np.zeros((0, 3)), r"\(0, 3\)"),
        (["a", "b"], "<U1"),
        ([[1, 2], [3]], "ragged"),
        (None, "None"),
        (3.0, r"\(\)"),
    ],
)
def test_invalid_samples_are_an_error_that_names_x(bad, got):
    with pytest.raises(InputError, match=f"x.*{got}"):
        encode(flat_mean, bad)


@pytest.mark.parametrize(
    ("fn", "got"),
    [
        (lambda x: flat_mean(x)[1:], "(59, 2)"),
        (lambda x: flat_mean(x).mean(), "()"),
        (lambda x: flat_mean(x) * np.nan, "NaN"),
        (lambda x: (flat_mean(x), flat_mean(x) + np.nan), "NaN"),
        (lambda x: None, "None"),
        (lambda x: "code", "<U4"),
        (lambda x: np.array([["a"]] * len(x)), "<U1"),
        (lambda x: {"mean": [[1.0], [1.0, 2.0]]}, "ragged"),
        (mean_in_a_dict, "features"),
        (broken, "RuntimeError: out of luck"),
        (lambda x: len(3), "TypeError"),
    ],
)
@pytest.mark.filterwarnings("ignore::vaeviz.GuessWarning")
def test_errors_name_the_encoder_and_the_batch(x, fn, got):
    with pytest.raises(InputError, match=rf"encoder {fn.__name__}.*\(60, 8, 8\)") as caught:
        encode(Encoder(fn, name=fn.__name__), x)
    assert got in str(caught.value)


def test_an_error_keeps_that_of_the_encoder_as_its_cause(x):
    with pytest.raises(InputError) as caught:
        encode(broken, x)
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_messages_are_joined_to_one_line(x):
    def fn(x):
        raise ValueError("expected 2D\n    got 3D\n\nreshape your data")

    with pytest.raises(InputError) as caught:
        encode(fn, x)
    assert str(caught.value).endswith("raised ValueError: expected 2D got 3D reshape your data")


def test_a_squeezed_last_batch_is_an_error(x):
    def squeezed(x):
        return flat_mean(x).squeeze() if len(x) > 1 else flat_mean(x).squeeze(0)

    with pytest.raises(InputError, match=r"\(1, 8, 8\).*\(2,\)"):
        encode(Encoder(squeezed, batch_size=59), x)


def test_codes_that_change_shape_between_batches_are_an_error(x):
    def fn(x):
        return x.reshape(len(x), -1)[:, : len(x)]

    with pytest.raises(InputError, match="encoder fn") as raised:
        encode(Encoder(fn, batch_size=25), x)
    assert (raised.value.got, raised.value.expected) == ("(10,)", "(25,)")


def test_an_encoder_that_samples_warns(x):
    rng = np.random.default_rng(0)
    with pytest.warns(GuessWarning, match="encoder sampling") as caught:
        encode(Encoder(lambda x: flat_mean(x) + rng.standard_normal((len(x), 2)), name="sampling"), x)
    assert len(caught) == 1


def test_dropout_does_not_warn_in_eval_mode(x, recwarn):
    encode(nn.Sequential(nn.Flatten(), nn.Linear(64, 2), nn.Dropout(0.5)), x)
    assert not recwarn.list


@pytest.mark.parametrize(("model", "got"), [(3, "int"), ("nowhere", "nowhere"), (None, "NoneType")])
def test_an_unknown_encoder_is_an_error(x, model, got):
    with pytest.raises(InputError, match="encoder") as caught:
        encode(model, x)
    assert caught.value.got == got


def test_samples_that_do_not_fit_the_declared_shape_are_an_error(x):
    with pytest.raises(InputError, match="encoder flat_mean") as caught:
        encode(Encoder(flat_mean, input_shape=(3, 5)), x)
    assert (caught.value.got, caught.value.expected) == ("(8, 8)", "(3, 5)")
    assert "vaeviz.Encoder(fn)" in caught.value.fix.python
    assert "--input-shape" in caught.value.fix.command_line


@pytest.mark.parametrize("size", [0, -5])
def test_a_batch_size_below_one_is_an_error(size):
    with pytest.raises(InputError, match="batch_size"):
        Encoder(flat_mean, batch_size=size)
