import numpy as np
import pytest

from vaeviz import Decoder, decode, encode, interpolation
from vaeviz.analysis.interpolation import slerp
from vaeviz.errors import InputError, UnknownName


@pytest.fixture
def flat():
    """Samples of five values, their encoder, and a decoder whose codes can be read off its samples."""
    x = np.random.default_rng(0).standard_normal((40, 5)).astype(np.float32)
    return x, lambda x: x[:, :3], lambda z: np.column_stack([z, z[:, :2]])


def strips(ax, columns, rows=1):
    """The samples in a table of sequences, (rows, columns, 5)."""
    pixels = np.asarray(ax.images[0].get_array())
    height = next(h for h in range(1, 10**4) if rows * h + (rows - 1) * max(1, round(h / 28)) >= pixels.shape[0])
    first = np.linspace(0, pixels.shape[0] - height, rows).round()[:, None]
    down = (first + (np.arange(columns) + 0.5) * height / columns).astype(int)
    return pixels[down][..., ((np.arange(5) + 0.5) * pixels.shape[1] / 5).astype(int)]


def test_each_path_goes_from_a_sample_over_its_reconstruction_to_another(ax, flat):
    x, encoder, decoder = flat
    assert interpolation(decoder, encoder, x, pair=(3, 8), n_steps=5, ax=ax) is ax
    (row,) = strips(ax, 7)
    mean = encode(encoder, x).mean
    np.testing.assert_allclose(row[[0, -1]], x[[3, 8]], rtol=1e-6)
    np.testing.assert_allclose(row[[1, -2]], decode(decoder, mean[[3, 8]]), rtol=1e-6)
    np.testing.assert_allclose(row[3], decode(decoder, mean[[3, 8]].mean(0, keepdims=True))[0], rtol=1e-5)


def test_a_path_along_the_great_arc(ax, flat):
    x, encoder, decoder = flat
    interpolation(decoder, encoder, x, method="slerp", pair=(3, 8), n_steps=5, ax=ax)
    (row,) = strips(ax, 7)
    expected = slerp(x[3, :3], x[8, :3], np.linspace(0, 1, 5))
    np.testing.assert_allclose(row[1:-1, :3], expected, rtol=1e-5, atol=1e-6)
    assert ax.get_title() == "Slerp interpolation between codes"


def test_columns_are_times_between_the_samples(ax, flat):
    x, encoder, decoder = flat
    interpolation(decoder, encoder, x, n_steps=5, kind="signal", ax=ax)
    names = [tick.get_text() for tick in ax.get_xticklabels()]
    assert names == ["$x$", "0", "0.25", "0.5", "0.75", "1", "$x'$"]
    assert ax.get_title() == "Linear interpolation between codes"


def test_random_paths_join_different_labels(ax, flat):
    x, encoder, decoder = flat
    labels = np.repeat([0, 1], 20)
    interpolation(decoder, encoder, x, labels, n_paths=6, ax=ax)
    ends = strips(ax, 12, rows=6)[:, [0, -1]]
    rows = [[np.flatnonzero(np.isclose(x, end).all(1))[0] for end in pair] for pair in ends]
    assert all(labels[a] != labels[b] for a, b in rows)
    assert len({tuple(row) for row in rows}) == 6


def test_between_labels(ax, flat):
    x, encoder, decoder = flat
    labels = np.array(["a", "b", "c", "d"] * 10)
    interpolation(decoder, encoder, x, labels, between=("c", "a"), n_paths=3, ax=ax)
    ends = strips(ax, 12, rows=3)[:, [0, -1]]
    rows = [[np.flatnonzero(np.isclose(x, end).all(1))[0] for end in pair] for pair in ends]
    assert [[labels[a], labels[b]] for a, b in rows] == [["c", "a"]] * 3


def test_integer_labels_are_named_as_they_are_written(ax, digits, encoder, decoder):
    interpolation(decoder, encoder, digits.x, digits.labels, between=("3", "8"), n_paths=1, ax=ax)
    assert len(ax.images) == 1


