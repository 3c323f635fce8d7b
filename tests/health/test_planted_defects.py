"""Each verdict on a planted defect, and on the linear VAE at its optimum, of which nothing may be flagged."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import vaeviz
from vaeviz.analysis.linear_vae import linear_vae
from vaeviz.health.analyze import CHECKS

CLASSES = 4


def control(latent_dim, seed, *, total=700, beta=1.0, values=12):
    """A linear VAE at its optimum, data that it is the optimum for, and classes along their first axis."""
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.standard_normal((values, values)))[0]
    strong, weak = np.geomspace(8, 2.5, latent_dim), np.linspace(0.6, 0.3, values - latent_dim)
    variances = np.concatenate([strong, weak])
    vae = linear_vae(axes @ np.diag(variances) @ axes.T, latent_dim, beta=beta)
    x = (rng.standard_normal((total, values)) * np.sqrt(variances)) @ axes.T
    labels = (x @ axes[:, 0]).argsort().argsort() * CLASSES // total
    return SimpleNamespace(vae=vae, x=x, labels=labels)


def verdicts(control, *, encode=None, decode=None, findings=None, settings=None):
    """The verdicts by name, of the control with another encoder or decoder in its place."""
    report = vaeviz.analyze(
        encoder=encode or control.vae.encode,
        decoder=decode or control.vae.decode,
        x=control.x,
        labels=control.labels,
        likelihood=control.vae.log_likelihood,
        findings=findings,
        settings=settings,
    )
    return {finding.name: finding.verdict for finding in report.findings}


def changed(control, change):
    """The control's encoder with `change` made to its means and standard deviations."""

    def encode(x):
        mean, log_var = control.vae.encode(x)
        mean, std = change(mean, np.exp(log_var / 2))
        return mean, 2 * np.log(std)

    return encode


@pytest.fixture(scope="module")
def three():
    return control(3, 0)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("latent_dim", [1, 2, 8])
def test_the_linear_vae_at_its_optimum_is_healthy(latent_dim, seed):
    found = verdicts(control(latent_dim, seed))
    assert found.pop("information") in ("healthy", "not applicable")  # of 8 dimensions, 700 samples tell too little
    assert set(found.values()) == {"healthy"}


def test_its_information_is_healthy_where_the_samples_suffice():
    assert verdicts(control(3, 1), findings=["information"]) == {"information": "healthy"}


def shifted(at):
    return changed(at, lambda mean, std: (mean + 0.9, std)), lambda z: at.vae.decode(z - 0.9)


def too_narrow(at):
    return changed(at, lambda mean, std: (0.4 * mean, 0.4 * std)), lambda z: at.vae.decode(z / 0.4)


def with_a_gap(at):
    """No mean within 1.6 of the origin, where in three dimensions 54 % of the prior lies."""

    def pushed(z):
        radius = np.linalg.norm(z, axis=1, keepdims=True)
        return z / radius * np.sqrt(radius**2 + 1.6**2)

    return changed(at, lambda mean, std: (pushed(mean), 0.3 * std)), at.vae.decode


def folded(at):
    """Two dimensions that hold the same: together far from the prior, each alone as it should be."""
    return changed(at, lambda mean, std: (mean[:, [0, 0, 2]], std[:, [0, 0, 2]])), at.vae.decode


def paid_for_nothing(at):
    return changed(at, lambda mean, std: (mean + 2.5, std)), lambda z: at.vae.decode(z - 2.5)


def turned(at):
    """An encoder that has the sign of every code wrong."""
    return changed(at, lambda mean, std: (-mean, std)), at.vae.decode


def nearly_deterministic(at):
    return changed(at, lambda mean, std: (mean, 0.3 * std)), at.vae.decode


def too_wide(at):
    return changed(at, lambda mean, std: (mean, 2 * std)), at.vae.decode


def deaf(at):
    return at.vae.encode, lambda z: at.vae.decode(z * [1, 0, 1])


def mean_of_the_data(at):
    return at.vae.encode, lambda z: np.repeat(at.vae.mean[None], len(z), axis=0)


def shuffled(at):
    order = np.random.default_rng(5).permutation(len(at.x))
    mean, log_var = at.vae.encode(at.x)
    return vaeviz.Posterior(mean[order], np.exp(log_var[order] / 2), "normal"), at.vae.decode


