import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.text import Annotation

from vaeviz import Encoder, NotApplicable, Posterior, encode, latent_scatter, manifold_grid
from vaeviz.drawing.colors import MISSING_COLOR, PLAIN_COLOR
from vaeviz.errors import GuessWarning, InputError


def marks(ax):
    (found,) = ax.collections
    return found


def points_of(ax):
    return marks(ax).get_offsets()


def points_by_color(ax):
    points = {}
    for color, rows in marks(ax).layers():
        points.setdefault(to_rgba(color), []).append(points_of(ax)[rows])
    return {color: np.concatenate(parts) for color, parts in points.items()}


def as_set(points):
    return {tuple(point) for point in np.round(points.astype(float), 5)}


def test_posterior_means_are_drawn_in_the_colors_of_their_labels(ax, encoder, digits):
    latent_scatter(encoder, digits.x, digits.labels, ax=ax)
    mean = encode(encoder, digits.x).mean
    assert len(points_of(ax)) == 60
    legend = {h.get_label(): to_rgba(h.get_color()) for h in ax.get_legend().legend_handles if h.get_marker() == "o"}
    for digit in range(10):
        assert as_set(points_by_color(ax)[legend[str(digit)]]) == as_set(mean[digits.labels == digit])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$z_{1}$", "$z_{2}$")
    assert ax.get_title() == "Posterior means, N = 60"


def test_without_labels_all_points_are_of_one_color(ax, encoder, digits):
    latent_scatter(encoder, digits.x, ax=ax)
    assert set(points_by_color(ax)) == {to_rgba(PLAIN_COLOR)}


def test_the_two_most_active_dimensions_are_drawn_and_named(ax, digits):
    rng = np.random.default_rng(0)
    posterior = Posterior(rng.standard_normal((60, 5)) * [0.1, 2, 0.1, 0.1, 3], np.full((60, 5), 0.5), "normal")
    latent_scatter(posterior, digits.x, ax=ax)
    assert as_set(points_of(ax)) == as_set(posterior.mean[:, [1, 4]])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$z_{2}$", "$z_{5}$")
    assert ax.get_title() == "Posterior means, N = 60\nthe two most active of 5 dimensions"


def test_dims_choose_the_dimensions_in_their_order(ax, digits, make_encoder):
    latent_scatter(make_encoder(4), digits.x, dims=(3, 0), ax=ax)
    assert as_set(points_of(ax)) == as_set(encode(make_encoder(4), digits.x).mean[:, [3, 0]])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$z_{4}$", "$z_{1}$")
    assert ax.get_title().endswith("two of 4 dimensions")


@pytest.mark.parametrize("dims", [(0, 2), (1, 1), (-1, 0)])
def test_dims_that_do_not_exist_are_an_error(ax, digits, encoder, dims):
    with pytest.raises(InputError, match="dims"):
        latent_scatter(encoder, digits.x, dims=dims, ax=ax)


@pytest.mark.parametrize(
    ("spread", "prior", "asked", "expected"),
    [
        (True, None, None, True),
        (False, None, None, False),
        (False, "normal", None, True),
        (True, None, False, False),
        (False, None, True, True),
    ],
)
def test_prior_contours_are_drawn_if_the_prior_is_known(ax, digits, make_encoder, spread, prior, asked, expected):
    encoder = Encoder(make_encoder(2, spread=spread), prior=prior)
    latent_scatter(encoder, digits.x, show_prior=asked, ax=ax)
    radii = sorted(np.linalg.norm(line.get_xydata(), axis=1).mean() for line in ax.lines)
    np.testing.assert_allclose(radii, [1, 2, 3] if expected else [])


def test_the_aspect_is_equal(ax, digits, encoder):
    latent_scatter(encoder, digits.x, ax=ax)
    assert ax.get_aspect() == 1


@pytest.mark.parametrize(
    ("scale", "known", "aspect"),
    [
        (100, {}, "auto"),
        (3, {}, 1),
        (1e7, {}, 1),
        (100, {"std": np.full((60, 2), 0.1)}, 1),
        (100, {"family": "Laplace"}, 1),
        (100, {"prior": "normal"}, 1),
    ],
)
def test_deterministic_codes_may_have_axes_of_their_own_scales(ax, scale, known, aspect):
    codes = np.random.default_rng(0).standard_normal((60, 2)) * [1, scale]
    latent_scatter(Posterior(codes, **known), codes, ax=ax)
    assert ax.get_aspect() == aspect
    assert ("scales" in ax.get_title()) == (aspect == "auto")


def test_deterministic_codes_are_called_codes(ax, digits, make_encoder):
    latent_scatter(make_encoder(2, spread=False), digits.x, ax=ax)
    assert ax.get_title() == "Codes, N = 60"


