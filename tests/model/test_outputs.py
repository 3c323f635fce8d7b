import dataclasses
from collections import namedtuple
from types import SimpleNamespace

import numpy as np
import pytest

import vaeviz
from vaeviz import Encoder, GuessWarning, Posterior, encode
from vaeviz.data.arrays import as_array
from vaeviz.data.labels import ClassLabels
from vaeviz.errors import InputError

N, D = 50, 3
RNG = np.random.default_rng(0)
MEAN = RNG.standard_normal((N, D)).astype(np.float32)
LOG_VAR = RNG.uniform(-3, -1, (N, D)).astype(np.float32)
STD = np.exp(0.5 * LOG_VAR)
Z = MEAN + STD * RNG.standard_normal((N, D)).astype(np.float32)
OTHER = RNG.standard_normal((N, 7)).astype(np.float32)
X = np.arange(N, dtype=np.float32)[:, None]


def returning(*values, form=lambda values: values):
    """An encoder that returns those rows of each array."""

    def fn(x):
        rows = x[:, 0].astype(int)
        return form(tuple(value[rows] for value in values))

    return fn


def sampling(*values):
    """An encoder that returns those rows of each array, and a new z for "z"."""
    rng = np.random.default_rng(1)

    def fn(x):
        rows = x[:, 0].astype(int)
        z = MEAN + STD * rng.standard_normal((N, D))
        return tuple((z if isinstance(value, str) else value)[rows] for value in values)

    return fn


alone = returning(MEAN, form=lambda values: values[0])


@dataclasses.dataclass
class Outputs:
    mu: object
    logvar: object


def in_dict(*names):
    return lambda values: dict(zip(names, values))


def assert_read(posterior, *, std=STD):
    np.testing.assert_allclose(posterior.mean, MEAN, rtol=1e-6)
    if std is None:
        assert posterior.std is None
        assert posterior.prior is None
    else:
        np.testing.assert_allclose(posterior.std, std, rtol=1e-5)
        assert posterior.prior == "normal"


@pytest.mark.parametrize(
    ("mean", "std", "kl"), [(0, 2, 0.806853), (1, 1, 0.5), (0, 1, 0), (2, 0.5, 2 + 0.125 - 0.5 + np.log(2))]
)
def test_kl_is_the_closed_form(mean, std, kl):
    np.testing.assert_allclose(Posterior([[mean]], [[std]]).kl(), [[kl]], atol=5e-7)


def test_kl_keeps_its_precision_near_the_prior():
    posterior = Posterior(np.full((1, 1), 1e-4), np.ones((1, 1)))
    np.testing.assert_allclose(posterior.kl(), [[0.5e-8]], rtol=1e-5)


def test_a_deterministic_encoder_has_no_kl():
    assert Posterior(MEAN).kl() is None


def test_a_posterior_can_be_indexed():
    posterior = Posterior(MEAN, STD, "normal", code_shape=(3, 1))
    some = posterior[[4, 2]]
    assert len(some) == 2
    assert some.size == D
    assert (some.prior, some.code_shape) == ("normal", (3, 1))
    np.testing.assert_array_equal(some.mean, MEAN[[4, 2]])
    np.testing.assert_array_equal(posterior[MEAN[:, 0] > 0].std, STD[MEAN[:, 0] > 0])


def test_a_posterior_is_made_of_tensors_that_require_gradients():
    torch = pytest.importorskip("torch")
    posterior = Posterior(torch.ones(4, 2, requires_grad=True), torch.ones(4, 2, dtype=torch.bfloat16))
    assert posterior.mean.dtype == posterior.std.dtype == np.float32
    np.testing.assert_array_equal(posterior.mean, np.ones((4, 2)))


