"""Every analysis of every unusual posterior returns finite numbers, or raises an error with advice."""

import warnings
from dataclasses import fields, is_dataclass

import numpy as np
import pytest

import vaeviz
from vaeviz import Encoder, InputError, Model, NotApplicable, Posterior
from vaeviz.analysis.active_dimensions import active_dimensions
from vaeviz.analysis.aggregate_posterior import aggregate_quantiles
from vaeviz.analysis.class_structure import class_structure
from vaeviz.analysis.disentanglement import codes_for_scores, disentanglement
from vaeviz.analysis.importance_bound import importance_bound
from vaeviz.analysis.map_quality import map_quality
from vaeviz.analysis.rate_distortion import measure_rate_point
from vaeviz.analysis.reconstruction import reconstruction_errors, roc
from vaeviz.analysis.similarity import code_similarity
from vaeviz.analysis.traversals import effect_ranking, traversal_ends

N, D = 60, 3
RNG = np.random.default_rng(0)
X = RNG.random((N, 5)).astype(np.float32)
MEAN, STD = RNG.standard_normal((N, D)), np.full((N, D), 0.4)
FACTORS = RNG.standard_normal((N, 2))
CLASSES = np.arange(N) % 3


def decoder(z):
    return 1 / (1 + np.exp(-z @ np.linspace(-1, 1, 15).reshape(3, 5)))


def likelihood(x, z):
    return -((x - decoder(z)) ** 2).sum(axis=1)


def column(array, value):
    array = array.copy()
    array[:, 0] = value
    return array


POSTERIORS = {
    "deterministic": Posterior(MEAN),
    "von Mises-Fisher": Posterior(MEAN, family="VonMisesFisher"),
    "no prior": Posterior(MEAN, STD),
    "infinite KL": Posterior(MEAN, column(STD, 0), "normal"),
    "almost infinite KL": Posterior(MEAN, column(STD, 1e-30), "normal"),
    "constant dimension": Posterior(column(MEAN, 0.5), column(STD, 1), "normal"),
    "constant deterministic dimension": Posterior(column(MEAN, 0.5)),
    "collapsed": Posterior(0 * MEAN, 1 + 0 * STD, "normal"),
    "all codes the same": Posterior(1 + 0 * MEAN),
    "two samples": Posterior(MEAN[:2], STD[:2], "normal"),
    "one sample": Posterior(MEAN[:1], STD[:1], "normal"),
}
ANALYSES = {
    "elbo_terms": lambda q: vaeviz.elbo_terms(q, X[: len(q)], likelihood, n_codes=50),
    "find_holes": lambda q: vaeviz.find_holes(q, n_codes=50),
    "prior_mismatch": lambda q: vaeviz.prior_mismatch(q, n_codes=50, n_permutations=120),
    "triage": lambda q: vaeviz.triage(q, decoder, X, n_samples=8),
    "importance_bound": lambda q: importance_bound(likelihood, X[: len(q)], q, n_draws=10),
    "measure_rate_point": lambda q: measure_rate_point(
        Model(
            Encoder(lambda x: tuple(part for part in (q.mean, q.std) if part is not None), returns=returns(q)),
            inputs={"likelihood": likelihood},
        ),
        X[: len(q)],
    ),
    "code_similarity": lambda q: code_similarity(q.mean, MEAN[: len(q)], k=3),
    "disentanglement": lambda q: disentanglement(q.mean, FACTORS[: len(q)]),
    "codes_for_scores": lambda q: codes_for_scores(q, "samples", 0),
    "map_quality": lambda q: map_quality(q.mean, MEAN[: len(q), :2], (3,)),
    "class_structure": lambda q: class_structure(q.mean, CLASSES[: len(q)], (1, 3)),
    "aggregate_quantiles": lambda q: aggregate_quantiles(q, (0.1, 0.9)),
    "active_dimensions": active_dimensions,
    "traversals": lambda q: traversal_ends(q, "aggregate")[:, effect_ranking(decoder, q)],
    "reconstruction_errors": lambda q: reconstruction_errors(X[: len(q)], decoder(q.mean)),
    "roc": lambda q: roc(q.mean[:, 0], q.mean[:, 1]),
}
MAY_BE_NAN = {"errors", "error", "rate_error", "distortion_error", "standard_error", "silhouettes"}
MAY_BE_NAN |= {"information", "importance", "left_out", "kl", "kl_error", "variance_error"}
"""Fields that may be NaN or infinite, as their docstrings say."""


def returns(q):
    return "mean,std" if q.std is not None else "mean,other"


def numbers(found, name=""):
    """Yield (name of the field, values) of all numbers in a result."""
    if is_dataclass(found):
        for field in fields(found):
            yield from () if field.name in MAY_BE_NAN else numbers(getattr(found, field.name), field.name)
    elif isinstance(found, tuple):
        for part in found:
            yield from numbers(part, name)
    elif found is not None and not isinstance(found, str):
        yield name, np.asarray(found, dtype=float)


@pytest.fixture(autouse=True)
def _few_trees(monkeypatch):
    for name, count in {"N_TREES": 3, "N_SHUFFLES": 1, "N_VOTES": 40}.items():
        monkeypatch.setattr(f"vaeviz.analysis.disentanglement.{name}", count)


@pytest.mark.parametrize("case", POSTERIORS)
@pytest.mark.parametrize("name", ANALYSES)
def test_analysis_returns_finite_numbers_or_raises_an_error(name, case):
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        try:
            found = ANALYSES[name](POSTERIORS[case])
        except (InputError, NotApplicable) as reason:
            assert 20 < len(str(reason)) < 300
            return
    for field, values in numbers(found):
        assert np.isfinite(values).all(), field


@pytest.mark.parametrize("name", ["elbo_terms", "find_holes", "prior_mismatch", "triage", "importance_bound"])
@pytest.mark.parametrize(
    ("case", "token"),
    [("von Mises-Fisher", "VonMisesFisher"), ("deterministic", "deterministic"), ("infinite KL", "infinite")],
)
def test_error_says_what_is_wrong_with_the_posterior(name, case, token):
    with pytest.raises(NotApplicable, match=token):
        ANALYSES[name](POSTERIORS[case])
