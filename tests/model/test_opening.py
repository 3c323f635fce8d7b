import zipfile

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

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


def test_a_missing_part_is_none():
    encoder, decoder = vaeviz.open(OnlyEncodes())
    assert encoder.name == "OnlyEncodes.encode"
    assert decoder is None
    with pytest.raises(NotApplicable, match="OnlyEncodes"):
        as_decoder(OnlyEncodes())


def test_a_large_model_is_shown_in_one_line():
    nn = pytest.importorskip("torch").nn
    layers = nn.Sequential(*(nn.Linear(4, 4) for _ in range(50)))
    encoder = Encoder(layers, conditions=range(1000), value_range=(-1, 1))
    assert repr(vaeviz.open((encoder, layers))).startswith("Model(encoder=Encoder(Sequential, value_range=(-1, 1)")
    assert "\n" not in repr(vaeviz.open((encoder, layers)))
    assert len(repr(vaeviz.open((encoder, layers)))) < 200


def test_an_estimator_without_an_inverse_has_no_decoder():
    from sklearn.decomposition import PCA, FastICA
    from sklearn.manifold import Isomap

    x = np.random.default_rng(0).standard_normal((30, 4))
    encoder, decoder = vaeviz.open(PCA(2).fit(x))
    assert (encoder.name, decoder.name) == ("PCA.transform", "PCA.inverse_transform")
    assert decoder.latent_size == 2
    assert as_decoder(FastICA(3).fit(x)).latent_size == 3
    assert vaeviz.open(Isomap(n_components=2).fit(x)).decoder is None


def test_a_callable_is_an_encoder_or_a_decoder_as_it_is_passed():
    def fn(values):
        return values

    assert as_encoder(fn).fn is as_decoder(fn).fn is fn
    assert as_encoder(fn).name == "fn"
    with pytest.raises(InputError, match="fn") as caught:
        vaeviz.open(fn)
    assert 'role="encoder"' in caught.value.fix.python
    assert "--encoder" in caught.value.fix.command_line


@pytest.mark.parametrize("model", [3, None, object(), "no/such/run", b"bytes", [1, 2]])
def test_an_unknown_model_is_an_error(model):
    with pytest.raises(InputError) as caught:
        vaeviz.open(model)
    assert caught.value.got in (type(model).__name__, model)
    assert "run folder" in caught.value.expected


def test_a_folder_without_a_run_is_an_error(tmp_path):
    with pytest.raises(InputError) as caught:
        vaeviz.open(tmp_path)
    assert caught.value.got == str(tmp_path)


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


def test_third_party_adapters_are_tried_first(registered):
    from sklearn.decomposition import PCA

    pca = PCA(2)
    opened = Model(encoder=Encoder(lambda x: x, name="theirs"))
    registered.add("vaeviz.adapters", "theirs", lambda model: opened if model is pca else None)
    assert vaeviz.open(pca) is opened
    assert vaeviz.open(PCA(2)).name == "PCA"


def test_an_adapter_that_cannot_be_imported_is_skipped_with_a_warning(python, plug_in):
    plug_in("broken", {"vaeviz.adapters": ["bad = broken:bad"]}, {"broken.py": "1 / 0"})
    printed = python(
        "import numpy as np, vaeviz, warnings\n"
        "warnings.simplefilter('always')\n"
        "with warnings.catch_warnings(record=True) as caught:\n"
        "    print(vaeviz.encode(lambda x: x, np.ones((3, 2))).mean.shape)\n"
        "print(caught[0].message)"
    )
    shape, warning = printed.splitlines()
    assert shape == "(3, 2)"
    assert "'bad' of broken" in warning
    assert "ZeroDivisionError" in warning


def test_trust_is_passed_to_adapters_that_have_it(registered):
    received = []

    def careful(model, *, trust=False):
        received.append(trust)

    def simple(model):
        received.append("simple")

    registered.add("vaeviz.adapters", "careful", careful)
    registered.add("vaeviz.adapters", "simple", simple)
    vaeviz.open(Both(), trust=True)
    assert received[:2] == [True, "simple"]
    received.clear()
    vaeviz.open(Both())
    as_encoder(Both())
    assert True not in received


def test_a_declared_part_is_opened_alone():
    encoder, decoder = Encoder(lambda x: x), Decoder(lambda z: z)
    assert open(encoder).encoder.fn is encoder.fn and open(encoder).decoder is None
    assert open(decoder).decoder.fn is decoder.fn and open(decoder).encoder is None


