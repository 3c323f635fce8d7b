"""Encoders whose posterior is no Gaussian with independent dimensions, or whose code is no point at all."""

from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest

from vaeviz import Encoder, InputError, Posterior, encode, inspect

torch = pytest.importorskip("torch")
from torch.distributions import (  # noqa: E402
    Bernoulli,
    Categorical,
    Cauchy,
    Distribution,
    Independent,
    Laplace,
    LogNormal,
    LowRankMultivariateNormal,
    MultivariateNormal,
    Normal,
    OneHotCategorical,
    RelaxedOneHotCategorical,
    StudentT,
    VonMises,
    constraints,
)

X = np.random.default_rng(0).standard_normal((7, 3)).astype(np.float32)
DEPENDENT = 0.1 * torch.eye(3) + 0.05


class VonMisesFisher(Distribution):
    """As packages of hyperspherical VAEs write it: its `stddev` is a concentration."""

    arg_constraints: ClassVar = {"loc": constraints.real_vector}

    def __init__(self, loc, scale):
        self.loc, self.scale = loc, scale
        super().__init__(loc.shape[:-1], loc.shape[-1:], validate_args=False)

    @property
    def mean(self):
        return self.loc * (1 / torch.tanh(self.scale) - 1 / self.scale)

    @property
    def stddev(self):
        return self.scale


def of_tensors(build):
    """An encoder that is sent tensors."""
    return lambda x: build(torch.as_tensor(x))


def on_the_sphere(x):
    return VonMisesFisher(x / x.norm(dim=1, keepdim=True), torch.full((len(x), 1), 30.0))


@pytest.mark.parametrize(
    "encoder, family",
    [
        (on_the_sphere, "VonMisesFisher"),
        (lambda x: VonMises(x, torch.tensor(4.0)), "VonMises"),
        (lambda x: Independent(Laplace(x, torch.tensor(0.3)), 1), "Laplace"),
        (lambda x: StudentT(torch.tensor(5.0), x), "StudentT"),
        (lambda x: LogNormal(x, 0.1), "LogNormal"),
        (lambda x: OneHotCategorical(logits=x), "OneHotCategorical"),
        (lambda x: Bernoulli(logits=x), "Bernoulli"),
        (lambda x: MultivariateNormal(x, DEPENDENT), "MultivariateNormal with dependent dimensions"),
        (
            lambda x: LowRankMultivariateNormal(x, torch.ones(len(x), 3, 1), torch.ones(len(x), 3)),
            "LowRankMultivariateNormal with dependent dimensions",
        ),
    ],
)
def test_of_another_posterior_the_means_are_used(encoder, family, recwarn):
    encoder = of_tensors(encoder)
    posterior = encode(encoder, X)
    mean = encoder(torch.from_numpy(X)).mean.numpy()
    np.testing.assert_allclose(posterior.mean, mean, rtol=1e-5)
    assert posterior.std is None
    assert posterior.prior is None
    assert posterior.family == posterior[:2].family == family
    assert f"q(z|x) is a {family}, of which only the means are used" in posterior.why_no_spread
    assert not recwarn.list
    assert f"mean of a {family}" in str(inspect(encoder=encoder, x=X))


def normal(x):
    return Normal(x, 0.3)


@pytest.mark.parametrize(
    "encoder",
    [
        normal,
        lambda x: Independent(normal(x), 1),
        lambda x: normal(x[0]).expand((len(x), 3)) if len(x) == 1 else normal(x),
        lambda x: MultivariateNormal(x, scale_tril=0.3 * torch.eye(3)),
        lambda x: LowRankMultivariateNormal(x, torch.zeros(len(x), 3, 1), 0.09 * torch.ones(len(x), 3)),
        lambda x: SimpleNamespace(mean=x, variance=0.09 * torch.ones_like(x)),
        lambda x: SimpleNamespace(latent_dist=normal(x)),
    ],
)
def test_a_gaussian_with_independent_dimensions_is_one_however_it_is_written(encoder):
    posterior = encode(of_tensors(encoder), X)
    np.testing.assert_allclose(posterior.mean, X, rtol=1e-6)
    np.testing.assert_allclose(posterior.std, 0.3, rtol=1e-5)
    assert (posterior.family, posterior.prior) == (None, "normal")


@pytest.mark.parametrize(
    "encoder, told",
    [
        (lambda x: Categorical(logits=x), "got a Categorical, which has no mean"),
        (
            lambda x: RelaxedOneHotCategorical(torch.tensor(0.5), logits=x),
            "got a RelaxedOneHotCategorical, which",
        ),
        (lambda x: Cauchy(x, torch.ones_like(x)), "got a Cauchy, which has no mean"),
        (lambda x: x.argmax(dim=1), r"got codes of int64, which are discrete .* embeddings \(N, D\)"),
        (lambda x: (x > 0).reshape(-1, 3, 1), "got codes of bool, which are discrete"),
        (lambda x: {"mean": x.long()}, "got codes of int64, which are discrete"),
        (
            Encoder(lambda x: (x, np.ones((len(x), 1))), returns="mean,std"),
            r'spread of shape \(7, 1\), .*; if .* von Mises–Fisher, write .*returns="mean,concentration"',
        ),
    ],
)
def test_what_is_no_point_of_a_latent_space_is_refused_with_what_would_do(encoder, told):
    with pytest.raises(InputError, match=told):
        encode(encoder if isinstance(encoder, Encoder) else of_tensors(encoder), X)


def test_the_concentration_of_a_sphere_can_be_declared_away():
    encoder = Encoder(lambda x: (x, np.ones((len(x), 1))), returns="mean,concentration")
    assert encode(encoder, X).std is None


def test_what_stands_for_discrete_codes_is_encoded():
    book = np.arange(12, dtype=np.float32).reshape(4, 3)
    posterior = encode(lambda x: book[np.asarray(x).argmax(axis=1)], X)
    np.testing.assert_array_equal(posterior.mean, book[X.argmax(axis=1)])
    probabilities = encode(of_tensors(lambda x: Categorical(logits=x).probs), X)
    np.testing.assert_allclose(probabilities.mean.sum(axis=1), 1, rtol=1e-6)


def test_whole_numbers_can_be_declared_to_be_numbers():
    encoder = Encoder(lambda x: np.round(3 * x).astype(int), returns="mean")
    np.testing.assert_array_equal(encode(encoder, X).mean, np.round(3 * X))


def test_a_posterior_of_whole_numbers_may_be_written_by_hand():
    assert Posterior([[0, 1], [1, 0]]).mean.dtype == np.float32


@pytest.mark.parametrize("library", ["pyro", "numpyro"])
def test_distributions_of_pyro_and_numpyro(library):
    made = pytest.importorskip(f"{library}.distributions")
    array = torch.as_tensor if library == "pyro" else np.asarray
    for build in (lambda x: made.Normal(x, 0.3), lambda x: made.Normal(x, 0.3).to_event(1)):
        np.testing.assert_allclose(encode(lambda x: build(array(x)), X).std, 0.3, rtol=1e-5)  # noqa: B023
    assert encode(lambda x: made.Laplace(array(x), array(np.float32(0.3))), X).family == "Laplace"
    with pytest.raises(InputError, match=r"got a Categorical.*, which has no mean"):
        encode(lambda x: made.Categorical(logits=array(x)), X)