def test_a_latent_of_one_dimension_is_drawn_as_densities_by_label(ax, digits, make_encoder):
    latent_scatter(make_encoder(1), digits.x, digits.labels % 3, ax=ax)
    assert len(ax.collections) == 3
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["0", "1", "2", "prior N(0, 1)"]
    assert ax.get_xlabel() == "$z_{1}$ (posterior mean)"
    assert ax.get_title() == "Posterior means, N = 60"


def test_densities_of_deterministic_codes_have_no_prior(ax, digits, make_encoder):
    latent_scatter(make_encoder(1, spread=False), digits.x, ax=ax)
    assert len(ax.collections) == 1
    assert not ax.lines
    assert ax.get_legend() is None


def test_continuous_labels_have_no_densities(digits, make_encoder):
    from matplotlib import pyplot as plt

    with pytest.raises(NotApplicable, match="labels"):
        latent_scatter(make_encoder(1), digits.x, np.linspace(0, 1, 60))
    assert not plt.get_fignums()


def test_continuous_labels_have_a_color_bar(ax, digits, encoder):
    latent_scatter(encoder, digits.x, digits.labels, continuous=True, palette="magma", ax=ax)
    assert len(ax.figure.axes) == 2
    assert ax.figure.axes[1].get_ylim() == (0, 9)


def test_missing_labels_are_gray_and_underneath(ax, digits, encoder):
    labels = np.where(digits.labels < 2, digits.labels.astype(str), "")
    latent_scatter(encoder, digits.x, labels, ax=ax)
    underneath, *_ = points_by_color(ax)
    assert underneath == to_rgba(MISSING_COLOR)
    assert len(points_by_color(ax)[underneath]) == (digits.labels >= 2).sum()
    assert "no label" in [text.get_text() for text in ax.get_legend().get_texts()]


def test_more_than_ten_classes_are_named_in_the_plane(ax, digits, make_encoder):
    labels = np.arange(60) % 12
    latent_scatter(make_encoder(2, spread=False), digits.x, labels, ax=ax)
    mean = encode(make_encoder(2), digits.x).mean
    assert {text.get_text() for text in ax.texts} == set(map(str, range(12)))
    for text in ax.texts:
        position = text.xy if isinstance(text, Annotation) else text.get_position()  # with or without a line to it
        np.testing.assert_allclose(position, np.median(mean[labels == int(text.get_text())], axis=0))


def test_options_of_the_marks(ax, digits, encoder):
    latent_scatter(
        encoder,
        digits.x,
        marker_size=9,
        alpha=0.1,
        rasterized=True,
        marker_kws={"marker": "^"},
        show_prior=False,
        ax=ax,
    )
    found = marks(ax)
    assert (found.get_alpha(), found.get_rasterized()) == (0.1, True)
    assert (found.marker_line.get_markersize(), found.marker_line.get_marker()) == (9, "^")


@pytest.mark.parametrize("shape", [(8, 8), (50,), (13,)], ids=["images", "signals", "tables"])
@pytest.mark.parametrize("spacing", ["prior", "linear"])
def test_a_scatter_over_a_manifold_grid_keeps_its_axes(ax, digits, encoder, make_decoder, shape, spacing):
    manifold_grid(make_decoder(2, shape), encoder, np.resize(digits.x, (60, *shape)), n_grid=6, spacing=spacing, ax=ax)
    ax.figure.draw_without_rendering()
    limits, box = (ax.get_xlim(), ax.get_ylim()), ax.get_window_extent().bounds
    latent_scatter(encoder, digits.x, digits.labels, show_prior=False, ax=ax)
    ax.get_legend().remove()
    ax.set_title("")
    ax.figure.draw_without_rendering()
    assert (ax.get_xlim(), ax.get_ylim()) == limits
    assert ax.get_window_extent().height / ax.get_window_extent().width == pytest.approx(box[3] / box[2], rel=1e-3)
    assert ax.collections[-1].get_transform() == ax.transData


def test_labels_of_another_length_are_an_error(digits, encoder):
    with pytest.raises(InputError, match="59"):
        latent_scatter(encoder, digits.x, digits.labels[1:])


def test_two_latents_on_shared_axes(encoder, digits, make_encoder):
    figure = Figure()
    left, right = figure.subplots(1, 2, sharex=True, sharey=True)
    for ax, one in ((left, encoder), (right, make_encoder(2, seed=3))):
        latent_scatter(one, digits.x, ax=ax)
    figure.canvas.draw()
    assert left.get_xlim() == right.get_xlim()


def test_marks_of_one_color_have_no_legend_of_classes(ax, encoder, digits):
    latent_scatter(encoder, digits.x, digits.labels, show_prior=False, marker_kws={"color": "red"}, ax=ax)
    assert ax.get_legend() is None


@pytest.mark.parametrize("size", [1, 2, 8])
def test_a_collapsed_encoder_is_called_collapsed(size, still_figure):
    codes = 1e-6 * np.random.default_rng(0).standard_normal((100, size))
    ax = latent_scatter(Posterior(codes, np.ones((100, size)), "normal"), codes, ax=still_figure().subplots())
    assert "active" in ax.get_title().partition("\n")[2]
    assert "collapsed" in ax.get_xlabel()
    assert np.ptp(ax.get_xlim()) > 5  # the codes are a dot beside the spread of their posteriors


