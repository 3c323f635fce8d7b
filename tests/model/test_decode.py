import re
import warnings
from collections import namedtuple
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

import vaeviz
from vaeviz import Decoder, GuessWarning, NotApplicable, Posterior, condition_on, decode
from vaeviz.errors import InputError
from vaeviz.model.decode import latent_size
from vaeviz.model.opening import Model

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

Z = np.random.default_rng(0).standard_normal((6, 2)).astype(np.float32)
VALUES = np.random.default_rng(1).random((6, 12)).astype(np.float32)


def returning(values):
    """A decoder that returns these samples for any codes."""

    def fixed_decoder(z):
        return values[: len(z)]

    return fixed_decoder


def flat(z):
    return np.repeat(z[:, :1], 12, axis=1)


# Kinds of decoders


def test_a_numpy_function(decoder):
    decoded = decode(decoder, Z)
    assert decoded.shape == (6, 8, 8)
    assert decoded.dtype == np.float32
    np.testing.assert_allclose(decoded, decoder(Z), rtol=1e-6)


def test_the_means_of_a_posterior_are_decoded(decoder):
    np.testing.assert_array_equal(decode(decoder, Posterior(Z, np.ones_like(Z))), decode(decoder, Z))


class Images(nn.Module):
    """A decoder from (N, 2, 3, 3) to (N, 1, 6, 6) that records how it is run."""

    def __init__(self):
        super().__init__()
        self.up = nn.ConvTranspose2d(2, 1, 2, stride=2)
        self.drop = nn.Dropout(0.5)
        self.seen = []

    def forward(self, z):
        self.seen.append((tuple(z.shape), self.training, self.drop.training, torch.is_grad_enabled(), z.dtype))
        return torch.sigmoid(self.drop(self.up(z)))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_modules_run_in_eval_mode_without_gradients_in_their_own_dtype(dtype):
    model = Images().to(dtype)
    decoded = decode(Decoder(model, latent_shape=(2, 3, 3)), np.ones((4, 18)))
    assert decoded.shape == (4, 6, 6)
    assert model.seen[0] == ((4, 2, 3, 3), False, False, False, dtype)
    assert {one[1:] for one in model.seen} == {(False, False, False, dtype)}
    assert model.training
    assert model.drop.training


def test_a_decoder_that_works_in_place_does_not_change_z():
    posterior, before = Posterior(Z), Z.copy()

    def numpy_fn(z):
        z *= 0
        return flat(z)

    layer = nn.Sequential(nn.ReLU(inplace=True), nn.Linear(2, 3))
    for fn in (numpy_fn, layer):
        decode(fn, posterior)
        decode(fn, Z)
        np.testing.assert_array_equal(posterior.mean, before)
        np.testing.assert_array_equal(Z, before)


def test_a_scikit_learn_estimator():
    from sklearn.decomposition import PCA

    pca = PCA(2).fit(VALUES)
    np.testing.assert_allclose(decode(pca, Z), pca.inverse_transform(Z), rtol=1e-4, atol=1e-6)
    assert latent_size(pca) == 2


def test_a_model_is_opened(decoder):
    assert decode(Model(decoder=Decoder(decoder)), Z).shape == (6, 8, 8)
    with pytest.raises(NotApplicable, match="only an encoder"):
        decode(Model(name="only an encoder"), Z)


@drawn(size=st.integers(1, 30))
@settings(max_examples=15, deadline=None)
def test_samples_do_not_depend_on_the_batch_size(make_decoder, size):
    z = np.random.default_rng(0).standard_normal((20, 2))
    fn = make_decoder()
    np.testing.assert_allclose(decode(Decoder(fn, batch_size=size), z), decode(fn, z), rtol=1e-5)


def test_the_declared_batch_size_is_used_and_nothing_is_decoded_twice():
    sizes = []

    def fn(z):
        sizes.append(len(z))
        return flat(z)

    decode(Decoder(fn, batch_size=4), Z)
    assert sizes == [4, 2]


# Outputs


