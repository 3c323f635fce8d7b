import numpy as np
import pytest

from vaeviz import Decoder, Encoder, NotApplicable, Posterior, manifold_grid
from vaeviz.analysis.latent_grid import equal_mass_nodes
from vaeviz.errors import InputError
from vaeviz.model.repeatability import N_REPEATED_ROWS

SHAPE = (8, 8)


@pytest.fixture
def watched():
    """A decoder that keeps the codes it was given, and returns small images."""

    class Watched:
        def __init__(self):
            self.calls = []

        def __call__(self, z):
            if len(z) > N_REPEATED_ROWS:  # without those that only show whether the decoder samples
                self.calls.append(z)
            return np.broadcast_to(1 / (1 + np.exp(-z[:, :1, None])), (len(z), *SHAPE))

    return Watched()


def declared(fn, size=2, **settings):
    return Decoder(fn, latent_shape=(size,), **settings)


def nodes_of(calls, n):
    z = calls[-1]
    grid = z.reshape(n, n, -1)
    return grid[0, :, 0], grid[::-1, 0, 1]


def test_nodes_have_equal_prior_mass_and_are_decoded_in_one_call_after_one_code(ax, watched):
    assert manifold_grid(declared(watched, prior="normal"), ax=ax) is ax
    across, up = nodes_of(watched.calls, 20)
    np.testing.assert_allclose(across, equal_mass_nodes(20), rtol=1e-6)
    np.testing.assert_allclose(up, equal_mass_nodes(20), rtol=1e-6)
    assert [len(z) for z in watched.calls] == [400]
    assert across[-1] == pytest.approx(1.959964, abs=1e-6)
    assert ax.get_title() == "Decoded grid, 20 × 20 nodes\nof equal prior mass"


