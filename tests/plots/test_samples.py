import numpy as np
import pytest

from vaeviz import Decoder, Encoder, NotApplicable, samples
from vaeviz.errors import InputError
from vaeviz.model.repeatability import N_REPEATED_ROWS


@pytest.fixture
def watched(make_decoder):
    """A decoder of images that keeps the codes it was given."""
    fn, calls = make_decoder(), []

    def watched_decoder(z):
        if len(z) > N_REPEATED_ROWS:  # without those that only show whether the decoder samples
            calls.append(z)
        return fn(z)

    watched_decoder.calls = calls
    return watched_decoder


def test_codes_are_drawn_from_the_prior_and_decoded_at_once(ax, watched):
    assert samples(Decoder(watched, latent_shape=(2,), prior="normal"), n_samples=400, ax=ax) is ax
    (z,) = watched.calls
    assert z.shape == (400, 2)
    np.testing.assert_allclose(z.mean(0), 0, atol=0.15)
    np.testing.assert_allclose(np.cov(z.T), np.eye(2), atol=0.2)
    assert ax.get_title() == "Means of p(x | z), 400 draws,\nz ~ N(0, I)"


def test_temperature_is_the_standard_deviation_of_the_codes(ax, watched):
    decoder = Decoder(watched, latent_shape=(2,), prior="normal")
    samples(decoder, n_samples=400, ax=ax)
    samples(decoder, n_samples=400, temperature=0.5, ax=ax)
    np.testing.assert_allclose(watched.calls[1], watched.calls[0] / 2, rtol=1e-6)
    assert ax.get_title() == "Means of p(x | z), 400 draws,\nz ~ N(0, 0.5² I)"


def test_samples_are_seeded(ax, watched):
    for seed in (1, 1, 2):
        samples(Decoder(watched, latent_shape=(2,)), n_samples=4, seed=seed, ax=ax)
    first, again, other = watched.calls
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_the_title_names_an_assumed_prior(ax, watched):
    samples(Decoder(watched, latent_shape=(2,)), n_samples=4, ax=ax)
    assert ax.get_title() == "Means of p(x | z), 4 draws,\nassuming z ~ N(0, I)"


def test_an_encoder_supplies_the_latent_size_and_the_prior(ax, digits, encoder, watched):
    samples(watched, encoder, digits.x, n_samples=4, ax=ax)
    assert watched.calls[0].shape == (4, 2)
    assert ax.get_title() == "Means of p(x | z), 4 draws,\nz ~ N(0, I)"


def test_a_model_without_a_prior_has_no_samples(digits, make_encoder, watched):
    deterministic = make_encoder(2, spread=False)
    with pytest.raises(NotApplicable, match="prior") as error:
        samples(watched, deterministic, digits.x)
    assert 'Decoder(fn, prior="normal")' in error.value.fix.python


@pytest.mark.parametrize("declared", ["decoder", "encoder"])
def test_a_declared_prior_is_sampled(ax, digits, make_encoder, watched, declared):
    prior = {declared: "normal"}
    samples(
        Decoder(watched, prior=prior.get("decoder")),
        Encoder(make_encoder(2, spread=False), prior=prior.get("encoder")),
        digits.x,
        n_samples=4,
        ax=ax,
    )
    assert ax.get_title() == "Means of p(x | z), 4 draws,\nz ~ N(0, I)"


@pytest.mark.parametrize(("shape", "columns"), [((8, 8), 4), ((32, 8), 8), ((8, 32), 2), ((400, 5), 16)])
def test_the_grid_follows_the_shape_of_the_images(ax, make_decoder, shape, columns):
    samples(Decoder(make_decoder(2, shape), latent_shape=(2,)), n_samples=16, kind="image", ax=ax)
    assert round(np.ptp(ax.get_xlim())) == columns


@pytest.mark.parametrize(("n", "shape"), [(1, (1, 1)), (4, (2, 2)), (5, (2, 3)), (12, (3, 4)), (64, (8, 8))])
def test_samples_fill_a_grid_and_leave_the_rest_blank(ax, watched, n, shape):
    samples(Decoder(watched, latent_shape=(2,)), n_samples=n, ax=ax)
    pixels = np.asarray(ax.images[0].get_array())
    rows, columns = shape
    size = (pixels.shape[0] + 1) / rows
    assert (pixels.shape[1] + 1) / columns == size
    starts = (np.arange(rows) * size + size // 2).astype(int), (np.arange(columns) * size + size // 2).astype(int)
    centers = pixels[np.ix_(*starts)].ravel()
    assert np.isfinite(centers[:n]).all()
    assert np.isnan(centers[n:]).all()


@pytest.mark.parametrize(
    ("shape", "artists"), [((8, 8, 3), "images"), ((50,), "collections"), ((5,), "images"), ((2,), "lines")]
)
def test_other_kinds_of_samples(ax, make_decoder, shape, artists):
    samples(Decoder(make_decoder(2, shape), latent_shape=(2,)), n_samples=5, ax=ax)
    assert len(getattr(ax, artists)) > 0
    ax.figure.draw_without_rendering()


def test_points_are_not_joined(ax, make_decoder):
    samples(Decoder(make_decoder(2, (2,)), latent_shape=(2,)), n_samples=9, ax=ax)
    assert {line.get_marker() for line in ax.lines} == {"o"}


def test_spatial_codes_are_drawn_in_their_shape(ax):
    def fn(z):
        assert z.shape[1:] == (2, 4, 4)
        return z.mean(1)

    samples(Decoder(fn, latent_shape=(2, 4, 4), output="values"), n_samples=4, ax=ax)


@pytest.mark.parametrize("settings", [{"n_samples": 0}, {"temperature": 0.0}, {"temperature": -1.0}])
def test_unusable_settings_are_an_error(watched, settings):
    ((option, value),) = settings.items()
    with pytest.raises(InputError, match=option) as error:
        samples(Decoder(watched, latent_shape=(2,)), **settings)
    assert error.value.got == f"{value:g}"


def test_an_unknown_latent_size_must_be_declared(watched):
    with pytest.raises(InputError, match="latent_shape"):
        samples(watched)
