from collections import namedtuple
from types import SimpleNamespace

import numpy as np
import pytest

from vaeviz import Encoder, GuessWarning, Posterior, encode
from vaeviz.data.arrays import as_array
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


alone = returning(MEAN, form=lambda values: values[0])


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


def test_a_posterior_is_indexed_like_its_means():
    posterior = Posterior(MEAN, STD, "normal", code_shape=(3, 1))
    some = posterior[[4, 2]]
    assert len(some) == 2
    assert some.size == D
    assert (some.prior, some.code_shape) == ("normal", (3, 1))
    np.testing.assert_array_equal(some.mean, MEAN[[4, 2]])
    np.testing.assert_array_equal(posterior[MEAN[:, 0] > 0].std, STD[MEAN[:, 0] > 0])


@pytest.mark.parametrize(
    ("mean", "std", "told"),
    [
        (MEAN[0], None, r"means of shape \(3,\), expected \(N, D\)"),
        (MEAN, STD[:, :2], r"std of shape \(50, 2\), expected that of the means, \(50, 3\)"),
        (MEAN, -STD, "negative standard deviation"),
    ],
)
def test_a_malformed_posterior_is_an_error(mean, std, told):
    with pytest.raises(InputError, match=told):
        Posterior(mean, std)


@pytest.mark.parametrize(
    "fn",
    [
        returning(MEAN, LOG_VAR),
        returning(MEAN, LOG_VAR, form=list),
        returning(MEAN, LOG_VAR, Z),
        returning(Z, MEAN, LOG_VAR),
        returning(MEAN, LOG_VAR, MEAN),
        returning(MEAN, MEAN, LOG_VAR),
        returning(MEAN, LOG_VAR, form=in_dict("mean", "log_var")),
        returning(MEAN, LOG_VAR, form=in_dict("mu", "logvar")),
        returning(Z, MEAN, LOG_VAR, form=in_dict("z", "z_mean", "z_log_var")),
        returning(MEAN, STD, form=in_dict("loc", "scale")),
        returning(MEAN, STD**2, form=in_dict("mean", "var")),
        returning(MEAN, LOG_VAR, form=lambda v: namedtuple("Out", "mu log_var")(*v)),
        returning(Z, MEAN, LOG_VAR, form=lambda v: namedtuple("Out", "z mu log_var")(*v)),
        returning(MEAN, STD, form=lambda v: SimpleNamespace(mean=v[0], stddev=v[1])),
        returning(MEAN, STD, form=lambda v: SimpleNamespace(latent_dist=SimpleNamespace(mean=v[0], std=v[1]))),
    ],
)
def test_means_and_spreads_are_found_in_what_encoders_return(fn, recwarn):
    assert_read(encode(fn, X))
    assert not recwarn.list


@pytest.mark.parametrize("form", [lambda v: v[0], in_dict("mean"), in_dict("embedding"), tuple, list])
def test_a_lone_mean_is_a_deterministic_encoder(form):
    assert_read(encode(returning(MEAN, form=form), X), std=None)


def test_torch_distributions_are_read():
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
def test_declared_returns_are_taken_at_their_word(returns, fn, recwarn):
    assert_read(encode(Encoder(fn, returns=returns), X))
    assert not recwarn.list


def test_a_spread_can_be_declared_away():
    assert_read(encode(Encoder(returning(MEAN, LOG_VAR), returns="mean,other"), X), std=None)
    assert_read(encode(Encoder(alone, returns="mean"), X), std=None)


@pytest.mark.parametrize(
    ("fn", "std", "declaration"),
    [
        (returning(MEAN, STD), np.exp(0.5 * STD), 'returns="mean,std"'),
        (returning(MEAN, STD, MEAN), np.exp(0.5 * STD), 'returns="mean,std"'),
        (returning(MEAN, STD, Z), STD, "returns='mean,std,z'"),  # z scatters by it
        (returning(MEAN, STD**2, Z), STD, "returns='mean,var,z'"),
        (returning(MEAN, STD, 9 * OTHER[:, :D]), np.exp(0.5 * STD), 'returns="mean,log_var,z"'),  # by neither
    ],
)
def test_an_unsafe_guess_warns_and_shows_what_to_write(fn, std, declaration):
    with pytest.warns(GuessWarning) as caught:
        assert_read(encode(fn, X), std=std)
    assert declaration in str(caught[0].message)


@pytest.mark.parametrize("name", ["log_sigma", "z_scale_diag", "posterior_std"])
def test_a_spread_of_an_unknown_kind_is_left_out_with_a_warning(name):
    with pytest.warns(GuessWarning, match=f"the output '{name}' was left out"):
        assert_read(encode(returning(MEAN, LOG_VAR, form=in_dict("mean", name)), X), std=None)


def test_outputs_of_other_names_are_left_out_without_one(recwarn):
    assert_read(encode(returning(Z, MEAN, OTHER, form=in_dict("z", "mean", "features")), X), std=None)
    assert not recwarn.list


@pytest.mark.parametrize(
    ("returns", "told"),
    [
        ("std", "expected `mean` once"),
        ("mean,mean", "expected `mean` once"),
        ("mean,std,var", "at most one of log_var, var, std"),
        ("", "expected `mean` once"),
    ],
)
def test_a_wrong_declaration_is_an_error_at_once(returns, told):
    with pytest.raises(InputError, match=told):
        Encoder(returning(MEAN), returns=returns)


@pytest.mark.parametrize(
    ("encoder", "told"),
    [
        (Encoder(alone, returns="mean,log_var"), "got one ndarray, expected the several outputs"),
        (Encoder(returning(MEAN, LOG_VAR), returns="z,mean,log_var"), "got 2 outputs, expected at least 3"),
        (Encoder(returning(MEAN, LOG_VAR), returns="mean,std"), "negative values .* is it a log-variance?"),
        (Encoder(returning(MEAN, LOG_VAR), returns="mean,var"), "negative values .* is it a log-variance?"),
        (returning(MEAN, LOG_VAR, Z, OTHER), "got 4 outputs, expected a mean"),
        (returning(MEAN, LOG_VAR[:, :2]), r"mean of shape \(50, 3\) and a spread of shape \(50, 2\)"),
        (returning(Z, form=in_dict("z")), "outputs named z; none of them is known as the posterior mean"),
        (returning(MEAN, 300 + 0 * LOG_VAR), "spread with NaN or infinite"),
    ],
)
@pytest.mark.filterwarnings("ignore::vaeviz.GuessWarning")
def test_outputs_that_do_not_fit_are_an_error(encoder, told):
    with pytest.raises(InputError, match=rf"^encoder .*, given a batch of shape \(50, 1\): .*{told}"):
        encode(encoder, X)


@pytest.mark.parametrize(
    ("value", "got"),
    [
        (None, "got NoneType"),
        ("text", "got an array of <U4"),
        ([[1, 2], [3]], "got a ragged list"),
        (object(), "got object"),
        (np.ones(2) * 1j, "got an array of complex128"),
        ([None, None], "got list"),
    ],
)
def test_what_is_no_array_of_numbers_is_an_error(value, got):
    with pytest.raises(InputError, match=f"^{got}, expected an array"):
        as_array(value)


def test_arrays_of_torch_become_arrays_of_numbers():
    torch = pytest.importorskip("torch")
    assert as_array(torch.ones(2, 3, requires_grad=True)).dtype == np.float32
    assert as_array(torch.ones(2, dtype=torch.bfloat16)).tolist() == [1, 1]
    assert as_array(torch.arange(3)).tolist() == [0, 1, 2]
