"""Weights of Keras are loaded into a model that the user names."""

import numpy as np
import pytest

from vaeviz.errors import InputError
from vaeviz.model.adapters.keras_model import choose_backend
from vaeviz.model.weights.load import load_weights
from vaeviz.model.weights.names import WeightMismatch

pytestmark = pytest.mark.adapters
choose_backend()
keras = pytest.importorskip("keras")


def dense_model(size=2, *, extra=False):
    x = keras.Input((4,))
    hidden = keras.layers.Dense(3)(x)
    if extra:
        hidden = keras.layers.Dense(3)(hidden)
    return keras.Model(x, keras.layers.Dense(size)(hidden))


@pytest.fixture
def path(tmp_path):
    """The weights of a model."""
    path = tmp_path / "model.weights.h5"
    dense_model().save_weights(path)
    return path


def test_weights_are_loaded_into_a_model_that_a_function_makes(tmp_path):
    trained = dense_model()
    trained.save_weights(tmp_path / "a.weights.h5")
    loaded = load_weights(lambda: dense_model(), tmp_path / "a.weights.h5")
    for one, other in zip(loaded.get_weights(), trained.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_does_not_fit_is_listed(path):
    with pytest.raises(WeightMismatch) as error:
        load_weights(dense_model(5), path)
    assert set(error.value.differences.wrong_shape.values()) == {((3, 2), (3, 5)), ((2,), (5,))}
    with pytest.raises(WeightMismatch) as error:
        load_weights(dense_model(extra=True), path)
    assert error.value.differences.missing


def test_partial_weights_are_named(path):
    with pytest.warns(UserWarning, match="initial values"):
        load_weights(dense_model(5), path, strict=False)


def test_a_model_without_weights_and_one_of_another_library_are_errors(path):
    with pytest.raises(InputError) as error:
        load_weights(keras.Sequential([keras.layers.Dense(2)]), path)
    assert error.value.expected == "a built model"
    with pytest.raises(InputError) as error:
        load_weights(object(), path)
    assert error.value.expected == "a Keras model"


def test_arrays_of_other_files_are_not_read(path, tmp_path):
    import h5py

    (tmp_path / "secret.bin").write_bytes(bytes(400))
    with h5py.File(path, "a") as file:
        place = next(iter(_datasets(file)))
        shape = file[place].shape
        del file[place]
        file.create_dataset(place, shape, "f4", external=[(str(tmp_path / "secret.bin"), 0, 400)])
    with pytest.raises(InputError) as error:
        load_weights(dense_model(), path)
    assert error.value.got == place


def test_links_to_other_files_are_not_followed(path, tmp_path):
    import h5py

    dense_model().save_weights(tmp_path / "secret.weights.h5")
    with h5py.File(path, "a") as file:
        place = next(iter(_datasets(file)))
        del file[place]
        file[place] = h5py.ExternalLink(str(tmp_path / "secret.weights.h5"), place)
    with pytest.raises(InputError) as error:
        load_weights(dense_model(), path, strict=False)
    assert error.value.got == place


def _datasets(file):
    import h5py

    places = []
    file.visititems(lambda place, item: places.append(place) if isinstance(item, h5py.Dataset) else None)
    return places


def test_a_cut_file_is_an_error(path):
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(InputError):
        load_weights(dense_model(), path)
