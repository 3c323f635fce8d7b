"""Data sets without a download: the digits, and those whose structure is known exactly."""

import numpy as np
import pytest

from vaeviz.data.loading import load_data

SYNTHETIC = ["chirps", "linear-gaussian", "pinwheel", "squares", "waves"]


def rows(data):
    return {sample.tobytes() for sample in data.x}


def test_digits_are_split_without_overlap():
    train, test, everything = (load_data("digits", split=split) for split in ("train", "test", "all"))
    assert (len(train), len(test), len(everything)) == (1437, 360, 1797)
    assert not rows(train) & rows(test)
    assert rows(train) | rows(test) == rows(everything)


def test_digits_are_images_with_labels():
    data = load_data("digits", split="all")
    assert data.x.shape[1:] == (8, 8)
    assert (data.x.min(), data.x.max()) == (0, 1)
    assert np.bincount(data.labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


@pytest.mark.parametrize("name", SYNTHETIC)
def test_synthetic_data_sets_are_the_same_every_time(name):
    one, same = load_data(name, split="test"), load_data(name, split="test")
    np.testing.assert_array_equal(one.x, same.x)
    assert one.x.dtype == np.float32


@pytest.mark.parametrize("name", SYNTHETIC)
def test_synthetic_train_and_test_are_different_draws(name):
    train, test = load_data(name, split="train"), load_data(name, split="test")
    assert (len(train), len(test)) == (4000, 1000)
    assert not rows(train) & rows(test)
    for known in ("labels", "factors"):
        if (values := getattr(train, known)) is not None:
            assert not np.array_equal(values[:1000], getattr(test, known))


def test_linear_gaussian_covariance():
    x = load_data("linear-gaussian", split="train").x
    eigenvalues = np.linalg.eigvalsh(np.cov(x.T))[::-1]
    assert x.shape == (4000, 16)
    np.testing.assert_allclose(eigenvalues[:3], [4, 2, 1], rtol=0.1)
    np.testing.assert_allclose(eigenvalues[3:], 0.1, rtol=0.15)
    assert eigenvalues[3:].mean() == pytest.approx(0.1, rel=0.02)


def test_linear_gaussian_splits_share_one_subspace():
    train, test = (load_data("linear-gaussian", split=split) for split in ("train", "test"))
    weights, *_ = np.linalg.lstsq(train.factors, train.x)
    residual = test.x - test.factors @ weights
    assert residual.var() == pytest.approx(0.1, rel=0.03)


def test_pinwheel_is_five_arms_in_the_plane():
    data = load_data("pinwheel")
    assert data.x.shape == (1000, 2)
    assert np.unique(data.labels).tolist() == [0, 1, 2, 3, 4]
    turn = 2 * np.pi / 5
    back = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    means = np.array([data.x[data.labels == arm].mean(axis=0) for arm in range(5)])
    np.testing.assert_allclose(means[1:] @ back.T, means[:-1], atol=0.1)


def test_waves_are_signals_between_zero_and_one():
    data = load_data("waves")
    assert data.x.shape == (1000, 128)
    assert 0 <= data.x.min() < data.x.max() <= 1
    assert data.class_names == ("sine", "square", "sawtooth")
    assert data.factors.shape == (1000, 2)


def test_a_sine_wave_follows_from_its_factors():
    data = load_data("waves")
    sine = data.labels == 0
    frequency, phase = data.factors[sine].T[:, :, None]
    drawn = 0.5 + 0.45 * np.sin(2 * np.pi * (frequency * np.linspace(0, 1, 128) + phase))
    assert np.abs(data.x[sine] - drawn).std() < 0.02


def test_square_factors_are_center_and_half_side():
    data = load_data("squares")
    column, row, half = data.factors.T
    mass = data.x.sum(axis=(1, 2))
    pixels = np.arange(32) + 0.5
    assert data.x.shape == (1000, 32, 32)
    np.testing.assert_allclose((data.x.sum(axis=1) @ pixels) / mass, column, atol=1e-4)
    np.testing.assert_allclose((data.x.sum(axis=2) @ pixels) / mass, row, atol=1e-4)
    np.testing.assert_allclose(mass, (2 * half) ** 2, rtol=1e-5)


def test_square_labels_are_sizes():
    data = load_data("squares")
    assert dict(zip(np.asarray(data.named_labels()).tolist(), data.factors[:, 2])) == {
        "small": 3,
        "medium": 5,
        "large": 7,
    }


def test_the_tone_of_a_chirp_goes_from_one_factor_to_the_other():
    data = load_data("chirps", split="test")
    assert data.x.shape == (1000, 33, 31)
    assert (data.kind, data.factor_names) == ("spectrogram", ("first frequency", "last frequency"))
    loudest = data.x.argmax(axis=1) / 32
    np.testing.assert_allclose(loudest[:, 0], data.factors[:, 0], atol=0.06)
    np.testing.assert_allclose(loudest[:, -1], data.factors[:, 1], atol=0.06)
    rise = np.sign(data.factors[:, 1] - data.factors[:, 0])
    assert [data.class_names[label] for label in (0, 1, 2)] == ["rising", "falling", "steady"]
    np.testing.assert_array_equal(rise, np.array([1, -1, 0])[data.labels])


@pytest.mark.parametrize(("name", "shape", "classes"), [("wine", (178, 13), 3), ("breast-cancer", (569, 30), 2)])
def test_tables_are_standardized_and_their_features_named(name, shape, classes):
    train, test, everything = (load_data(name, split=split) for split in ("train", "test", "all"))
    assert everything.x.shape == shape
    assert len(train) + len(test) == shape[0]
    assert len(train.feature_names) == shape[1]
    assert len(train.class_names) == classes == len(np.unique(train.labels))
    np.testing.assert_allclose(train.x.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(train.x.std(axis=0), 1, rtol=1e-4)
    assert not rows(train) & rows(test)


def test_patches_are_cut_from_two_photographs_and_no_pixel_is_in_both_splits():
    from sklearn.datasets import load_sample_images

    photographs = [image / np.float32(255) for image in load_sample_images().images]
    for split, count, columns in (("train", 4000, slice(0, 512)), ("test", 1000, slice(512, None))):
        data = load_data("patches", split=split)
        assert data.x.shape == (count, 16, 16, 3)
        windows = np.lib.stride_tricks.sliding_window_view(photographs[data.labels[0]][:, columns], (16, 16, 3))
        same = np.abs(windows[:, :, 0, ::5, ::5] - data.x[0, ::5, ::5]).max(axis=(2, 3, 4)) == 0
        assert same.any()
    assert len(load_data("patches", split="all")) == 5000
