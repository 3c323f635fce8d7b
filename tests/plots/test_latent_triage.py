import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

import vaeviz
from vaeviz import InputError, NotApplicable, latent_triage, linear_vae


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(5).standard_normal((600, 6)) * np.sqrt([4, 2, 1, 0.3, 0.2, 0.1])


@pytest.fixture(scope="module")
def model():
    return linear_vae(np.diag([4, 2, 1, 0.3, 0.2, 0.1]), 4, noise=0.5, beta=1.5)  # the last is collapsed


def marks(ax):
    """(place, marker, value) of each point, in order of their place."""
    lines = [line for line in ax.lines if line.get_marker() in ("o", "X", "s")]
    return sorted((int(at), line.get_marker(), float(value)) for line in lines for at, value in zip(*line.get_data()))


def test_markers_show_the_status_in_order_of_kl(model, x):
    axes = latent_triage(model, lambda z: model.decode(z * [1, 0, 1, 1]), x)
    assert [ax.get_title() for ax in axes] == [
        "mean KL (nats)",
        "variance of the posterior mean",
        "share of the output's variance",
    ]
    for ax in axes:
        assert [marker for _, marker, _ in marks(ax)] == ["o", "X", "o", "s"]
    np.testing.assert_allclose([value for *_, value in marks(axes[0])][:3], model.kl[:3], rtol=0.1)
    assert [text.get_text() for text in axes[-1].get_xticklabels()] == [f"$z_{{{dim}}}$" for dim in (1, 2, 3, 4)]
    assert axes[0].figure.get_suptitle() == "2 of 4 dimensions active, 1 ignored,\n1 collapsed; N = 600"


def test_a_healthy_model_has_only_active_dimensions(x):
    model = linear_vae(np.diag([4, 2, 1, 0.3, 0.2, 0.1]), 3)
    axes = latent_triage(model, model, x)
    assert axes[0].figure.get_suptitle() == "3 of 3 dimensions active,\n0 collapsed; N = 600"
    assert {marker for _, marker, _ in marks(axes[0])} == {"o"}


def test_max_dims_limits_the_drawn_dimensions_only(model, x):
    axes = latent_triage(model, model, x, max_dims=2)
    assert len(marks(axes[0])) == 2
    assert axes[-1].get_xlabel() == "dimension, by KL (the first 2 of 4)"
    assert "1 collapsed" in axes[0].figure.get_suptitle()


@pytest.mark.parametrize(("max_dims", "n_values"), [(1, 1), (2, 2), (3, 0)])
def test_values_are_written_only_where_they_fit(model, x, max_dims, n_values):
    with vaeviz.style("paper"):
        axes = latent_triage(model, model, x, max_dims=max_dims)
        axes[0].figure.draw_without_rendering()
    plt.close(axes[0].figure)
    for ax in axes:
        boxes = [text.get_window_extent() for text in ax.texts]
        assert len(boxes) == n_values
        assert all(ax.bbox.x0 <= box.x0 and box.x1 <= ax.bbox.x1 and box.y1 <= ax.bbox.y1 for box in boxes)
        assert n_values < 2 or not boxes[0].overlaps(boxes[1])


def test_a_given_figure_is_drawn_into(model, x):
    figure = Figure(layout="constrained")
    left, _ = figure.subfigures(1, 2)
    axes = latent_triage(model, model, x, figure=left)
    assert list(axes) == left.axes
    figure.draw_without_rendering()


def test_every_panel_labels_two_powers_of_ten(model, x):
    for ax in latent_triage(model, model, x):
        low, high = ax.get_ylim()
        ticks = [tick for tick in ax.get_yticks() if low <= tick <= high]
        assert len(ticks) >= 2
        assert all(low <= value <= high for _, _, value in marks(ax))


def test_thresholds_of_zero_are_accepted(model, x):
    axes = latent_triage(model, model, x, min_kl=0.0, min_effect=0.0)
    assert all(ax.get_ylim()[0] > 0 for ax in axes)


def test_bad_input(model, x):
    with pytest.raises(NotApplicable, match="spread"):
        latent_triage(lambda x: x[:, :2], model, x)
    with pytest.raises(InputError, match="decoder"):
        latent_triage(lambda x: model.encode(x), None, x)
    with pytest.raises(NotApplicable, match="decoder"):
        latent_triage(model, vaeviz.Model(encoder=vaeviz.Encoder(model.encode)), x)
    with pytest.raises(InputError, match="max_dims") as error:
        latent_triage(model, model, x, max_dims=0)
    assert (error.value.got, error.value.expected) == ("0", "1 or more")