def test_the_grid_is_one_image_that_increases_to_the_right(ax, watched):
    manifold_grid(declared(watched), n_grid=5, ax=ax)
    (image,) = ax.images
    pixels = image.get_array()
    centers = pixels[pixels.shape[0] // 2, pixels.shape[1] // 10 :: pixels.shape[1] // 5][:5]
    np.testing.assert_allclose(centers, 1 / (1 + np.exp(-equal_mass_nodes(5))), rtol=1e-5)


def test_the_second_dimension_increases_upwards(ax):
    def fn(z):
        return np.broadcast_to(1 / (1 + np.exp(-z[:, 1:, None])), (len(z), *SHAPE))

    manifold_grid(declared(fn), n_grid=5, ax=ax)
    pixels = ax.images[0].get_array()
    assert pixels[0, 0] > pixels[-1, 0]


def test_the_title_names_an_assumed_prior(ax, watched):
    manifold_grid(declared(watched), n_grid=5, ax=ax)
    assert "assuming z ~ N(0, I)" in ax.get_title()
    assert "prior mass" not in ax.get_title()


def test_an_unknown_latent_size_must_be_declared(watched):
    with pytest.raises(InputError, match="latent_shape"):
        manifold_grid(watched)


@pytest.mark.parametrize(
    ("settings", "low", "high"),
    [({"spacing": "linear"}, -1.96, 1.96), ({"span": (-3, 1)}, -3, 1), ({"spacing": "linear", "span": (0, 2)}, 0, 2)],
)
def test_even_nodes(ax, watched, settings, low, high):
    manifold_grid(declared(watched, prior="normal"), n_grid=5, ax=ax, **settings)
    np.testing.assert_allclose(nodes_of(watched.calls, 5)[0], np.linspace(low, high, 5), atol=1e-6)
    assert ax.get_title() == "Decoded grid, 5 × 5 nodes\nevenly spaced"
    step = (high - low) / 4
    np.testing.assert_allclose(ax.get_xlim(), (low - step / 2, high + step / 2), atol=step * 0.05)


@pytest.mark.parametrize("spacing", ["prior", "linear"])
def test_without_a_known_prior_nodes_follow_the_codes(ax, digits, watched, spacing):
    codes = np.random.default_rng(0).gamma(2.0, size=(60, 2)) + 10
    manifold_grid(watched, Posterior(codes), digits.x, n_grid=5, spacing=spacing, ax=ax)
    across, up = nodes_of(watched.calls, 5)
    if spacing == "prior":
        expected = np.quantile(codes, (np.arange(5) + 0.5) / 5, axis=0)
        assert ax.get_title() == "Decoded grid, 5 × 5 nodes\nat quantiles of the codes"
    else:
        expected = np.linspace(*np.quantile(codes, (0.025, 0.975), axis=0), 5)
        assert ax.get_title() == "Decoded grid, 5 × 5 nodes\nevenly spaced"
    np.testing.assert_allclose(np.column_stack([across, up]), expected, rtol=1e-5)


def test_a_prior_declared_on_either_side_is_known(ax, digits, watched, make_encoder):
    encoder = make_encoder(2, spread=False)
    for decoder, known in (
        (Decoder(watched, prior="normal"), encoder),
        (watched, Encoder(encoder, prior="normal")),
        (watched, make_encoder(2)),
    ):
        watched.calls.clear()
        manifold_grid(decoder, known, digits.x, n_grid=5, ax=ax)
        np.testing.assert_allclose(nodes_of(watched.calls, 5)[0], equal_mass_nodes(5), atol=1e-6)
        assert ax.get_title().endswith("of equal prior mass")


def test_the_two_most_active_dimensions_vary_and_the_others_are_0(ax, digits, watched):
    mean = np.random.default_rng(0).standard_normal((60, 4)) * [0.1, 2, 3, 0.1] + 7
    posterior = Posterior(mean - mean.mean(0), np.full((60, 4), 0.5), "normal")
    manifold_grid(watched, posterior, digits.x, n_grid=5, ax=ax)
    (z,) = watched.calls
    assert np.ptp(z, axis=0).astype(bool).tolist() == [False, True, True, False]
    assert (z[:, [0, 3]] == 0).all()
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$z_{2}$", "$z_{3}$")
    assert ax.get_title().endswith("the other 2 dimensions at 0")


def test_dims_choose_the_dimensions_in_their_order(ax, watched):
    manifold_grid(declared(watched, 3), dims=(2, 0), n_grid=5, ax=ax)
    (z,) = watched.calls
    np.testing.assert_allclose(z.reshape(5, 5, 3)[0, :, 2], equal_mass_nodes(5), rtol=1e-6, atol=1e-7)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$z_{3}$", "$z_{1}$")
    assert ax.get_title().endswith("the other dimension at 0")


def test_a_latent_of_one_dimension_is_one_row(ax, watched):
    manifold_grid(declared(watched, 1, prior="normal"), ax=ax)
    np.testing.assert_allclose(watched.calls[-1][:, 0], equal_mass_nodes(10), rtol=1e-6)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$z_{1}$", "")
    assert len(ax.get_yticks()) == 0
    assert ax.get_title() == "Decoded grid, 10 nodes\nof equal prior mass"
    height, width = ax.images[0].get_array().shape
    assert width > 8 * height


@pytest.mark.parametrize(
    ("shape", "n"),
    [
        ((8, 8), 20),
        ((64,), 20),
        ((8, 8, 3), 20),
        ((64, 40), 10),
        ((200, 200), 6),
        ((50,), 10),
        ((5,), 10),
        ((13,), 7),
        ((2,), 10),
    ],
)
def test_nodes_a_side_follow_the_kind_of_sample(ax, make_decoder, shape, n):
    manifold_grid(declared(make_decoder(2, shape), sample_shape=shape), ax=ax)
    assert f"{n} × {n} nodes" in ax.get_title()


def test_signals_are_lines_on_latent_axes(ax, make_decoder):
    manifold_grid(declared(make_decoder(2, (50,))), n_grid=5, ax=ax)
    assert len(ax.collections[0].get_segments()) == 25
    assert ax.get_xlabel() == "$z_{1}$"


def test_points_are_a_net_in_the_plane_of_the_data(ax, make_decoder):
    fn = make_decoder(2, (2,))
    manifold_grid(declared(fn), n_grid=5, ax=ax)
    dots = np.concatenate([line.get_xydata() for line in ax.lines if line.get_marker() == "o"])
    assert len(dots) == 25
    assert len([line for line in ax.lines if line.get_marker() != "o"]) == 10
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$x_1$", "$x_2$")


def test_decoded_samples_share_the_range_of_the_data(ax, digits, encoder, make_decoder):
    fn = make_decoder()
    manifold_grid(lambda z: 0.1 * fn(z), encoder, digits.x, n_grid=5, ax=ax)
    assert ax.images[0].get_clim() == (0, 1)


def test_spatial_codes_are_restored(ax, digits):
    def encoder(x):
        return x.reshape(len(x), 4, 4, 4)[:, :, :1, :1], x.reshape(len(x), 4, 4, 4)[:, :, :1, :1] - 3

    def decoder(z):
        assert z.shape[1:] == (4, 1, 1)
        return np.zeros((len(z), 8, 8))

    manifold_grid(decoder, encoder, digits.x, n_grid=3, ax=ax)
    assert len(ax.images) == 1


@pytest.mark.parametrize(
    ("settings", "got"),
    [({"n_grid": 1}, "1"), ({"span": (2, 1)}, "2, 1"), ({"dims": (0, 2)}, "")],
)
def test_a_grid_that_cannot_be_drawn_is_an_error(watched, settings, got):
    (option,) = settings
    with pytest.raises(InputError, match=option) as error:
        manifold_grid(declared(watched), **settings)
    assert got in error.value.got


@pytest.mark.parametrize(
    ("size", "last_line"),
    [(3, "first 2 of 3 dimensions; the other fixed at 0"), (5, "first 2 of 5 dimensions; the others fixed at 0")],
)
def test_a_lone_decoder_varies_the_first_two_of_many_dimensions(ax, watched, size, last_line):
    manifold_grid(declared(watched, size), n_grid=5, ax=ax)
    (z,) = watched.calls
    assert np.ptp(z, axis=0).astype(bool).tolist() == [True, True] + [False] * (size - 2)
    assert (z[:, 2:] == 0).all()
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$z_{1}$", "$z_{2}$")
    assert ax.get_title() == f"Decoded grid, 5 × 5 nodes\nof equal mass, assuming z ~ N(0, I)\n{last_line}"


def test_codes_of_too_few_values_have_no_grid_of_equal_mass(digits, watched):
    with pytest.raises(NotApplicable, match="dimension 0 for 5 nodes") as error:
        manifold_grid(watched, Posterior(np.repeat([[0.0, 1.0], [1.0, 0.0]], 30, axis=0)), digits.x, n_grid=5)
    assert "linear" in error.value.fix.python


def test_a_narrow_table_has_a_map_of_each_feature_under_its_name(ax):
    decoder = declared(lambda z: np.stack([z[:, 0], z[:, 1], z.sum(axis=1)], axis=1), output="values")
    x = np.random.default_rng(0).uniform(-2, 2, (50, 3))
    manifold_grid(decoder, None, x, feature_names=["first", "second", "sum"], n_grid=4, spacing="linear", ax=ax)
    assert [panel.get_title() for panel in ax.child_axes] == ["first", "second", "sum"]
    assert len({panel.images[0].get_clim() for panel in ax.child_axes}) == 1
    maps = [np.ma.filled(panel.images[0].get_array(), np.nan) for panel in ax.child_axes]
    np.testing.assert_allclose(maps[0][5], maps[0][-5])  # z_1 runs across
    assert np.nanmean(maps[1][:5]) > np.nanmean(maps[1][-5:])  # z_2 runs up
    np.testing.assert_allclose(maps[0] + maps[1], maps[2], atol=1e-5)
    assert sum(len(panel.child_axes) for panel in ax.child_axes) == 1  # the color bar
