import numpy as np
import pytest

from vaeviz import Decoder, decode, encode, reconstruction_pairs
from vaeviz.errors import InputError


def tiles(ax, columns, rows=2):
    """The images of a mosaic as they were before they were enlarged to it: (rows, columns, 8, 8)."""
    pixels = np.asarray(ax.images[0].get_array())
    size = (pixels.shape[0] + 1) / rows
    starts = [
        (np.arange(count)[:, None] * size + np.arange(8) * (size - 1) / 8 + 1).astype(int) for count in (rows, columns)
    ]
    return pixels[starts[0]][:, :, starts[1]].transpose(0, 2, 1, 3)


def test_samples_are_drawn_above_their_reconstructions(ax, digits, encoder, decoder):
    assert reconstruction_pairs(encoder, decoder, digits.x, rows=(5, 0, 59), ax=ax) is ax
    top, bottom = tiles(ax, 3)
    np.testing.assert_allclose(top, digits.x[[5, 0, 59]])
    np.testing.assert_allclose(bottom, decode(decoder, encode(encoder, digits.x))[[5, 0, 59]], rtol=1e-6)
    assert ax.get_title() == "Reconstructions from the posterior mean"
    assert {tick.get_text() for tick in ax.get_yticklabels()} == {"original", "reconstruction"}
    assert ax.images[0].get_clim() == (0, 1)


def test_every_class_is_shown_equally_often_and_named(ax, digits, encoder, decoder):
    reconstruction_pairs(encoder, decoder, digits.x, digits.labels, ax=ax)
    assert [tick.get_text() for tick in ax.get_xticklabels()] == list("0123456789")
    top, _ = tiles(ax, 10)
    for digit, image in enumerate(top):
        row = np.flatnonzero((digits.x == image).all((1, 2)))
        assert digits.labels[row] == digit


def test_the_title_counts_the_classes_that_are_shown(ax, digits, encoder, decoder):
    reconstruction_pairs(encoder, decoder, digits.x, digits.labels, n_samples=4, ax=ax)
    assert ax.get_title().replace("\n", " ") == "Reconstructions from the posterior mean, 4 of 10 classes"


def test_without_labels_samples_are_chosen_at_random(ax, digits, encoder, decoder):
    reconstruction_pairs(encoder, decoder, digits.x, n_samples=7, seed=1, ax=ax)
    top, _ = tiles(ax, 7)
    rows = [np.flatnonzero((digits.x == image).all((1, 2)))[0] for image in top]
    assert len(set(rows)) == 7
    assert not ax.get_xticklabels()


def test_continuous_labels_are_not_drawn(ax, digits, encoder, decoder):
    reconstruction_pairs(encoder, decoder, digits.x, np.linspace(0, 1, 60), ax=ax)
    assert not ax.get_xticklabels()


def test_samples_without_a_label_are_not_named(ax, digits, encoder, decoder):
    labels = np.array(["a", None] * 30, dtype=object)
    reconstruction_pairs(encoder, decoder, digits.x, labels, rows=(0, 1), ax=ax)
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["a", ""]


def test_flat_reconstructions_take_the_shape_of_the_samples(ax, digits, encoder, make_decoder):
    reconstruction_pairs(encoder, make_decoder(2, (64,)), digits.x, n_samples=3, ax=ax)
    assert len(ax.images) == 1
    ax.clear()
    reconstruction_pairs(
        encoder, Decoder(make_decoder(), sample_shape=(8, 8)), digits.x.reshape(60, 64), n_samples=3, ax=ax
    )
    assert len(ax.images) == 1


@pytest.mark.parametrize(
    ("shape", "artists"),
    [((8, 8, 3), "images"), ((64,), "images"), ((50,), "collections"), ((5,), "images"), ((2,), "lines")],
)
def test_other_kinds_of_samples(ax, make_encoder, make_decoder, shape, artists):
    x = np.random.default_rng(0).random((10, *shape), dtype=np.float32)
    reconstruction_pairs(make_encoder(), make_decoder(2, shape), x, n_samples=4, ax=ax)
    assert len(getattr(ax, artists)) > 0


def test_points_are_joined_with_their_reconstructions(ax, make_encoder, make_decoder):
    x = np.random.default_rng(0).random((10, 2), dtype=np.float32)
    encoder, decoder = make_encoder(), make_decoder(2, (2,))
    reconstruction_pairs(encoder, decoder, x, rows=(1, 4), ax=ax)
    joined = [line.get_xydata() for line in ax.lines if line.get_marker() != "o"]
    decoded = decode(decoder, encode(encoder, x))
    np.testing.assert_allclose(joined, np.stack([x[[1, 4]], decoded[[1, 4]]], axis=1), rtol=1e-6)


@pytest.mark.parametrize(
    ("settings", "got", "expected"),
    [
        ({"rows": (0, 60)}, "row 60", "rows from 0 to 59"),
        ({"rows": (-1,)}, "row -1", "rows from 0 to 59"),
        ({"rows": ()}, "no rows", "rows from 0 to 59"),
        ({"n_samples": 0}, "0", "1 or more"),
    ],
)
def test_pairs_that_cannot_be_drawn_are_an_error(digits, encoder, decoder, settings, got, expected):
    (option,) = settings
    with pytest.raises(InputError, match=option) as error:
        reconstruction_pairs(encoder, decoder, digits.x, **settings)
    assert error.value.got == got
    assert error.value.expected.endswith(expected)


def test_labels_of_another_length_are_an_error(digits, encoder, decoder):
    with pytest.raises(InputError, match="59"):
        reconstruction_pairs(encoder, decoder, digits.x, np.zeros(59))


def test_many_pairs_continue_in_bands_below(ax, digits, encoder, decoder):
    reconstruction_pairs(encoder, decoder, digits.x, digits.labels, rows=tuple(range(40)), ax=ax)
    cells = tiles(ax, 10, rows=8)
    np.testing.assert_allclose(cells[::2].reshape(40, 8, 8), digits.x[:40])
    np.testing.assert_allclose(cells[3], decode(decoder, encode(encoder, digits.x))[10:20], rtol=1e-6)
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["original", "reconstruction"] * 4


@pytest.mark.parametrize("n_samples", [1, 40])
def test_a_new_figure_has_a_moderate_height(digits, encoder, decoder, n_samples):
    width, height = reconstruction_pairs(encoder, decoder, digits.x, n_samples=n_samples).figure.get_size_inches()
    assert height < width
