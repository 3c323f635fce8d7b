"""Plots of the aggregate posterior: its density, the prior's holes, the parts of the KL, the ellipses."""

import numpy as np
import pytest
from matplotlib.collections import EllipseCollection
from scipy.stats import norm

from vaeviz import (
    Decoder,
    InputError,
    NotApplicable,
    Posterior,
    aggregate_posterior,
    elbo_decomposition,
    find_holes,
    linear_vae,
    posterior_ellipses,
    prior_holes,
)
from vaeviz.drawing.density_contours import MASSES, mass_level
from vaeviz.drawing.ellipses import mass_within

PLOTS = (aggregate_posterior, prior_holes, elbo_decomposition, posterior_ellipses)
VARIANCES = np.array([4.0, 2.0, 1.0, 0.3, 0.2, 0.1])


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(5).standard_normal((500, 6)) * np.sqrt(VARIANCES)


@pytest.fixture(scope="module")
def model():
    return linear_vae(np.diag(VARIANCES), 3)


def standard(total, size, seed=0):
    """N posteriors of variance ½ whose mixture is a sample of N(0, I)."""
    means = np.random.default_rng(seed).standard_normal((total, size)) * 0.5**0.5
    return Posterior(means, np.full(means.shape, 0.5**0.5), "normal")


@pytest.mark.parametrize("plot", PLOTS)
def test_encoders_without_a_usable_spread_are_refused(plot, model, x):
    with pytest.raises(NotApplicable, match="spread"):
        plot(lambda x: x[:, :2], x)
    with pytest.raises(NotApplicable, match="1 sample"):
        plot(model, x[:1])
    with pytest.raises(NotApplicable, match="infinite"):
        plot(Posterior(x[:, :2], 0 * x[:, :2]), x)


@pytest.mark.parametrize("plot", PLOTS)
def test_constant_dimensions_are_drawn(plot, x):
    mean = np.column_stack([x[:, 0] / 2, np.zeros(len(x))])
    plot(Posterior(mean, np.full(mean.shape, 0.3), "normal"), x)


def test_density_of_two_dimensions_is_the_marginal_mixture(model, x, ax):
    posterior = standard(200, 3)
    assert aggregate_posterior(posterior, x[:200], dims=(2, 0), n_grid=61, n_permutations=99, ax=ax) is ax
    density = np.asarray(ax.images[0].get_array())
    left, right, low, _ = ax.images[0].get_extent()
    step = (right - left) / 61
    at = np.array([left, low]) + step * (np.array([20, 33]) + 0.5)
    each = norm.pdf(at, posterior.mean[:, [2, 0]], posterior.std[:, [2, 0]]).prod(axis=1)
    assert density[33, 20] == pytest.approx(each.mean(), rel=0.01)
    assert density.sum() * step**2 == pytest.approx(1, abs=0.01)
    assert ax.get_xlabel().startswith("$z_{3}$ (KL to the prior ")
    assert ax.get_title().startswith("q(z), N = 200, two of 3 dims\nMMD² ")


def test_contours_enclose_the_mass_of_the_prior_circles():
    z = np.linspace(-5, 5, 401)
    density = norm.pdf(z)[:, None] * norm.pdf(z)
    peak = 1 / (2 * np.pi)
    radii = [np.sqrt(-2 * np.log(mass_level(density, mass) / peak)) for mass in MASSES]
    np.testing.assert_allclose(radii, [1, 2, 3], atol=0.01)


def test_one_dimension_is_a_curve(ax):
    posterior = standard(100, 1)
    aggregate_posterior(posterior, np.zeros((100, 2)), ax=ax)
    assert (ax.get_ylabel(), len(ax.images)) == ("density", 0)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["q(z)", "prior N(0, 1)"]