@pytest.mark.parametrize("use", [vaeviz.open, vaeviz.inspect, lambda model: vaeviz.encode(model, np.ones((3, 4)))])
def test_a_class_is_not_its_object(use):
    class Pair:
        def __init__(self, size):
            self.size = size

        def encode(self, x):
            return x[:, : self.size]

        def decode(self, z):
            return z

    with pytest.raises(InputError) as caught:
        use(Pair)
    assert caught.value.got == "Pair"
    assert "Pair(...)" in caught.value.fix.python


def test_a_class_of_static_methods_is_a_model():
    class Pair:
        @staticmethod
        def encode(x):
            return x[:, :2]

        @staticmethod
        def decode(z):
            return np.repeat(z, 2, axis=1)

    encoder, decoder = vaeviz.open(Pair)
    assert vaeviz.decode(decoder, vaeviz.encode(encoder, np.ones((3, 4)))).shape == (3, 4)


class Named:
    """A model whose methods say which part they are."""

    def encode(self, x):
        return x[:, :2]

    def decode(self, z):
        return np.repeat(z, 4, axis=1)


def encode(x):
    return x[:, :2]


@pytest.mark.parametrize("plot", ["samples", "manifold_grid", "traversal"])
@pytest.mark.parametrize(("part", "expected"), [(Named().encode, "Named.decode"), (encode, "the decoder")])
def test_an_encoder_is_not_drawn_as_a_decoder(plot, part, expected):
    with pytest.raises(InputError) as caught:
        getattr(vaeviz, plot)(part)
    assert caught.value.expected == expected
    assert "vaeviz.Decoder(fn)" in caught.value.fix.python


def test_a_decoder_is_not_drawn_as_an_encoder():
    with pytest.raises(InputError) as caught:
        vaeviz.latent_scatter(Named().decode, np.ones((5, 8)))
    assert caught.value.expected == "Named.encode"


def test_a_declaration_wins_over_the_name_of_a_function():
    assert vaeviz.decode(vaeviz.Decoder(Named().encode), np.ones((3, 2))).shape == (3, 2)


def test_a_decoder_that_returns_less_than_it_receives_causes_a_warning(recwarn):
    with pytest.warns(vaeviz.GuessWarning) as caught:
        vaeviz.decode(lambda z: z[:, :2], np.ones((3, 8)))
    assert "sample_shape=(2,)" in caught[0].message.fix.python
    recwarn.clear()
    vaeviz.decode(vaeviz.Decoder(lambda z: z[:, :2], sample_shape=(2,)), np.ones((3, 8)))
    vaeviz.decode(lambda z: z[:, :2], np.ones((3, 8)), reference=np.ones((4, 2)))
    assert not recwarn.list


def test_a_condition_is_fixed_for_a_method_by_its_name():
    class Conditional:
        def encode(self, x, y):
            return x[:, :2] + y[:, None]

        def decode(self, z, y):
            return z + y[:, None]

    encoder = vaeviz.condition_on(Conditional().encode, 3)
    assert encoder.role == "encoder"
    np.testing.assert_array_equal(vaeviz.encode(encoder, np.zeros((4, 8))).mean, np.full((4, 2), 3))


def test_an_object_that_holds_networks_names_the_attributes():
    """As the detectors of PyOD and the wrappers of skorch do, which may scale their samples before."""

    class Detector:
        def __init__(self):
            self.threshold, self.loss, self.scaler_ = 0.5, np.square, StandardScaler()
            self.model = {"encoder": lambda x: x[:, :2]}

    for use in (lambda detector: vaeviz.encode(detector, np.ones((3, 4))), vaeviz.open):
        with pytest.raises(InputError) as caught:
            use(Detector())
        advice = caught.value.fix.python
        assert "scaler_ of type StandardScaler or model of type dict" in advice
        assert "preprocess" in advice


def test_the_configuration_of_a_keras_file_is_not_read_beyond_its_limit(tmp_path, monkeypatch):
    monkeypatch.setattr("vaeviz.model.adapters.keras_model.MAX_CONFIG_BYTES", 10)
    with zipfile.ZipFile(tmp_path / "a.keras", "w") as archive:
        archive.writestr("config.json", "[" * 11)
    with pytest.raises(InputError, match=r"config\.json"):
        vaeviz.open(tmp_path / "a.keras")


def test_the_network_in_a_detector_is_named():
    torch = pytest.importorskip("torch")

    class Detector:
        def __init__(self):
            self.net, self.criterion = torch.nn.Linear(8, 2), torch.nn.MSELoss()

    with pytest.raises(InputError) as raised:
        vaeviz.open(Detector())
    assert "its attribute net of type Linear" in raised.value.fix.python
    assert "criterion" not in raised.value.fix.python


def test_the_fix_for_an_array_of_codes_names_posterior():
    with pytest.raises(InputError) as raised:
        as_encoder(np.zeros((5, 2)))
    assert "vaeviz.Posterior(" in raised.value.fix.python