@pytest.mark.parametrize(
    "form",
    [
        lambda v: (v, "something else"),
        lambda v: {"recon_x": v, "z": 0},
        lambda v: {"sample": v},
        lambda v: namedtuple("Out", "sample other")(v, 0),
        lambda v: namedtuple("Out", "log_scale mean")(-v, v),
        lambda v: namedtuple("Out", "scale loc")(-v, v),
        lambda v: namedtuple("Out", "log_sigma image")(-v, v),
        lambda v: (-v[:, :3], torch.distributions.Normal(torch.from_numpy(v), 1.0)),
        lambda v: (v, v.mean()),
        lambda v: SimpleNamespace(sample=v),
        lambda v: SimpleNamespace(mean=v),
        lambda v: torch.distributions.Bernoulli(torch.from_numpy(v)),
        lambda v: torch.distributions.Independent(torch.distributions.Normal(torch.from_numpy(v), 1.0), 1),
        lambda v: torch.from_numpy(v).requires_grad_(),
        lambda v: v.tolist(),
    ],
)
def test_samples_are_found(form):
    np.testing.assert_allclose(decode(lambda z: form(VALUES), Z), VALUES, rtol=1e-6)


@pytest.mark.parametrize("reference", [VALUES, None])
def test_an_output_proven_by_its_size_or_name_is_read_without_a_warning(reference, recwarn):
    def by_size(z):
        return flat(z)[:, :5], [flat(z)[:, :7], flat(z)]

    def by_name(z):
        return -flat(z), {"mean": flat(z)}, [flat(z) / 2]

    for fn in by_size, by_name:
        decoder = Decoder(fn, sample_shape=(12,) if reference is None else None)
        np.testing.assert_array_equal(decode(decoder, Z, reference=reference), flat(Z))
    assert not [one for one in recwarn if "arrays that may be" in str(one.message)]


@pytest.mark.parametrize("reference", [VALUES, None])
def test_several_outputs_that_may_be_the_samples_warn_once(reference):
    def fn(z):
        return -flat(z), [flat(z) / 2]

    def decode_and_count(decoder):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            samples = decode(decoder, Z, reference=reference)
        return samples, [one.message for one in caught if "arrays that may be" in str(one.message)]

    samples, (warning,) = decode_and_count(Decoder(fn, batch_size=2))
    np.testing.assert_array_equal(samples, -flat(Z))
    for line, factor in zip(re.findall(r"vaeviz\.Decoder\(.*?\]\)", warning.fix.python), (-1, 0.5), strict=True):
        samples, caught = decode_and_count(eval(line, {"vaeviz": vaeviz, "fn": fn}))
        np.testing.assert_array_equal(samples, factor * flat(Z))
        assert not caught


def test_the_advice_for_several_distributions_and_conditions_can_be_pasted():
    normal = torch.distributions.Normal

    def fn(z, y):
        return normal(torch.from_numpy(z), 1.0), normal(torch.from_numpy(z + y[:, None]), 1.0)

    y = np.arange(6, dtype=np.float32)
    with pytest.warns(GuessWarning, match="2 arrays") as caught:
        decode(fn, Z, y)
    (fix,) = (one.message.fix.python for one in caught if "arrays that may be" in str(one.message))
    assert ".mean" in fix
    second = re.findall(r"vaeviz\.Decoder\(.*?\.mean\)", fix)[1]
    np.testing.assert_allclose(decode(eval(second, {"vaeviz": vaeviz, "fn": fn}), Z, y), Z + y[:, None])


def test_later_batches_are_read_like_the_first():
    sizes = iter([12, 5, 12, 12])

    def fn(z):
        return flat(z)[:, :5], flat(z)[:, : next(sizes)], -flat(z)

    with pytest.raises(InputError, match="change shape"):
        decode(Decoder(fn, batch_size=3), Z, reference=VALUES)


def test_declared_logits_become_probabilities():
    logits = np.array([[-200.0, 0.0, np.log(3), 200.0]], dtype=np.float32)
    decoded = decode(Decoder(returning(logits), output="logits"), Z[:1])
    np.testing.assert_allclose(decoded, [[0, 0.5, 0.75, 1]], atol=1e-6)


