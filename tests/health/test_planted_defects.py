"""Each check flags its planted defect, and none flags the linear VAE at its optimum."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import vaeviz
from vaeviz.analysis.linear_vae import linear_vae
from vaeviz.health.analyze import CHECKS

pytestmark = pytest.mark.no_cover

N_CLASSES = 4
COMPARED_WITH_PCA = {"reconstruction", "classes", "neighbors"}
"""In eight dimensions a PCA does slightly better, since codes of a VAE shrink and have another scale in each."""


def control(latent_dim, seed, *, n_samples=700, beta=1.0, n_values=12):
    """Make a linear VAE at its optimum, its data, and classes along their first axis."""
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.standard_normal((n_values, n_values)))[0]
    strong, weak = np.geomspace(8, 2.5, latent_dim), np.linspace(0.6, 0.3, n_values - latent_dim)
    variances = np.concatenate([strong, weak])
    vae = linear_vae(axes @ np.diag(variances) @ axes.T, latent_dim, beta=beta)
    x = (rng.standard_normal((n_samples, n_values)) * np.sqrt(variances)) @ axes.T
    labels = (x @ axes[:, 0]).argsort().argsort() * N_CLASSES // n_samples
    return SimpleNamespace(vae=vae, x=x, labels=labels)


def report_of(control, *, encode=None, decode=None, checks=None, settings=None):
    """Return the report of the control, or of one with another encoder or decoder."""
    return vaeviz.analyze(
        encoder=encode or control.vae.encode,
        decoder=decode or control.vae.decode,
        x=control.x,
        labels=control.labels,
        likelihood=control.vae.log_likelihood,
        checks=checks,
        settings=settings,
    )


def statuses(control, **changes):
    """Return the status of each check by name."""
    return {result.name: result.status for result in report_of(control, **changes).checks}


def changed(control, change):
    """Return the control's encoder with its means and standard deviations changed."""

    def encode(x):
        mean, log_var = control.vae.encode(x)
        mean, std = change(mean, np.exp(log_var / 2))
        return mean, 2 * np.log(std)

    return encode


@pytest.fixture(scope="module")
def three():
    return control(3, 0)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))])
@pytest.mark.parametrize("latent_dim", [1, 2, 8])
def test_the_linear_vae_at_its_optimum_is_healthy(latent_dim, seed, builtin_checks):
    found = statuses(control(latent_dim, seed))
    not_healthy = {name for name, status in found.items() if status != "healthy"}
    not_applicable = {name for name, status in found.items() if status == "not applicable"}
    may_be_uncertain = {"information", *COMPARED_WITH_PCA} if latent_dim == 8 else set()
    assert "flagged" not in found.values()
    assert not_healthy - (not_applicable - {*builtin_checks}) <= may_be_uncertain


def test_information_is_healthy_if_there_are_enough_samples():
    assert statuses(control(3, 1), checks=["information"]) == {"information": "healthy"}


def shifted(at):
    return changed(at, lambda mean, std: (mean + 0.9, std)), lambda z: at.vae.decode(z - 0.9)


def too_narrow(at):
    return changed(at, lambda mean, std: (0.4 * mean, 0.4 * std)), lambda z: at.vae.decode(z / 0.4)


def with_a_gap(at):
    """No mean is within 1.6 of the origin, where 54 % of the prior is in three dimensions."""

    def pushed(z):
        radius = np.linalg.norm(z, axis=1, keepdims=True)
        return z / radius * np.sqrt(radius**2 + 1.6**2)

    return changed(at, lambda mean, std: (pushed(mean), 0.3 * std)), at.vae.decode


def folded(at):
    """Two dimensions are equal: each is distributed like the prior, and both together are not."""
    return changed(at, lambda mean, std: (mean[:, [0, 0, 2]], std[:, [0, 0, 2]])), at.vae.decode


def far_from_the_prior(at):
    return changed(at, lambda mean, std: (mean + 2.5, std)), lambda z: at.vae.decode(z - 2.5)


def sign_flipped(at):
    """An encoder with the wrong sign of every code."""
    return changed(at, lambda mean, std: (-mean, std)), at.vae.decode


def nearly_deterministic(at):
    return changed(at, lambda mean, std: (mean, 0.3 * std)), at.vae.decode


def too_wide(at):
    return changed(at, lambda mean, std: (mean, 2 * std)), at.vae.decode


def decoder_without_a_dimension(at):
    return at.vae.encode, lambda z: at.vae.decode(z * [1, 0, 1])


def mean_of_the_data(at):
    return at.vae.encode, lambda z: np.repeat(at.vae.mean[None], len(z), axis=0)


def shuffled(at):
    order = np.random.default_rng(5).permutation(len(at.x))
    mean, log_var = at.vae.encode(at.x)
    return vaeviz.Posterior(mean[order], np.exp(log_var[order] / 2), "normal"), at.vae.decode


