"""The report and the figures of a set show the same number for the same thing."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

import vaeviz
from vaeviz.analysis.estimates import Estimate
from vaeviz.analysis.linear_vae import fitted_linear_vae

N_SAMPLES = 80  # fewer than there are, so that the choice of rows matters


@pytest.fixture(scope="module")
def parts():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((120, 6)) * [3, 2, 1, 0.3, 0.3, 0.3]
    vae = fitted_linear_vae(x, 2)
    return {"encoder": vae.encode, "x": x, "labels": (x[:, 0] > 0).astype(int), "likelihood": vae.log_likelihood}


def check_result(parts, name, **settings):
    return vaeviz.analyze(**parts, checks=name, settings={name: settings}, seed=3)[name]


def printed_value(result, unit=1):
    return str(Estimate(unit * result.value, unit * result.error))


def test_accuracy_of_neighbors(parts):
    result = check_result(parts, "classes", n_samples=N_SAMPLES)
    axes = vaeviz.latent_neighbors(
        parts["encoder"], parts["x"], parts["labels"], max_points=N_SAMPLES, seed=3, figure=Figure()
    )
    assert printed_value(result) in axes[1].get_title()


def test_mass_of_holes(parts):
    axes = vaeviz.prior_holes(parts["encoder"], parts["x"], seed=3, figure=Figure())
    assert printed_value(check_result(parts, "holes"), 100) in axes[0].get_title()


def test_gap_to_the_likelihood(parts):
    result = check_result(parts, "likelihood")  # of 100 samples, which 50,000 decoded codes allow
    assert result.n_samples == 100
    axes = vaeviz.likelihood_bound(parts["encoder"], parts["x"], parts["likelihood"], seed=3, figure=Figure())
    assert axes[0].lines[0].get_ydata()[-1] == pytest.approx(result.numbers["bound"])
    assert axes[0].lines[1].get_ydata()[0] == pytest.approx(result.numbers["elbo"])


def test_terms_of_the_kl(parts):
    result = check_result(parts, "information")
    terms = vaeviz.elbo_terms(vaeviz.encode(parts["encoder"], parts["x"]), seed=3)
    for name in ("mutual_information", "total_correlation", "dimension_kl_sum"):
        assert result.numbers[name] == getattr(terms, name).value


@pytest.mark.parametrize(
    ("plot", "check", "names"),
    [
        ("latent_neighbors", "classes", {"max_points": "n_samples"}),
        ("prior_holes", "holes", {"n_codes": "n_codes", "level": "level", "tolerance": "max_mass"}),
        ("elbo_decomposition", "information", {"n_codes": "n_codes"}),
        ("likelihood_bound", "likelihood", {"n_draws": "n_draws"}),
        ("aggregate_posterior", "mismatch", {"n_codes": "n_codes", "n_permutations": "n_permutations"}),
    ],
)
def test_defaults_are_the_same(plot, check, names):
    from vaeviz.health.analyze import CHECKS
    from vaeviz.plugins.plot_spec import get_plot

    for of_plot, of_check in names.items():
        assert get_plot(plot).options[of_plot].default == CHECKS[check].options[of_check].default
