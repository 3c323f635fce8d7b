import numpy as np
import pytest

import vaeviz
from vaeviz import Decoder, Encoder, Model, NotApplicable
from vaeviz.errors import InputError
from vaeviz.model.opening import as_decoder, as_encoder, open


class Both:
    def encode(self, x):
        return x[:, :2]

    def decode(self, z):
        return np.repeat(z, 2, axis=1)


class OnlyEncodes:
    def encode(self, x):
        return x[:, :2]


def test_an_object_with_encode_and_decode_is_opened_as_a_pair():
    encoder, decoder = vaeviz.open(Both())
    assert (encoder.name, decoder.name) == ("Both.encode", "Both.decode")
    np.testing.assert_array_equal(vaeviz.encode(encoder, np.ones((3, 4))).mean, np.ones((3, 2)))
    np.testing.assert_array_equal(vaeviz.decode(decoder, np.ones((3, 2))), np.ones((3, 4)))


def test_a_part_that_a_model_does_not_have_is_none():
    encoder, decoder = vaeviz.open(OnlyEncodes())
    assert encoder.name == "OnlyEncodes.encode"
    assert decoder is None
    with pytest.raises(NotApplicable, match="OnlyEncodes has no decoder"):
        as_decoder(OnlyEncodes())


def test_an_estimator_is_opened_as_far_as_it_goes():
    from sklearn.decomposition import PCA, FastICA
    from sklearn.manifold import Isomap

    x = np.random.default_rng(0).standard_normal((30, 4))
    encoder, decoder = vaeviz.open(PCA(2).fit(x))
    assert (encoder.name, decoder.name) == ("PCA.transform", "PCA.inverse_transform")
    assert decoder.latent_size == 2
    assert as_decoder(FastICA(3).fit(x)).latent_size == 3
    assert vaeviz.open(Isomap(n_components=2).fit(x)).decoder is None


def test_a_bare_callable_is_an_encoder_or_a_decoder_as_it_is_passed():
    def fn(values):
        return values

    assert as_encoder(fn).fn is as_decoder(fn).fn is fn
    assert as_encoder(fn).name == "fn"
    with pytest.raises(InputError, match="fn may be an encoder or a decoder: pass it as one of them"):
        vaeviz.open(fn)


@pytest.mark.parametrize("model", [3, None, object(), "no/such/run", b"bytes", [1, 2]])
def test_what_nothing_knows_is_an_error(model):
    with pytest.raises(InputError, match=r"^got .*, expected a run folder, or a model with an encoder and a decoder"):
        vaeviz.open(model)


def test_a_folder_that_is_no_run_is_named(tmp_path):
    with pytest.raises(InputError, match=r"not a folder or file that an adapter knows, expected a run folder"):
        vaeviz.open(tmp_path)


def test_a_run_folder_is_opened_with_its_history_and_prior(run):
    model = vaeviz.open(run)
    assert model.name == "tiny"
    assert model.encoder.prior == model.decoder.prior == "normal"
    assert model.decoder.latent_size == 2
    assert list(model.inputs["history"]["epoch"]) == [1, 2]
    assert vaeviz.open(model) is model


def test_declarations_win_over_what_an_adapter_knows():
    from sklearn.decomposition import PCA

    pca = PCA(2).fit(np.random.default_rng(0).standard_normal((30, 4)))
    encoder = as_encoder(Encoder(pca, prior="normal", name="mine"))
    assert (encoder.name, encoder.prior, encoder.input_shape) == ("mine", "normal", (-1,))
    decoder = as_decoder(Decoder(pca, sample_shape=(2, 2)))
    assert (decoder.latent_shape, decoder.sample_shape) == ((2,), (2, 2))


def test_as_encoder_is_idempotent():
    encoder = Encoder(lambda x: x, prior="normal")
    assert as_encoder(as_encoder(encoder)).fn is encoder.fn


def test_a_strangers_adapter_is_asked_before_our_own(registered):
    from sklearn.decomposition import PCA

    pca = PCA(2)
    opened = Model(encoder=Encoder(lambda x: x, name="theirs"))
    registered.add("vaeviz.adapters", "theirs", lambda model: opened if model is pca else None)
    assert vaeviz.open(pca) is opened
    assert vaeviz.open(PCA(2)).name == "PCA"


def test_an_adapter_that_cannot_be_imported_is_passed_over_with_a_warning(python, plug_in):
    plug_in("broken", {"vaeviz.adapters": ["bad = broken:bad"]}, {"broken.py": "1 / 0"})
    printed = python(
        "import numpy as np, vaeviz, warnings\n"
        "warnings.simplefilter('always')\n"
        "with warnings.catch_warnings(record=True) as caught:\n"
        "    print(vaeviz.encode(lambda x: x, np.ones((3, 2))).mean.shape)\n"
        "print(caught[0].message)"
    )
    assert printed.splitlines() == [
        "(3, 2)",
        "adapter 'bad' of broken could not be imported: ZeroDivisionError: division by zero",
    ]


def test_a_declared_part_is_opened_as_what_it_is():
    encoder, decoder = Encoder(lambda x: x), Decoder(lambda z: z)
    assert open(encoder).encoder.fn is encoder.fn and open(encoder).decoder is None
    assert open(decoder).decoder.fn is decoder.fn and open(decoder).encoder is None
