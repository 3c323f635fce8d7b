"""Shared by the tests of plots: how a plot is drawn with little work.

``python -m pytest tests/plots/test_pictures.py --renew-pictures`` draws the baselines of the image comparison anew.
Look at each of them before you commit it.
"""

import pytest

QUICK = {
    "tsne": {"perplexity": 5.0},
    "map_quality": {"perplexity": 5.0},
    "likelihood_bound": {"n_draws": 5},
    "aggregate_posterior": {"n_grid": 20, "n_permutations": 100},
    "prior_holes": {"n_codes": 200},
    "manifold_grid": {"n_grid": 3},
    "samples": {"n_samples": 4},
    "interpolation": {"pair": (0, 1), "n_steps": 3},
    "reconstruction_pairs": {"rows": (0, 1, 2)},
    "traversal": {"n_steps": 3, "span": "prior"},
}


def pytest_addoption(parser):
    parser.addoption("--renew-pictures", action="store_true", help="Draw the baselines of tests/plots/baseline anew.")


@pytest.fixture
def renew_pictures(request):
    """Return True if baselines are drawn anew instead of compared with."""
    return request.config.getoption("--renew-pictures", default=False)


@pytest.fixture
def ax(still_figure):
    """An Axes of a figure that no layout moves."""
    return still_figure(figsize=(4, 4), dpi=100).subplots()


@pytest.fixture
def call_plot(still_figure):
    """Draw a plot of those of `inputs` that it takes with little work, into a new figure if no place is given."""

    def call(spec, inputs, **options):
        given = {name: inputs[name] for name in spec.required + spec.optional if name in inputs}
        return spec(**given, **QUICK.get(spec.name, {}) | options)

    return call
