import json
import os
import subprocess
import sys

import numpy as np
import pytest

import vaeviz

pytest.importorskip("keras")
BACKEND = os.environ.get("KERAS_BACKEND", "torch")


@pytest.fixture(scope="module")
def keras():
    from vaeviz.model.adapters.keras_model import choose_backend

    choose_backend()
    import keras

    return keras


@pytest.fixture(scope="module")
def pair(keras):
    """Encoder and decoder as in the classic listing: NHWC, [z_mean, z_log_var, z]."""
    from keras import layers

    @keras.saving.register_keras_serializable(package="vaeviz_tests")
    class Sampling(layers.Layer):
        def __init__(self, **settings):
            super().__init__(**settings)
            self.seed_generator = keras.random.SeedGenerator(0)

        def call(self, inputs):
            mean, log_var = inputs
            noise = keras.random.normal(keras.ops.shape(mean), seed=self.seed_generator)
            return mean + keras.ops.exp(0.5 * log_var) * noise

    keras.utils.set_random_seed(0)
    x = keras.Input((8, 8, 1))
    hidden = layers.Flatten()(layers.Conv2D(4, 3, activation="relu")(x))
    hidden = layers.BatchNormalization()(layers.Dropout(0.5)(hidden))
    mean, log_var = layers.Dense(3, name="z_mean")(hidden), layers.Dense(3, name="z_log_var")(hidden)
    encoder = keras.Model(x, [mean, log_var, Sampling()([mean, log_var])], name="encoder")
    z = keras.Input((3,))
    decoder = keras.Model(z, layers.Reshape((8, 8, 1))(layers.Dense(64, activation="sigmoid")(z)), name="decoder")
    return encoder, decoder


def mean_of(keras, encoder, x):
    return keras.ops.convert_to_numpy(encoder(x[..., None], training=False)[0])


@pytest.mark.filterwarnings("error::UserWarning")
def test_separate_models_are_drawn_as_they_are(keras, pair, images):
    encoder, decoder = pair
    posterior = vaeviz.encode(encoder, images)
    np.testing.assert_allclose(posterior.mean, mean_of(keras, encoder, images), atol=1e-5)
    assert posterior.std is not None
    assert vaeviz.open(decoder).decoder.latent_shape == (3,)
    assert vaeviz.decode(decoder, posterior, reference=images).shape == images.shape
    vaeviz.latent_scatter(encoder, images)
    vaeviz.manifold_grid(decoder)


def test_a_model_that_holds_both_is_opened_as_a_pair(keras, pair, images, draws):
    class VAE(keras.Model):
        def __init__(self, encoder, decoder):
            super().__init__()
            self.encoder, self.decoder = encoder, decoder

    model = VAE(*pair)
    posterior, _ = draws(model, images, size=3)
    np.testing.assert_allclose(posterior.mean, mean_of(keras, pair[0], images), atol=1e-5)
    assert vaeviz.open(model).decoder.latent_size == 3


def test_files(keras, pair, images, tmp_path):
    encoder, decoder = pair
    encoder.save(tmp_path / "encoder.keras")
    decoder.save(tmp_path / "decoder.keras")
    np.testing.assert_allclose(
        vaeviz.encode(tmp_path / "encoder.keras", images).mean, mean_of(keras, encoder, images), atol=1e-5
    )
    assert vaeviz.open(tmp_path / "encoder.keras").decoder is None
    assert vaeviz.open(tmp_path / "decoder.keras").encoder is None
    assert vaeviz.decode(str(tmp_path / "decoder.keras"), np.zeros((2, 3))).shape == (2, 8, 8)


def test_a_hard_coded_batch_size_is_filled_up(keras, images):
    x = keras.Input(batch_shape=(16, 8, 8))
    model = keras.Model(x, keras.layers.Dense(2)(keras.ops.reshape(x, (16, 64))))
    expected = np.concatenate(
        [
            model(np.resize(images[i : i + 16], (16, 8, 8))).detach()
            if BACKEND == "torch"
            else np.asarray(model(np.resize(images[i : i + 16], (16, 8, 8))))
            for i in (0, 16, 32)
        ]
    )
    posterior = vaeviz.encode(model, images)
    np.testing.assert_allclose(posterior.mean, expected[:40], atol=1e-5)


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_a_backend_is_picked_where_none_is_set(backend, keras, pair, tmp_path):
    pytest.importorskip(backend)
    pair[1].save(tmp_path / "decoder.keras")
    (tmp_path / "keras.json").write_text(json.dumps({"backend": "jax" if backend == "jax" else "tensorflow"}))
    environment = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    code = (
        "import sys, numpy as np, vaeviz; print(vaeviz.decode(sys.argv[1], np.zeros((2, 3))).shape);"
        "import keras; print(keras.backend.backend())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "decoder.keras"],
        env=environment | {"KERAS_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines() == ["(2, 8, 8)", backend], done.stderr


@pytest.mark.parametrize("second", ["z_log_var", "z_log_std", "z_log_sigma", "dense_of_no_name"])
def test_names_of_output_layers_say_what_the_spread_is(keras, second, images, recwarn):
    x = keras.Input((64,))
    outputs = [keras.layers.Dense(2, name=name)(x) for name in ("z_mean", second)]
    posterior = vaeviz.encode(keras.Model(x, outputs), images.reshape(len(images), -1))
    guesses = [one for one in recwarn if issubclass(one.category, vaeviz.GuessWarning)]
    assert bool(guesses) == (second not in ("z_log_var", "z_log_std"))
    assert (posterior.std is None) == (second == "z_log_sigma")