def test_the_seed_chooses_the_pairs(flat):
    from matplotlib.figure import Figure

    x, encoder, decoder = flat
    grids = [
        strips(interpolation(decoder, encoder, x, seed=seed, ax=Figure().subplots()), 12, rows=5) for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(grids[0], grids[1])
    assert (grids[0] != grids[2]).any()


@pytest.mark.parametrize(
    ("shape", "artists"), [((8, 8), "images"), ((8, 8, 3), "images"), ((64,), "images"), ((50,), "collections")]
)
def test_paths_of_images_and_signals(ax, make_encoder, make_decoder, shape, artists):
    x = np.random.default_rng(0).random((10, *shape), dtype=np.float32)
    interpolation(make_decoder(2, shape), make_encoder(), x, n_paths=2, n_steps=3, ax=ax)
    assert len(getattr(ax, artists)) == 1


def test_paths_of_points_are_joined(ax, make_encoder, make_decoder):
    x = np.random.default_rng(0).random((10, 2), dtype=np.float32)
    interpolation(make_decoder(2, (2,)), make_encoder(), x, n_paths=2, n_steps=3, ax=ax)
    paths = [line.get_xydata() for line in ax.lines if line.get_marker() != "o"]
    assert [path.shape for path in paths] == [(3, 2), (3, 2)]
    hollow = next(line for line in ax.lines if line.get_markerfacecolor() == "none")
    assert all(any(np.allclose(point, sample) for sample in x) for point in hollow.get_xydata())


@pytest.mark.parametrize(
    ("settings", "got", "expected"),
    [
        ({"n_steps": 1}, "1", "2 or more"),
        ({"n_paths": 0}, "0", "int, 1 or more"),
        ({"pair": (0, 40)}, "row 40", "rows from 0 to 39"),
        ({"pair": (-1, 4)}, "row -1", "rows from 0 to 39"),
        ({"between": ("a", "b")}, "no labels", "one label per sample"),
        ({"between": ("a", "c"), "labels": np.array(["a", "b"] * 20)}, "c", "a, b"),
    ],
)
def test_paths_that_cannot_be_drawn_are_an_error(flat, settings, got, expected):
    x, encoder, decoder = flat
    with pytest.raises(InputError) as error:
        interpolation(decoder, encoder, x, **settings)
    assert (error.value.got, error.value.expected) == (got, expected)
    assert error.value.fix.python


def test_labels_of_another_length_are_an_error(flat):
    x, encoder, decoder = flat
    with pytest.raises(InputError, match="39"):
        interpolation(decoder, encoder, x, np.zeros(39))


def test_an_unknown_label_is_an_unknown_name(flat):
    x, encoder, decoder = flat
    with pytest.raises(UnknownName):
        interpolation(decoder, encoder, x, np.array(["a", "b"] * 20), between=("a", "c"))


def test_opposite_codes_have_no_great_arc(flat):
    x, encoder, decoder = flat
    x = np.concatenate([x[:1], -x[:1]])
    with pytest.raises(InputError, match="linear"):
        interpolation(decoder, encoder, x, method="slerp", pair=(0, 1))


def test_a_decoder_alone_joins_draws_from_the_prior(ax, make_decoder):
    fn = make_decoder()
    decoder = Decoder(fn, latent_shape=(2,))
    interpolation(decoder, n_paths=3, n_steps=4, seed=2, ax=ax)
    ends = np.random.default_rng(2).standard_normal((6, 2)).astype(np.float32)
    first = np.asarray(ax.images[0].get_array())[:32:4, :32:4]  # pixels are enlarged four times
    np.testing.assert_allclose(first, fn(ends[:1])[0], rtol=1e-5)
    assert "draws from N(0, I)" in ax.get_title().replace("\n", " ")
    assert [text.get_text() for text in ax.get_xticklabels()] == ["0", "0.33", "0.67", "1"]
    with pytest.raises(InputError, match="pair"):
        interpolation(decoder, pair=(0, 1))


def test_draws_take_the_conditions_in_turn(ax):
    decoder = Decoder(lambda z, y: z + 10 * y[:, None], latent_shape=(2,), conditions=range(3), output="values")
    interpolation(decoder, n_paths=4, n_steps=3, ax=ax)
    assert [text.get_text() for text in ax.get_legend().get_texts()][:3] == ["0", "1", "2"]