def test_one_active_dimension_of_two_is_named_so(ax):
    codes = np.random.default_rng(0).standard_normal((100, 2)) * [1, 1e-6]
    latent_scatter(Posterior(codes, np.full((100, 2), [0.1, 1]), "normal"), codes, ax=ax)
    assert ("collapsed" in ax.get_xlabel(), "collapsed" in ax.get_ylabel()) == (False, True)


def test_a_point_far_out_is_beyond_the_axes_and_counted(still_figure):
    codes = np.random.default_rng(0).standard_normal((500, 2))
    codes[7] = 1e5, -1e4
    ax = latent_scatter(Posterior(codes), codes, ax=still_figure().subplots())
    assert "1 beyond the axes" in ax.get_title()
    assert ax.get_xlim()[1] < 10
    assert len(points_of(ax)) == 500
    every = latent_scatter(Posterior(codes), codes, show_all=True, ax=still_figure().subplots())
    assert every.get_xlim()[1] > 1e5
    assert "beyond" not in every.get_title()


def test_a_small_group_far_away_is_not_an_extreme(still_figure):
    codes = np.random.default_rng(0).standard_normal((500, 2))
    codes[:20] += 1000
    ax = latent_scatter(Posterior(codes), codes, ax=still_figure().subplots())
    assert ax.get_xlim()[1] > 1000


def test_limits_that_are_set_later_are_obeyed(ax, encoder, digits):
    latent_scatter(encoder, digits.x, digits.labels, ax=ax)
    ax.set_xlim(-1, 1)
    ax.set_ylim(0, 3)
    ax.figure.draw_without_rendering()
    assert (ax.get_xlim(), ax.get_ylim()) == ((-1, 1), (0, 3))
    assert ax.get_aspect() == 1


def test_dimensions_have_names(ax, digits, make_encoder):
    latent_scatter(make_encoder(4), digits.x, dims=("z4", "z1"), ax=ax)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$z_{4}$", "$z_{1}$")
    with pytest.raises(InputError, match="z5"):
        latent_scatter(make_encoder(4), digits.x, dims=("z5", "z1"), ax=ax)


def test_crosses_are_drawn_as_crosses(ax, encoder, digits):
    latent_scatter(encoder, digits.x, marker_kws={"marker": "x"}, ax=ax)
    assert marks(ax).marker_line.get_markeredgewidth() > 0


@pytest.mark.parametrize("option", [{"alpha": 2.0}, {"marker_size": -1.0}])
def test_an_opacity_or_size_out_of_range_is_an_error(ax, encoder, digits, option):
    with pytest.raises(InputError) as caught:
        latent_scatter(encoder, digits.x, ax=ax, **option)
    assert next(iter(option)) in caught.value.fix.python


def test_labels_that_are_all_missing_are_an_error(encoder, digits):
    with pytest.raises(InputError, match="labels"):
        latent_scatter(encoder, digits.x, [None] * 60)


# Other samples


def test_other_samples_are_crosses_at_their_own_means(ax, digits, encoder):
    others = digits.x[:7, ::-1]
    latent_scatter(encoder, digits.x, digits.labels, other_x=others, dims=(1, 0), ax=ax)
    crosses = next(line for line in ax.lines if str(line.get_label()).startswith("other"))
    np.testing.assert_allclose(crosses.get_xydata(), encode(encoder, others).mean[:, ::-1], rtol=1e-6)
    assert "other (7)" in [text.get_text() for text in ax.get_legend().get_texts()]


def test_other_samples_far_out_are_counted(ax, digits, encoder):
    others, x, labels = digits.x[:7].copy(), np.tile(digits.x, (5, 1, 1)), np.tile(digits.labels, 5)
    others[:2] += 50
    latent_scatter(encoder, x, labels, other_x=others, ax=ax)
    assert "other (7, 2 beyond)" in [text.get_text() for text in ax.get_legend().get_texts()]


def test_other_samples_of_one_dimension_lie_along_the_axis(ax, digits, make_encoder):
    encoder = make_encoder(1)
    latent_scatter(encoder, digits.x, other_x=digits.x[:5, ::-1], ax=ax)
    crosses = next(line for line in ax.lines if str(line.get_label()).startswith("other"))
    np.testing.assert_allclose(crosses.get_xdata(), encode(encoder, digits.x[:5, ::-1]).mean[:, 0], rtol=1e-6)


def test_other_samples_without_a_condition_are_left_out_with_a_warning(ax, linear, linear_parts):
    with pytest.warns(GuessWarning) as caught:
        latent_scatter(linear_parts["encoder"], linear.x, condition=linear.names, other_x=linear.x[:5], ax=ax)
    assert "condition_on" in caught[0].message.fix.python
    assert not [line for line in ax.lines if str(line.get_label()).startswith("other")]