def test_a_declared_range_is_rescaled_to_0_1():
    decoded = decode(Decoder(returning(np.array([[-1.0, 0.0, 1.0]])), value_range=(-1, 1)), Z[:1])
    np.testing.assert_allclose(decoded, [[0, 0.5, 1]])


@pytest.mark.parametrize(
    ("returned", "declared", "reference", "shape"),
    [
        ((12,), {}, None, (12,)),
        ((12,), {"sample_shape": (3, 4)}, None, (3, 4)),
        ((12,), {}, (3, 4), (3, 4)),
        ((12,), {"sample_shape": (4, 3)}, (3, 4), (4, 3)),
        ((3, 4), {}, None, (3, 4)),
        ((1, 2, 6), {}, None, (2, 6)),
        ((1, 3, 4), {}, (3, 4), (3, 4)),
        ((1, 3, 4), {}, (3, 4, 1), (3, 4, 1)),
        ((3, 4, 1), {}, None, (3, 4)),
        ((3, 2, 2), {}, None, (2, 2, 3)),
        ((3, 2, 2), {}, (2, 2, 3), (2, 2, 3)),
        ((3, 2, 2), {}, (3, 2, 2), (3, 2, 2)),
        ((3, 2, 2), {"layout": "channels_first"}, (3, 2, 2), (3, 2, 2)),
        ((2, 2, 3), {}, (2, 2, 3), (2, 2, 3)),
        ((2, 2, 3), {}, None, (2, 2, 3)),
        ((4, 1, 3), {}, None, (4, 1, 3)),
        ((3, 1, 4), {"layout": "channels_first"}, None, (1, 4, 3)),
        ((3, 1, 4), {"layout": "channels_last"}, None, (3, 1, 4)),
        ((3, 4), {"layout": "channels_first"}, None, (3, 4)),
        ((3, 4), {"layout": "channels_first"}, (3, 4), (3, 4)),
        ((12,), {"layout": "channels_first"}, (3, 4), (3, 4)),
    ],
)
def test_samples_take_the_declared_shape_or_that_of_the_reference(returned, declared, reference, shape):
    values = VALUES.reshape(6, *returned)
    others = None if reference is None else np.resize(VALUES, (9, *reference))
    decoded = decode(Decoder(returning(values), **declared), Z, reference=others)
    assert decoded.shape == (6, *shape)
    moved = len(returned) == 3 and shape == (*returned[1:], returned[0]) and returned[0] > 1
    np.testing.assert_array_equal(
        decoded.reshape(6, -1), (np.moveaxis(values, 1, -1) if moved else values).reshape(6, -1)
    )


def test_samples_of_another_size_than_declared_are_an_error():
    with pytest.raises(InputError, match="decoder mine") as caught:
        decode(Decoder(returning(VALUES), sample_shape=(5, 5), name="mine"), Z)
    assert (caught.value.got, caught.value.expected) == ("(12,)", "(5, 5)")


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        (np.linspace(-8, 8, 72).reshape(6, 12), 'output="logits"'),
        (np.where(VALUES > 0.9, 1, -0.99), "value_range=(-1, 1)"),
    ],
)
def test_values_far_from_the_data_warn_with_declarations(values, scale):
    with pytest.warns(GuessWarning) as caught:
        decode(returning(values), Z, reference=VALUES)
    assert scale in caught[0].message.fix.python


@pytest.mark.parametrize(
    ("decoder", "reference"),
    [
        (returning(VALUES * 1.3 - 0.1), VALUES),
        (returning(VALUES * 9 - 4), VALUES * 9 - 4),
        (returning(VALUES * 9 - 4), None),
        (Decoder(returning(VALUES * 9 - 4), output="values"), VALUES),
        (Decoder(returning(VALUES * 9 - 4), value_range=(-4, 5)), VALUES),
    ],
)
def test_values_like_the_data_or_on_a_declared_scale_do_not_warn(decoder, reference, recwarn):
    decode(decoder, Z, reference=reference)
    assert not recwarn.list


# Latents and conditions


