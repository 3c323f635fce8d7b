import re

import numpy as np
import pytest
from matplotlib.figure import Figure

from vaeviz import Decoder, InputError, NotApplicable, Posterior, linear_vae, traversal

VARIANCES = np.array([4.0, 2.0, 1.0, *[0.1] * 13])  # of 4 × 4 images


@pytest.fixture(scope="module")
def x():
    flat = np.random.default_rng(5).standard_normal((300, 16)) * np.sqrt(VARIANCES)
    return (0.5 + flat / 20).reshape(-1, 4, 4).astype(np.float32)


@pytest.fixture(scope="module")
def model():
    """Four dimensions, the last of them collapsed."""
    return linear_vae(np.diag(VARIANCES) / 400, 4, mean=np.full(16, 0.5), noise=0.5 / 400, beta=1.5)


@pytest.fixture(scope="module")
def encoder(model):
    return lambda x: model.encode(x.reshape(len(x), -1))


@pytest.fixture(scope="module")
def decoder(model):
    return lambda z: model.decode(z).reshape(-1, 4, 4)


def one_line(ax):
    return ax.get_title().replace("\n", " ")


def tick_labels(axis):
    return [text.get_text() for text in axis.get_ticklabels()]


def cell(ax, row, column, side=4):
    """The pixels of one cell of a drawn mosaic, at its first pixel of every enlarged one."""
    array = np.asarray(ax.images[0].get_array())
    factor = 7
    gap = 1
    top, left = row * (side * factor + gap), column * (side * factor + gap)
    return array[top : top + side * factor : factor, left : left + side * factor : factor]


def test_rows_go_from_quantile_to_quantile_in_order_of_kl(encoder, decoder, model, x):
    (ax,) = traversal(decoder, encoder, x, n_steps=3)
    rows = tick_labels(ax.yaxis)
    assert [row.split()[0] for row in rows] == ["$z_{1}$", "$z_{2}$", "$z_{3}$", "$z_{4}$"]
    assert rows[-1] == "$z_{4}$  collapsed"
    assert rows[0].endswith(" nats")
    assert tick_labels(ax.xaxis) == ["2.5 %", "", "97.5 %"]
    row = int(re.search(r"nearest to the prior mean \(sample (\d+)\)", one_line(ax))[1])
    assert row == (model.encode(x.reshape(300, 16))[0] ** 2).sum(axis=1).argmin()
    ends = cell(ax, 0, 2) - cell(ax, 0, 0)
    expected = 2 * 1.96 * model.weights[:, 0].reshape(4, 4)  # q(z) is N(0, I) but for the sampling of x
    np.testing.assert_allclose(ends, expected, rtol=0.1, atol=1e-6)
    np.testing.assert_allclose(cell(ax, 0, 1), 0.5, atol=0.06)


@pytest.mark.parametrize("span, ends", [("prior", ["−1.96", "0", "1.96"]), (3.0, ["−3", "0", "3"])])
def test_ends_follow_the_span(encoder, decoder, model, x, span, ends):
    (ax,) = traversal(decoder, encoder, x, n_steps=3, span=span)
    assert tick_labels(ax.xaxis) == ends
    reach = 1.959964 if span == "prior" else 3
    codes = model.encode(x.reshape(300, 16))[0]
    moved = codes[(codes**2).sum(axis=1).argmin()].copy()
    moved[0] = reach
    np.testing.assert_allclose(cell(ax, 0, 2), model.decode(moved[None]).reshape(4, 4), atol=1e-6)


def test_collapsed_dimensions_are_marked_gray_or_left_out(encoder, decoder, x):
    (marked,) = traversal(decoder, encoder, x, n_steps=2)
    assert [text.get_color() for text in marked.get_yticklabels()] == ["0.6", "black", "black", "black"][::-1]
    (without,) = traversal(decoder, encoder, x, n_steps=2, collapsed="omit")
    assert len(tick_labels(without.yaxis)) == 3
    with pytest.raises(NotApplicable, match="4 dimensions") as error:
        traversal(decoder, encoder, x, collapsed="omit", min_kl=100.0)
    assert "mark" in error.value.fix.python