DEFECTS = [  # check, defect, and the checks that it may flag; None runs this check alone
    ("ignored", decoder_without_a_dimension, {"ignored"}),
    ("marginals", shifted, {"marginals", "mismatch", "likelihood", "holes"}),
    ("marginals", too_narrow, {"marginals", "mismatch", "holes", "information", "spread"}),
    ("mismatch", shifted, None),
    ("mismatch", too_narrow, None),
    ("holes", with_a_gap, None),
    ("holes", folded, None),
    ("information", far_from_the_prior, None),
    ("likelihood", sign_flipped, None),
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
    found = statuses(three, encode=encode, decode=decode, checks=None if at_most else [name])
    assert found[name] == "flagged"
    flagged = {name for name, status in found.items() if status == "flagged"}
    assert flagged <= (at_most or {name})


def test_a_dead_dimension_is_flagged():
    weak = control(4, 0, beta=6.0)
    assert not weak.vae.active.all()
    found = vaeviz.analyze(encoder=weak.vae.encode, x=weak.x, checks=["collapsed"])["collapsed"]
    assert found.status == "flagged"
    assert found.numbers["collapsed"].tolist() == np.flatnonzero(~weak.vae.active).tolist()


def test_a_constant_dimension_away_from_the_prior_is_flagged_despite_its_kl(three):
    encode = changed(three, lambda mean, std: (mean * [1, 0, 1] + [0, 0.7, 0], std * [1, 0, 1] + [0, 0.4, 0]))
    found = vaeviz.analyze(encoder=encode, x=three.x, checks=["collapsed"])["collapsed"]
    assert (found.status, found.value) == ("flagged", 1)
    assert found.numbers["kl"][1] > 0.5


THRESHOLDS = {  # that flag the healthy control
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
def test_each_threshold_is_an_option(three, name):
    assert statuses(three, checks=[name], settings={name: THRESHOLDS[name]}) == {name: "flagged"}


def test_a_loose_threshold_accepts_a_defect(three):
    encode, decode = shifted(three)
    loose = {"mismatch": {"max_shift": 9.0}, "marginals": {"max_kl": 1.0}}
    found = statuses(three, encode=encode, decode=decode, checks=list(loose), settings=loose)
    assert set(found.values()) == {"healthy"}
    encode, decode = too_wide(three)
    assert statuses(three, encode=encode, checks=["spread"], settings={"spread": {"max_factor": 3.0}}) == {
        "spread": "healthy"
    }


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_every_check_has_a_question_a_caption_and_a_source(check):
    assert check.question.endswith("?")
    assert check.summary.endswith(".")
    assert check.source.strip()
    assert all(option.default is not None or option.name == "min_effect" for option in check.options.values())


def test_a_conditional_model_is_measured_within_its_conditions():
    """The means of the classes explain most of x, but nothing within a class."""
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=600)
    z = rng.standard_normal((600, 1))
    offsets, direction = 10 * rng.standard_normal((3, 4)), np.array([[1.0, -1.0, 0.5, 2.0]])
    x = offsets[y] + z @ direction

    def encoder(x, y):
        return (x - offsets[y.astype(int)]) @ direction.T / (direction @ direction.T)

    def result_with(decoder):
        model = vaeviz.Encoder(encoder, returns="mean", conditions=(0, 1, 2))
        parts = {"encoder": model, "decoder": vaeviz.Decoder(decoder, latent_shape=(1,), conditions=(0, 1, 2))}
        return vaeviz.analyze(x=x, condition=y, checks=["reconstruction"], **parts).checks[0]

    class_means = result_with(lambda z, y: offsets[y.astype(int)])
    assert class_means.status == "flagged"
    assert class_means.value == pytest.approx(0, abs=0.02)
    whole = result_with(lambda z, y: offsets[y.astype(int)] + z @ direction)
    assert whole.status == "healthy"
    assert whole.value == pytest.approx(1, abs=1e-6)


# What is not healthy either


def test_reconstructions_that_a_pca_beats_are_not_healthy(three):
    found = statuses(three, decode=lambda z: three.vae.decode(0.4 * z), checks=["reconstruction"])
    assert found == {"reconstruction": "uncertain"}


def test_classes_that_a_pca_separates_better_are_not_healthy(three):
    mean, log_var = three.vae.encode(three.x)
    mixed = np.arange(len(mean))
    mixed[::3] = np.random.default_rng(0).permutation(mixed[::3])
    posterior = vaeviz.Posterior(mean[mixed], np.exp(log_var[mixed] / 2), "normal")
    found = vaeviz.analyze(encoder=posterior, x=three.x, labels=three.labels, checks=["classes"])["classes"]
    assert found.status == "uncertain"
    assert found.threshold < found.value < found.baselines["a PCA with 3 dimensions"]


@pytest.mark.parametrize("std", [0.5, 1e-4])
def test_codes_far_from_the_prior_are_healthy_in_no_check_of_the_prior(three, std):
    encode = changed(three, lambda mean, _: (mean + 21, np.full_like(mean, std)))
    found = statuses(three, encode=encode, checks=["marginals", "mismatch", "holes", "information"])
    assert "healthy" not in found.values()


def test_a_spatial_code_has_no_ignored_dimensions(three):
    mean = np.random.default_rng(0).standard_normal((700, 16))
    posterior = vaeviz.Posterior(mean, np.full_like(mean, 0.5), "normal", code_shape=(1, 4, 4))
    found = vaeviz.analyze(encoder=posterior, decoder=lambda z: z, x=three.x, checks=["ignored"])["ignored"]
    assert found.status == "not applicable"