def test_spatial_codes_are_restored():
    seen = []

    def fn(z):
        seen.append(z)
        return z.reshape(len(z), -1)

    codes = np.arange(36, dtype=np.float32).reshape(2, 18)
    decode(fn, Posterior(codes, code_shape=(2, 3, 3)))
    decode(Decoder(fn, latent_shape=(2, 3, 3)), codes)
    for z in seen:
        np.testing.assert_array_equal(z, codes.reshape(2, 2, 3, 3))


def test_the_latent_size_must_be_declared(decoder):
    assert latent_size(Decoder(decoder, latent_shape=(4, 8, 8))) == 256
    with pytest.raises(InputError) as caught:
        latent_size(decoder)
    assert "Decoder(fn, latent_shape=(2,))" in caught.value.fix.python
    assert "--latent-shape 2" in caught.value.fix.command_line


def test_codes_of_another_size_are_an_error(decoder):
    with pytest.raises(InputError, match="decoder mine") as caught:
        decode(Decoder(decoder, latent_shape=(3,), name="mine"), Z)
    assert (caught.value.got, caught.value.expected) == ("(2,)", "(3,)")


def test_a_condition_is_passed_with_the_codes_or_fixed():
    def fn(z, y):
        assert len(y) == len(z)
        return np.repeat(y.reshape(len(y), -1)[:, :1], 12, axis=1)

    labels = np.arange(6)
    np.testing.assert_array_equal(decode(fn, Z, labels)[:, 0], labels)
    np.testing.assert_array_equal(decode(condition_on(fn, 3), Z), np.full((6, 12), 3))
    np.testing.assert_array_equal(decode(condition_on(fn, [4, 5]), Z), np.full((6, 12), 4))
    np.testing.assert_array_equal(decode(condition_on(Decoder(fn, batch_size=4), 3), Z), np.full((6, 12), 3))
    assert condition_on(Decoder(fn, latent_shape=(2,)), 3).latent_size == 2


def test_a_label_reaches_an_embedding_as_an_integer():
    class Conditional(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(10, 12)

        def forward(self, z, y):
            return self.embed(y) + 0 * z[:, :1]

    model = Conditional()
    expected = np.repeat(model.embed.weight[3:4].detach().numpy(), 6, axis=0)
    np.testing.assert_allclose(decode(condition_on(model, 3), Z), expected)


# Errors


def broken(z):
    raise RuntimeError("out of luck")


@pytest.mark.parametrize(
    ("fn", "got"),
    [
        (lambda z: flat(z)[1:], "(5, 12)"),
        (lambda z: 1.0, "()"),
        (lambda z: flat(z) * np.nan, "NaN"),
        (lambda z: flat(z).astype(float) + 1e300, "NaN"),
        (lambda z: None, "None"),
        (lambda z: "sample", "<U6"),
        (lambda z: {"pixels": z}, "pixels"),
        (lambda z: [[1.0], [1.0, 2.0]], "ragged"),
        (broken, "RuntimeError: out of luck"),
    ],
)
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_errors_name_the_decoder_and_the_batch(fn, got):
    with pytest.raises(InputError, match=r"decoder mine.*\(6, 2\)") as caught:
        decode(Decoder(fn, name="mine"), Z)
    assert got in str(caught.value)


def test_samples_that_change_shape_between_batches_are_an_error():
    def fn(z):
        return np.zeros((len(z), len(z) + 1))

    with pytest.raises(InputError, match=r"decoder fn.*\(3,\) and \(5,\)"):
        decode(Decoder(fn, batch_size=4), Z)


@pytest.mark.parametrize(("z", "got"), [(np.zeros(2), r"\(2,\)"), (np.full((3, 2), np.nan), "NaN"), (None, "None")])
def test_invalid_codes_are_an_error_that_names_z(decoder, z, got):
    with pytest.raises(InputError, match=f"z.*{got}"):
        decode(decoder, z)


@pytest.mark.parametrize(("model", "got"), [(3, "int"), (None, "NoneType"), ("nowhere", "nowhere")])
def test_an_unknown_decoder_is_an_error(model, got):
    with pytest.raises(InputError, match="decoder") as caught:
        decode(model, Z)
    assert caught.value.got == got