def test_change_images_are_drawn_beside_each_row(encoder, decoder, model, x):
    ax, change = traversal(decoder, encoder, x, n_steps=3, span="prior", change=True)
    image = change.images[0]
    assert (image.cmap.name, image.norm.vmin) == ("RdBu_r", -image.norm.vmax)
    np.testing.assert_allclose(cell(change, 1, 0), cell(ax, 1, 2) - cell(ax, 1, 0), atol=1e-6)


def test_around_a_sample(encoder, decoder, x):
    (ax,) = traversal(decoder, encoder, x, around=7, max_dims=2)
    assert one_line(ax) == "2 of 4 dimensions by KL, the others held at the posterior mean of sample 7"
    with pytest.raises(InputError, match="around") as error:
        traversal(decoder, encoder, x, around=300)
    assert (error.value.got, error.value.expected) == ("row 300", "rows from 0 to 299")


def test_by_effect(encoder, model, x):
    stirred = Decoder(lambda z: model.decode(z * [1, 1, 9, 1]).reshape(-1, 4, 4), output="values")
    (ax,) = traversal(stirred, encoder, x, order="effect")
    assert tick_labels(ax.yaxis)[0].startswith("$z_{3}$")


def test_a_deterministic_encoder_is_ordered_by_variance_around_its_mean_code(encoder, decoder, x):
    (ax,) = traversal(
        lambda z: decoder(np.pad(z - 2, ((0, 0), (0, 1)))), lambda x: 2 + encoder(x)[0][:, :3] * [1, 3, 2], x
    )
    assert [row.split()[0] for row in tick_labels(ax.yaxis)] == ["$z_{2}$", "$z_{3}$", "$z_{1}$"]
    assert "by variance of the mean" in one_line(ax) and "nearest to the mean code" in one_line(ax)


def test_points_have_paths_and_no_change_image():
    x = np.random.default_rng(0).standard_normal((50, 2))
    posterior = Posterior(x, np.full(x.shape, 0.2), "normal")
    (ax,) = traversal(lambda z: z, posterior, x)
    assert ax.get_xlabel() == "$x_1$"
    with pytest.raises(InputError, match="change"):
        traversal(lambda z: z, posterior, x, change=True)


def test_colors_and_signals_have_a_change_image(x):
    posterior = Posterior(np.random.default_rng(0).standard_normal((20, 2)), np.full((20, 2), 0.2), "normal")
    for shape in ((4, 4, 3), (40,)):
        samples = np.random.default_rng(1).uniform(size=(20, *shape)).astype(np.float32)
        decoded = np.random.default_rng(2).uniform(size=(2, *shape))
        decoder = Decoder(lambda z, to=decoded: np.tensordot(np.tanh(z), to, 1), value_range=(-1, 1))
        axes = traversal(decoder, posterior, samples, change=True)
        assert len(axes) == 2
        axes[0].figure.draw_without_rendering()


def test_a_given_figure_is_drawn_into(encoder, decoder, x):
    figure = Figure(layout="constrained")
    assert list(traversal(decoder, encoder, x, figure=figure)) == figure.axes


def test_bad_input(encoder, decoder, x):
    with pytest.raises(InputError, match="n_steps"):
        traversal(decoder, encoder, x, n_steps=1)
    with pytest.raises(InputError, match="decoder"):
        traversal(None, encoder, x)


def test_a_decoder_alone_is_traversed_between_draws_from_the_prior(model):
    decoder = Decoder(lambda z: model.decode(z * [1, 1, 9, 1]).reshape(-1, 4, 4), latent_shape=(4,), output="values")
    (ax,) = traversal(decoder, n_steps=3)
    assert tick_labels(ax.yaxis)[0] == "$z_{3}$"  # by effect
    assert tick_labels(ax.xaxis) == ["−1.96", "0", "1.96"]
    assert "by effect" in one_line(ax) and "draw from N(0, I)" in one_line(ax)
    again = traversal(decoder, n_steps=3)[0].images[0].get_array()
    np.testing.assert_array_equal(ax.images[0].get_array(), again)
    with pytest.raises(InputError, match="around"):
        traversal(decoder, around=0)
    with pytest.raises(InputError) as error:
        traversal(lambda z: z)
    assert "latent_shape" in error.value.fix.python


def test_a_sample_is_not_a_row(decoder, encoder, x):
    with pytest.raises(InputError, match="around"):
        traversal(decoder, encoder, x, around=x[0])