def test_a_posterior_becomes_a_table():
    frame = Posterior(MEAN, STD).to_frame()
    assert list(frame.columns) == ["z1", "z2", "z3"]
    np.testing.assert_array_equal(frame.to_numpy(), MEAN)
    labels = ClassLabels(np.arange(N) % 2, ("low", "high"))
    frame = Posterior(MEAN).to_frame(labels=labels)
    assert list(frame.columns) == ["z1", "z2", "z3", "label"]
    assert list(frame.label.cat.categories) == ["low", "high"]
    assert frame.label.tolist() == ["low", "high"] * (N // 2)
    with pytest.raises(InputError, match="labels"):
        Posterior(MEAN).to_frame(labels=[1, 2])


def test_the_table_is_drawn_by_seaborn():
    import seaborn as sns

    grid = sns.pairplot(Posterior(MEAN[:, :2]).to_frame(labels=np.arange(N) % 3), hue="label")
    assert grid.axes.shape == (2, 2)


@pytest.mark.parametrize(
    ("mean", "std", "expected"),
    [
        (MEAN[0], None, "(N, D)"),
        (MEAN, STD[:, :2], "(50, 3)"),
        (MEAN, -STD, "0 or more"),
        (MEAN * np.nan, None, "finite values"),
        (MEAN, STD * np.inf, "finite values"),
    ],
)
def test_a_malformed_posterior_is_an_error(mean, std, expected):
    with pytest.raises(InputError) as caught:
        Posterior(mean, std)
    assert caught.value.expected == expected


@pytest.mark.parametrize(
    "fn",
    [
        sampling(MEAN, LOG_VAR, "z"),
        sampling("z", MEAN, LOG_VAR),
        sampling(LOG_VAR, MEAN, "z"),
        returning(MEAN, LOG_VAR, form=in_dict("mean", "log_var")),
        returning(MEAN, LOG_VAR, form=in_dict("mu", "logvar")),
        returning(Z, MEAN, LOG_VAR, form=in_dict("z", "z_mean", "z_log_var")),
        returning(MEAN, STD, form=in_dict("loc", "scale")),
        returning(MEAN, STD**2, form=in_dict("mean", "var")),
        returning(MEAN, LOG_VAR, form=lambda v: namedtuple("Out", "mu log_var")(*v)),
        returning(MEAN, LOG_VAR, form=lambda v: Outputs(*v)),
        returning(Z, MEAN, STD, form=lambda v: (v[0], SimpleNamespace(mean=v[1], stddev=v[2]))),
        returning(Z, MEAN, LOG_VAR, form=lambda v: namedtuple("Out", "z mu log_var")(*v)),
        returning(MEAN, STD, form=lambda v: SimpleNamespace(mean=v[0], stddev=v[1])),
        returning(MEAN, STD, form=lambda v: SimpleNamespace(latent_dist=SimpleNamespace(mean=v[0], std=v[1]))),
    ],
)
def test_means_and_spreads_are_found(fn, recwarn):
    assert_read(encode(fn, X))
    assert not recwarn.list


@pytest.mark.parametrize(
    "fn",
    [
        returning(MEAN, LOG_VAR),
        returning(MEAN, LOG_VAR, form=list),
        returning(MEAN, LOG_VAR, LOG_VAR.sum(axis=1)),  # a loss per sample
    ],
)
def test_a_pair_without_names_is_a_guess(fn):
    with pytest.warns(GuessWarning) as caught:
        assert_read(encode(fn, X))
    (warning,) = caught
    assert "log_std" in warning.message.fix.python


@pytest.mark.parametrize(
    "join",
    [
        lambda v: np.concatenate(v, axis=1),
        lambda v: np.stack(v, axis=1),
        lambda v: np.stack(v, axis=2),
        lambda v: np.stack(v, axis=2).reshape(len(v[0]), -1),
        lambda v: np.stack([np.hstack([one, one[:, :1]]) for one in v], axis=2),  # of an even number of dimensions
    ],
    ids=["side by side", "stacked", "stacked last", "alternating", "stacked last, 4 dimensions"],
)
def test_one_array_of_mean_and_log_variance_warns_with_a_line_that_works(join):
    fn = returning(MEAN, LOG_VAR, form=join)
    with pytest.warns(GuessWarning) as caught:
        encode(fn, X)
    line = caught[0].message.fix.python.split(", write ")[1].split(". If")[0]
    declared = encode(eval(line, {"vaeviz": vaeviz, "fn": fn}), X)
    np.testing.assert_allclose(declared.mean[:, :D], MEAN, rtol=1e-6)
    np.testing.assert_allclose(declared.std[:, :D], STD, rtol=1e-5)


@pytest.mark.parametrize("form", [lambda v: v[0], in_dict("mean"), in_dict("embedding"), tuple, list])
def test_a_mean_alone_is_a_deterministic_encoder(form):
    assert_read(encode(returning(MEAN, form=form), X), std=None)


def test_torch_distributions_are_known():
    torch = pytest.importorskip("torch")
    mean, std = torch.from_numpy(MEAN), torch.from_numpy(STD)

    def normal(x):
        rows = x[:, 0].long()
        return torch.distributions.Normal(mean[rows], std[rows])

    def independent(x):
        return torch.distributions.Independent(normal(x), 1)

    def multivariate(x):
        rows = x[:, 0].long()
        return torch.distributions.MultivariateNormal(mean[rows], scale_tril=torch.diag_embed(std[rows]))

    for fn in (normal, independent, multivariate):
        assert_read(encode(fn, X))


@pytest.mark.parametrize(
    ("returns", "fn"),
    [
        ("mean,log_var", returning(MEAN, LOG_VAR)),
        ("mean,std", returning(MEAN, STD)),
        ("mean,var", returning(MEAN, STD**2)),
        ("mean, std", returning(MEAN, STD)),
        ("std,mean", returning(STD, MEAN)),
        ("z,mean,log_var", returning(Z, MEAN, LOG_VAR)),
        ("z,mean,std,features", returning(Z, MEAN, STD, OTHER)),
        ("mu,logvar", returning(MEAN, LOG_VAR)),
        ("mean,logvar", returning(MEAN, LOG_VAR)),
        ("loc,scale", returning(MEAN, STD)),
    ],
)
def test_declared_returns_are_used(returns, fn, recwarn):
    assert_read(encode(Encoder(fn, returns=returns), X))
    assert not recwarn.list


def test_a_spread_can_be_declared_away():
    assert_read(encode(Encoder(returning(MEAN, LOG_VAR), returns="mean,other"), X), std=None)
    assert_read(encode(Encoder(alone, returns="mean"), X), std=None)


@pytest.mark.parametrize(
    ("fn", "std", "declaration"),
    [
        (returning(MEAN, STD), np.exp(0.5 * STD), 'returns="mean,std"'),
        (sampling(MEAN, STD, "z"), STD, 'returns="mean,std,z"'),
        (sampling(MEAN, STD**2, "z"), STD, 'returns="mean,var,z"'),
        (sampling(MEAN, LOG_VAR / 2, "z"), STD, 'returns="mean,log_std,z"'),
    ],
)
def test_an_unusual_spread_warns_with_the_declaration(fn, std, declaration):
    with pytest.warns(GuessWarning) as caught:
        assert_read(encode(fn, X), std=std)
    assert declaration in caught[0].message.fix.python


@pytest.mark.parametrize(
    ("values", "returns"),
    [
        ((MEAN, LOG_VAR, Z), "mean,log_var,other"),  # z is the same each time, which may be a reconstruction
        ((OTHER[:, :D], MEAN, LOG_VAR), "other,mean,log_var"),
        ((MEAN, LOG_VAR, MEAN), "mean,log_var,z"),
        ((MEAN, MEAN, LOG_VAR), "z,mean,log_var"),
        ((OTHER, MEAN, LOG_VAR), "other,mean,log_var"),
        ((MEAN, STD, 9 * OTHER[:, :D]), "mean,log_var,other"),
    ],
)
def test_three_outputs_without_proof_are_an_error_whose_fix_works(values, returns):
    fn = returning(*values)
    with pytest.raises(InputError) as caught:
        encode(fn, X)
    assert f'Encoder(fn, returns="{returns}")' in caught.value.fix.python
    assert f"--returns {returns}" in caught.value.fix.command_line
    np.testing.assert_allclose(encode(Encoder(fn, returns=returns), X).mean, MEAN, rtol=1e-6)


@pytest.mark.parametrize("kind", ["log_var", "log_std"])
@pytest.mark.parametrize("sign", [1, -1])
def test_an_extreme_log_variance_warns_with_its_row_and_dimension(kind, sign):
    values = LOG_VAR.copy()
    values[17, 1] = 70 * sign
    encoder = Encoder(returning(MEAN, values), returns=f"mean,{kind}", batch_size=10)
    with pytest.warns(GuessWarning, match=r"row 17, dimension 2") as caught:
        encode(encoder, X)
    assert len(caught) == 1
    assert "clamp" in caught[0].message.fix.python


@pytest.mark.parametrize("name", ["log_sigma", "z_scale_diag", "std_raw"])
def test_a_spread_of_an_unknown_kind_is_ignored_with_a_warning(name):
    with pytest.warns(GuessWarning, match=name):
        assert_read(encode(returning(MEAN, LOG_VAR, form=in_dict("mean", name)), X), std=None)


def test_outputs_of_other_names_are_ignored(recwarn):
    assert_read(encode(returning(Z, MEAN, OTHER, form=in_dict("z", "mean", "features")), X), std=None)
    assert not recwarn.list


@pytest.mark.parametrize("returns", ["std", "mean,mean", "mean,std,var", "", "mean,log_sigma"])
def test_an_invalid_declaration_is_an_error(returns):
    with pytest.raises(InputError, match="returns"):
        Encoder(returning(MEAN), returns=returns)


@pytest.mark.parametrize(
    ("encoder", "got", "fix"),
    [
        (Encoder(alone, returns="mean,log_var"), "ndarray", 'returns="mean"'),
        (Encoder(returning(MEAN, LOG_VAR), returns="z,mean,log_var"), "2 outputs", "returns"),
        (Encoder(returning(MEAN, LOG_VAR), returns="mean,std"), "-3", 'returns="mean,log_var"'),
        (Encoder(returning(MEAN, LOG_VAR), returns="mean,var"), "-3", 'returns="mean,log_var"'),
        (returning(MEAN, LOG_VAR, Z, OTHER), "4 outputs", 'returns="mean,log_var,other,other"'),
        (returning(MEAN, LOG_VAR[:, :2]), "(50, 2)", 'returns="mean,other"'),
        (returning(Z, OTHER, form=in_dict("h", "out")), "h, out", 'returns="mean,other"'),
        (returning(MEAN, 300 + 0 * LOG_VAR), "NaN or infinite values", "Clamp"),
    ],
)
@pytest.mark.filterwarnings("ignore::vaeviz.GuessWarning")
def test_outputs_that_do_not_fit_are_an_error_with_advice(encoder, got, fix):
    with pytest.raises(InputError, match=r"encoder .*\(50, 1\)") as caught:
        encode(encoder, X)
    assert caught.value.got == got
    assert fix in caught.value.fix.python


@pytest.mark.parametrize(
    ("value", "got"),
    [
        (None, "NoneType"),
        ("text", "<U4"),
        ([[1, 2], [3]], "ragged"),
        (object(), "object"),
        (np.ones(2) * 1j, "complex128"),
        ([None, None], "list"),
    ],
)
def test_other_values_than_numbers_are_an_error(value, got):
    with pytest.raises(InputError, match=got):
        as_array(value)


def test_tensors_become_numpy_arrays():
    torch = pytest.importorskip("torch")
    assert as_array(torch.ones(2, 3, requires_grad=True)).dtype == np.float32
    assert as_array(torch.ones(2, dtype=torch.bfloat16)).tolist() == [1, 1]
    assert as_array(torch.arange(3)).tolist() == [0, 1, 2]


CODES = np.random.default_rng(3).normal(size=(N, 4)).astype(np.float32)


def test_a_standard_deviation_beside_its_log_variance_shows_the_mean():
    mean, log_var = CODES[:, :2], CODES[:, 2:] - 1
    std = np.exp(0.5 * log_var)
    for outputs in ((mean, std, log_var), (mean, log_var, std), (log_var, std, mean)):  # the first as in ctgan
        posterior = encode(lambda x, outputs=outputs: tuple(one[x[:, 0].astype(int)] for one in outputs), X)
        np.testing.assert_array_equal(posterior.mean, mean)
        np.testing.assert_allclose(posterior.std, std, rtol=1e-5)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_a_mean_and_a_standard_deviation_that_are_added_show_both(order, recwarn):
    x = np.random.default_rng(0).standard_normal((30, 5)).astype(np.float32)

    def encoder(x):
        mean, log_var = x[:, :2], x[:, 2:4]
        values = mean, log_var, mean + np.exp(log_var / 2)
        return tuple(values[i] for i in order)

    posterior = encode(encoder, x)
    np.testing.assert_array_equal(posterior.mean, x[:, :2])
    np.testing.assert_allclose(posterior.std, np.exp(x[:, 2:4] / 2), rtol=1e-6)
    assert not recwarn


def test_log_densities_are_not_advised_as_mean_and_spread():
    def flow(x):  # z, ln q(z) and ln p(z), as in normflows
        z = CODES[x[:, 0].astype(int)]
        return z, -(z**2).sum(axis=1, keepdims=True), z.sum(axis=1, keepdims=True) - 9

    with pytest.raises(InputError) as caught:
        encode(flow, np.repeat(X, 6, axis=1))
    assert 'returns="mean,other,other"' in caught.value.fix.python
    with pytest.raises(InputError) as caught:
        encode(lambda x: flow(x)[:2], np.repeat(X, 6, axis=1))
    assert "concentration" not in caught.value.fix.python


def test_losses_masks_and_indices_are_not_advised_as_codes():
    def masked_autoencoder(x):
        return {"loss": np.float32(1), "logits": CODES[: len(x)], "mask": CODES[: len(x)] > 0, "ids": np.arange(len(x))}

    with pytest.raises(InputError) as caught:
        encode(masked_autoencoder, X)
    assert caught.value.fix.python.count("Encoder(") == 1
    assert 'returns="other,mean,other,other"' in caught.value.fix.python


@pytest.mark.parametrize("name", ["precision", "log_precision", "scale_tril", "covariance_matrix"])
def test_a_named_spread_that_is_not_used_causes_a_warning(name):
    with pytest.warns(vaeviz.GuessWarning, match=name):
        posterior = vaeviz.encode(lambda x: {"mean": x[:, :2], name: np.exp(x[:, :2])}, np.ones((5, 4), np.float32))
    assert posterior.std is None


@pytest.mark.parametrize("size", [N, 7])
@pytest.mark.parametrize("place", ["beside", "after"])
def test_the_state_of_a_model_is_not_taken_for_its_codes(size, place):
    """Flax and Haiku return updated statistics, which have names, beside outputs that have none."""
    state = {"batch_stats": {"mean": RNG.random(size), "var": RNG.random(size), "counter": np.zeros(())}}

    def with_state(codes):
        return (codes, state) if place == "after" else (*codes, state)

    posterior = encode(Encoder(returning(MEAN, LOG_VAR, form=with_state)), X)
    np.testing.assert_allclose(posterior.mean, MEAN, rtol=1e-6)
    np.testing.assert_allclose(posterior.std, STD, rtol=1e-5)
    np.testing.assert_allclose(encode(returning(MEAN, form=lambda v: (v[0], state)), X).mean, MEAN, rtol=1e-6)