DEFECTS = [
    ("ignored", deaf, {"ignored"}),
    ("marginals", shifted, {"marginals", "mismatch", "likelihood", "holes"}),
    ("marginals", too_narrow, {"marginals", "mismatch", "holes", "information", "spread"}),
    ("mismatch", shifted, None),
    ("mismatch", too_narrow, None),
    ("holes", with_a_gap, None),
    ("holes", folded, None),
    ("information", paid_for_nothing, None),
    ("likelihood", turned, None),
    ("spread", nearly_deterministic, {"spread"}),
    ("spread", too_wide, {"spread", "likelihood"}),
    ("reconstruction", mean_of_the_data, {"reconstruction", "ignored"}),
    ("reconstruction", shuffled, {"reconstruction", "classes", "neighbors", "likelihood"}),
    ("classes", shuffled, None),
    ("neighbors", shuffled, None),
]


@pytest.mark.parametrize("name, defect, at_most", DEFECTS, ids=[f"{name}-{d.__name__}" for name, d, _ in DEFECTS])
def test_a_planted_defect_is_flagged_and_nothing_unrelated_with_it(three, name, defect, at_most):
    encode, decode = defect(three)
    found = verdicts(three, encode=encode, decode=decode, findings=None if at_most else [name])
    assert found[name] == "flagged"
    flagged = {name for name, verdict in found.items() if verdict == "flagged"}
    assert flagged <= (at_most or {name})


def test_a_dead_dimension_is_flagged():
    weak = control(4, 0, beta=6.0)
    assert not weak.vae.active.all()
    found = vaeviz.analyze(encoder=weak.vae.encode, x=weak.x, findings=["collapsed"])["collapsed"]
    assert found.verdict == "flagged"
    assert found.numbers["collapsed"].tolist() == np.flatnonzero(~weak.vae.active).tolist()


def test_a_dimension_that_is_constant_off_the_prior_is_flagged_for_all_its_kl(three):
    encode = changed(three, lambda mean, std: (mean * [1, 0, 1] + [0, 0.7, 0], std * [1, 0, 1] + [0, 0.4, 0]))
    found = vaeviz.analyze(encoder=encode, x=three.x, findings=["collapsed"])["collapsed"]
    assert (found.verdict, found.value) == ("flagged", 1)
    assert found.numbers["kl"][1] > 0.5


THRESHOLDS = {  # by which the healthy control is flagged
    "ignored": {"min_effect": 100.0},
    "marginals": {"max_kl": -1.0},
    "holes": {"max_mass": 0.0},
    "information": {"min_share": 1.1},
    "likelihood": {"max_gap": -1.0},
    "reconstruction": {"min_share": 3.0},
    "classes": {"min_share": 3.0},
    "neighbors": {"min_share": 3.0},
    "collapsed": {"min_kl": 100.0},
}


@pytest.mark.parametrize("name", THRESHOLDS)
def test_thresholds_are_options(three, name):
    assert verdicts(three, findings=[name], settings={name: THRESHOLDS[name]}) == {name: "flagged"}


def test_a_threshold_that_allows_it_lets_a_defect_pass(three):
    encode, decode = shifted(three)
    at_ease = {"mismatch": {"max_shift": 9.0}, "marginals": {"max_kl": 1.0}}
    found = verdicts(three, encode=encode, decode=decode, findings=list(at_ease), settings=at_ease)
    assert set(found.values()) == {"healthy"}
    encode, decode = too_wide(three)
    assert verdicts(three, encode=encode, findings=["spread"], settings={"spread": {"max_factor": 3.0}}) == {
        "spread": "healthy"
    }


@pytest.mark.parametrize("question", CHECKS.values(), ids=CHECKS)
def test_every_finding_says_what_it_asks_and_where_its_threshold_is_from(question):
    assert question.summary.endswith("?")
    assert len(question.source) > 20
    assert all(option.default is not None or option.name == "min_effect" for option in question.options.values())


def test_a_conditional_model_is_measured_within_its_conditions():
    """The means of the classes explain most of x, and nothing within a class."""
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=600)
    z = rng.standard_normal((600, 1))
    offsets, direction = 10 * rng.standard_normal((3, 4)), np.array([[1.0, -1.0, 0.5, 2.0]])
    x = offsets[y] + z @ direction

    def encoder(x, y):
        return (x - offsets[y.astype(int)]) @ direction.T / (direction @ direction.T)

    def asked(decoder):
        model = vaeviz.Encoder(encoder, returns="mean", conditions=(0, 1, 2))
        parts = {"encoder": model, "decoder": vaeviz.Decoder(decoder, latent_shape=(1,), conditions=(0, 1, 2))}
        return vaeviz.analyze(x=x, condition=y, findings=["reconstruction"], **parts).findings[0]

    of_class = asked(lambda z, y: offsets[y.astype(int)])
    assert of_class.verdict == "flagged"
    assert of_class.value == pytest.approx(0, abs=0.02)
    whole = asked(lambda z, y: offsets[y.astype(int)] + z @ direction)
    assert whole.verdict == "healthy"
    assert whole.value == pytest.approx(1, abs=1e-6)