def test_samples_in_holes_are_drawn_beside_the_scores(x):
    rng = np.random.default_rng(0)
    means = rng.standard_normal((2000, 2))
    means = means[np.linalg.norm(means, axis=1) > 1]
    posterior = Posterior(means, np.full(means.shape, 0.05), "normal")
    images = rng.uniform(size=(len(means), 5, 5))
    ramp = np.linspace(0, 1, 25).reshape(5, 5)
    axes = prior_holes(
        posterior, images, lambda z: np.linalg.norm(z, axis=1)[:, None, None] * ramp / 4, n_codes=800, n_grid=3
    )
    found = find_holes(posterior, n_codes=800)
    assert f"{100 * found.mass.value:.0f}"[:1] == axes[0].get_title()[:1]
    assert " ".join(axes[0].get_title().split()).endswith(f"% of the prior in holes, N = {len(means):,}")
    n_inside = int(found.in_hole.sum())
    titles = [f"prior, in holes: 9 of {n_inside}", f"prior, elsewhere: 9 of {800 - n_inside}"]
    assert [" ".join(ax.get_title().split()) for ax in axes[1:]] == titles
    inside, outside = (np.nanmax(np.asarray(ax.images[0].get_array())) for ax in axes[1:])
    assert inside * 4 < 1 < outside * 4  # the brightest pixel is the longest code


def test_holes_without_a_decoder_are_only_scores(model, x):
    axes = prior_holes(model, x)
    assert len(axes) == 1
    line = next(line for line in axes[0].lines if len(set(line.get_xdata())) == 1)
    assert line.get_xdata()[0] == pytest.approx(find_holes(_posterior(model, x)).threshold)


def test_points_in_and_out_of_holes_share_their_axes():
    x = np.random.default_rng(0).standard_normal((300, 2))
    axes = prior_holes(standard(300, 2), x, Decoder(lambda z: z, output="values"), n_codes=500)
    assert [text.get_text() for text in axes[1].get_legend().get_texts()] == ["data", "in holes", "elsewhere"]


def test_the_score_axis_is_symmetric_about_the_threshold():
    means = np.random.default_rng(0).standard_normal((400, 6)) * 0.2
    posterior = Posterior(means, np.full(means.shape, 0.1), "normal")
    (ax,) = prior_holes(posterior, means, n_codes=400)
    found = find_holes(posterior, n_codes=400)
    low = 2 * found.threshold - found.own.max()
    assert ax.get_xlim()[0] == pytest.approx(low)
    lower = (found.prior < low).mean()
    assert lower > 0.1
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert f"prior, {100 * lower:.3g} % further left" in labels


def _posterior(model, x):
    mean, log_var = model.encode(x.astype(np.float32))
    return Posterior(mean, np.exp(log_var / 2), "normal")


def test_the_parts_of_the_kl_and_their_ceiling(model, x):
    parts, dimensions = elbo_decomposition(model, x, likelihood=model.log_likelihood)
    assert [text.get_text().split("\n")[0] for text in parts.get_yticklabels()] == [
        "mutual information",
        "total correlation",
        "dimension-wise KL",
    ]
    widths = [bar.get_width() for bar in parts.patches]
    assert sum(widths) == pytest.approx(model.rate, abs=0.2)
    assert widths[2] == pytest.approx(sum(bar.get_height() for bar in dimensions.patches), abs=1e-9)
    assert parts.texts[0].get_text() == f"ln N = {np.log(500):.2f}"
    assert "ELBO −" in parts.figure.get_suptitle()


def test_saturated_mutual_information_is_named_in_the_title():
    posterior = Posterior(np.arange(50.0)[:, None], np.full((50, 1), 1e-3), "normal")
    parts, _ = elbo_decomposition(posterior, np.zeros((50, 2)))
    assert "too small to measure mutual information" in parts.figure.get_suptitle()
    assert "ELBO" not in parts.figure.get_suptitle()


def test_the_largest_of_many_dimensions(x):
    _, dimensions = elbo_decomposition(standard(500, 6), x, max_dims=4)
    assert len(dimensions.patches) == 4
    assert " ".join(dimensions.get_title().split()) == "dimension-wise KL (the 4 largest of 6)"


