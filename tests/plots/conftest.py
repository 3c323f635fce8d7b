"""Shared by the tests of plots: how a plot is drawn with little work.

``python -m pytest tests/plots/test_pictures.py --renew-pictures`` draws the baselines of the image comparison anew.
Look at each of them before you commit it.
"""

import numpy as np
import pytest

import vaeviz


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
def call_plot(still_figure, quick_options):
    """Draw a plot of those of `inputs` that it takes with little work, into a new figure if no place is given."""

    def call(spec, inputs, **options):
        given = {name: inputs[name] for name in spec.required + spec.optional if name in inputs}
        return spec(**given, **quick_options.get(spec.name, {}) | options)

    return call


@pytest.fixture
def conditional_inputs(linear, linear_parts):
    """One value for every input that a plot of the linear conditional model takes."""
    runs = [vaeviz.Model(linear_parts["encoder"], inputs={"likelihood": linear_parts["likelihood"]})]
    return linear_parts | {
        "x": linear.x,
        "labels": linear.names,
        "condition": linear.labels,
        "factors": np.column_stack([linear.labels, linear.x[:, 0]]),
        "history": {"epoch": [1, 2], "train_elbo": [-3.0, -2.0]},
        "other_encoder": linear_parts["encoder"],
        "runs": runs,
    }
