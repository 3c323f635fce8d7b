"""Encoders whose posterior is not a Gaussian with independent dimensions, and encoders of discrete codes."""

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
    """The distribution of hyperspherical VAEs, whose `stddev` is a concentration."""

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
    """An encoder that receives tensors."""
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
def test_the_means_of_other_posteriors_are_used(encoder, family, recwarn):
    encoder = of_tensors(encoder)
    posterior = encode(encoder, X)
    mean = encoder(torch.from_numpy(X)).mean.numpy()
    np.testing.assert_allclose(posterior.mean, mean, rtol=1e-5)
    assert posterior.std is None
    assert posterior.prior is None
    assert posterior.family == posterior[:2].family == family
    assert family in posterior.why_no_spread
    assert not recwarn.list
    assert f"mean of a {family}" in str(inspect(encoder=encoder, x=X))


def normal(x):
    return Normal(x, 0.3)


class DiagonalNormal(Independent):
    """As in zuko."""

    def __init__(self, mean, std):
        super().__init__(Normal(mean, std), 1)


@pytest.mark.parametrize(
    "encoder",
    [
        normal,
        lambda x: Independent(normal(x), 1),
        lambda x: DiagonalNormal(x, 0.3),
        lambda x: normal(x[0]).expand((len(x), 3)) if len(x) == 1 else normal(x),
        lambda x: MultivariateNormal(x, scale_tril=0.3 * torch.eye(3)),
        lambda x: LowRankMultivariateNormal(x, torch.zeros(len(x), 3, 1), 0.09 * torch.ones(len(x), 3)),
        lambda x: SimpleNamespace(mean=x, variance=0.09 * torch.ones_like(x)),
        lambda x: SimpleNamespace(latent_dist=normal(x)),
    ],
)
def test_gaussians_with_independent_dimensions_are_recognized(encoder):
    posterior = encode(of_tensors(encoder), X)
    np.testing.assert_allclose(posterior.mean, X, rtol=1e-6)
    np.testing.assert_allclose(posterior.std, 0.3, rtol=1e-5)
    assert (posterior.family, posterior.prior) == (None, "normal")


@pytest.mark.parametrize(
    "encoder, got, fix",
    [
        (lambda x: Categorical(logits=x), "Categorical", "embeddings"),
        (lambda x: RelaxedOneHotCategorical(torch.tensor(0.5), logits=x), "RelaxedOneHotCategorical", "probabilities"),
        (lambda x: Cauchy(x, torch.ones_like(x)), "Cauchy", "(N, D)"),
        (lambda x: x.argmax(dim=1), "int64", 'returns="mean"'),
        (lambda x: (x > 0).reshape(-1, 3, 1), "bool", "embeddings"),
        (lambda x: {"mean": x.long()}, "int64", "embeddings"),
        (
            Encoder(lambda x: (x / np.linalg.norm(x, axis=1)[:, None], np.ones((len(x), 1))), returns="mean,std"),
            "(7, 1)",
            'returns="mean,concentration"',
        ),
        (Encoder(lambda x: (x + 2, np.ones((len(x), 1))), returns="mean,std"), "(7, 1)", 'returns="mean,other"'),
    ],
)
def test_outputs_that_are_not_points_of_a_latent_space_are_an_error(encoder, got, fix):
    with pytest.raises(InputError) as caught:
        encode(encoder if isinstance(encoder, Encoder) else of_tensors(encoder), X)
    assert caught.value.got == got
    assert fix in caught.value.fix.python


def test_a_concentration_can_be_declared():
    encoder = Encoder(lambda x: (x, np.ones((len(x), 1))), returns="mean,concentration")
    assert encode(encoder, X).std is None


def test_embeddings_and_probabilities_of_discrete_codes_are_encoded():
    book = np.arange(12, dtype=np.float32).reshape(4, 3)
    posterior = encode(lambda x: book[np.asarray(x).argmax(axis=1)], X)
    np.testing.assert_array_equal(posterior.mean, book[X.argmax(axis=1)])
    probabilities = encode(of_tensors(lambda x: Categorical(logits=x).probs), X)
    np.testing.assert_allclose(probabilities.mean.sum(axis=1), 1, rtol=1e-6)


def test_integer_codes_can_be_declared_continuous():
    encoder = Encoder(lambda x: np.round(3 * x).astype(int), returns="mean")
    np.testing.assert_array_equal(encode(encoder, X).mean, np.round(3 * X))


def test_a_posterior_accepts_integers():
    assert Posterior([[0, 1], [1, 0]]).mean.dtype == np.float32


@pytest.mark.parametrize("library", ["pyro", "numpyro"])
def test_distributions_of_pyro_and_numpyro(library):
    made = pytest.importorskip(f"{library}.distributions")
    array = torch.as_tensor if library == "pyro" else np.asarray
    for build in (lambda x: made.Normal(x, 0.3), lambda x: made.Normal(x, 0.3).to_event(1)):
        np.testing.assert_allclose(encode(lambda x: build(array(x)), X).std, 0.3, rtol=1e-5)  # noqa: B023
    assert encode(lambda x: made.Laplace(array(x), array(np.float32(0.3))), X).family == "Laplace"
    with pytest.raises(InputError, match="Categorical"):
        encode(lambda x: made.Categorical(logits=array(x)), X)