def test_ellipses_have_the_axes_of_their_posteriors(ax):
    posterior = standard(30, 2)
    assert posterior_ellipses(posterior, np.zeros((30, 1)), radius=2.0, ax=ax) is ax
    (ellipses,) = (c for c in ax.collections if isinstance(c, EllipseCollection))
    np.testing.assert_allclose(ellipses.get_widths(), 4 * posterior.std[:, 0], rtol=1e-6)
    assert sorted(map(tuple, ellipses.get_offsets())) == sorted(map(tuple, posterior.mean.astype(float)))
    assert ax.get_title() == "2σ ellipses (86 % of the mass)\n30 of 30 samples"


def test_the_mass_of_ellipses():
    assert mass_within(1) == pytest.approx(0.3935, abs=1e-4)
    assert mass_within(2) == pytest.approx(0.8647, abs=1e-4)


def test_ellipses_are_balanced_over_classes_and_keep_their_colors(ax):
    labels = np.array(["rare"] * 5 + ["common"] * 95)
    posterior_ellipses(standard(100, 3), np.zeros((100, 1)), labels, n_samples=10, ax=ax)
    (ellipses,) = (c for c in ax.collections if isinstance(c, EllipseCollection))
    _, counts = np.unique(ellipses.get_edgecolors(), axis=0, return_counts=True)
    assert counts.tolist() == [5, 5]
    assert "10 of 100, two most active of 3 dims" in ax.get_title()
    posterior_ellipses(standard(100, 3), np.zeros((100, 1)), np.linspace(0, 1, 100))  # a gradient


def test_bad_options(model, x):
    for plot, option, value, minimum in (
        (aggregate_posterior, "n_grid", 1, 2),
        (prior_holes, "n_grid", 0, 1),
        (elbo_decomposition, "max_dims", 0, 1),
        (posterior_ellipses, "n_samples", 0, 1),
    ):
        with pytest.raises(InputError, match=option) as error:
            plot(model, x, **{option: value})
        assert error.value.got == str(value)
        assert error.value.expected.endswith(f"{minimum} or more")
        assert option in error.value.fix.python
    with pytest.raises(InputError, match="radius") as error:
        posterior_ellipses(model, x, radius=0.0)
    assert error.value.got == "0"
    with pytest.raises(NotApplicable) as error:
        posterior_ellipses(standard(9, 1), np.zeros((9, 1)))
    assert "aggregate_posterior" in error.value.fix.python
    with pytest.raises(InputError, match="dims"):
        posterior_ellipses(model, x, dims=(0, 7))


def test_the_color_bar_of_holes_extends_for_values_of_both_panels():
    means = np.tile([[-1.0, 0.0], [1.0, 0.0]], (150, 1))
    posterior = Posterior(means, np.full(means.shape, 0.2), "normal")
    table = means.repeat(4, axis=1)

    def far_in_holes(z):
        return np.where(np.abs(z[:, 1:]) > 1.5, -50, z[:, :1].clip(-1, 1)).repeat(8, axis=1)

    axes = prior_holes(posterior, table, Decoder(far_in_holes, output="values"), n_codes=400, n_grid=4, kind="table")
    holes, rest = (np.asarray(ax.images[0].get_array()) for ax in axes[1:])
    assert axes[2].images[0].get_clim() == (-1, 1)
    assert np.nanmin(holes) == -50 and np.nanmin(rest) >= -1
    assert axes[2].images[0].colorbar.extend == "min"


@pytest.mark.parametrize("plot", [aggregate_posterior, prior_holes, elbo_decomposition])
def test_a_subsampled_mixture_is_named_in_the_title(plot, model, x, still_figure):
    figure = still_figure()
    place = {"ax": figure.subplots()} if plot is aggregate_posterior else {"figure": figure}
    plot(model, x, n_codes=50, max_points=200, **place)
    texts = " ".join([figure.get_suptitle(), *(ax.get_title() for ax in figure.axes)])
    texts = texts.replace("posteriors\nchosen at random ", "")
    assert "200 of 500" in texts
