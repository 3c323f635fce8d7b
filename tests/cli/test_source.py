"""Models and data that a command line names."""

import sys

import numpy as np
import pytest

import vaeviz
from vaeviz.cli.source import MODEL_AND_DATA_OPTIONS
from vaeviz.errors import InputError
from vaeviz.model.opening import Model

torch = pytest.importorskip("torch")

MODULE = """
import numpy as np, torch
from torch import nn

class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.to_code, self.to_sample = nn.Linear(16, 2), nn.Linear(2, 16)
    def encode(self, x):
        return self.to_code(x.flatten(1))
    def decode(self, z):
        return self.to_sample(z)

pair = Pair()
x = np.random.default_rng(0).random((30, 4, 4), dtype=np.float32)
labeled = (x, np.arange(30) % 3)
def encode(x): return x.reshape(len(x), -1)[:, :2]
def decode(z): return np.repeat(z, 8, axis=1)
def made(): return vaeviz.Dataset(x, name="made")
def halved(x): return x / 2
def saved_means(x): return x.reshape(len(x), -1)[:, :2], np.ones((len(x), 2), np.float32)
import vaeviz
"""


@pytest.fixture
def folder(make_module, monkeypatch):
    """The current folder, with a module `my_model` of the user."""
    folder = make_module("my_model", MODULE)
    monkeypatch.syspath_prepend(folder)
    return folder


@pytest.fixture
def draw(invoke, folder):
    """Draw a scatter plot of the model and data that options name."""

    def draw_scatter(*args):
        result = invoke("plot", "latent-scatter", *args, "--dpi", 40, "--out", "scatter.png")
        assert result.exit_code == 0, result.output
        assert (folder / "scatter.png").stat().st_size > 1000

    return draw_scatter


@pytest.mark.parametrize(
    "model",
    [
        ["my_model:pair"],
        ["--model", "my_model:pair"],
        ["--encoder", "my_model:encode"],
        ["--model", "my_model:pair", "--encoder", "my_model:encode"],
        ["--input", "encoder=my_model:encode"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("data", ["my_model:x", "my_model:labeled", "my_model:made"])
def test_objects_of_a_module(model, data, draw):
    draw(*model, "--data", data)


def test_encoder_and_decoder_can_be_named_separately(invoke, folder):
    out = invoke(
        "export", "--encoder", "my_model:encode", "--decoder", "my_model:decode", "--data", "my_model:x",
        "--prior", "normal", "--plots", "reconstruction_pairs,latent_scatter,samples", "--out", "figures",
        "--dpi", "40",
    )  # fmt: skip
    assert out.exit_code == 0, out.output
    decoder_alone = ["--decoder", "my_model:decode", "--latent-shape", "2"]
    out = invoke("export", *decoder_alone, "--plots", "samples,manifold_grid", "--dpi", "40", "--out", "alone")
    assert out.exit_code == 0, out.output


def test_weights_are_loaded_into_a_class(invoke, folder):
    import my_model

    torch.save({"state_dict": my_model.pair.state_dict()}, folder / "weights.pt")
    out = invoke("explain", "my_model:Pair", "--weights", "weights.pt", "--data", "my_model:x")
    assert "Pair.encode" in out.output
    with pytest.raises(InputError, match=r"package\.module:Class"):
        invoke("explain", "weights.pt", "--weights", "weights.pt")
    torch.save({"other": torch.ones(2)}, folder / "other.pt")
    with pytest.raises(InputError, match=r"other\.pt.*Pair"):
        invoke("explain", "my_model:Pair", "--weights", "other.pt")


def test_weights_that_do_not_fit_can_be_loaded_in_part_and_below_a_prefix(invoke, folder):
    import my_model

    state = my_model.pair.state_dict()
    kept = dict(list(state.items())[:-1])
    torch.save({"ema": state, "model": kept}, folder / "part.ckpt")
    command = [
        "explain",
        "my_model:Pair",
        "--weights",
        "part.ckpt",
        "--data",
        "my_model:x",
        "--weights-prefix",
        "model.",
    ]
    with pytest.raises(InputError) as error:
        invoke(*command)
    assert "--partial-weights" in error.value.for_command_line()
    with pytest.warns(UserWarning, match=list(state)[-1]):
        assert invoke(*command, "--partial-weights").exit_code == 0


@pytest.mark.parametrize("option", [["--weights-prefix", "model."], ["--partial-weights"]])
def test_options_of_weights_need_weights(invoke, option):
    with pytest.raises(InputError) as error:
        invoke("explain", "my_model:pair", "--data", "my_model:x", *option)
    assert error.value.got == option[0]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_model_files(invoke, draw):
    torch.jit.trace(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 2)), torch.zeros(2, 4, 4)).save("e.pt")
    draw("--encoder", "e.pt", "--trust", "--data", "my_model:x")
    program = torch.export.export(torch.nn.Linear(2, 16), (torch.zeros(4, 2),))
    torch.export.save(program, "decoder.pt2")
    out = invoke("plot", "samples", "decoder.pt2", "--trust", "--out", "samples.png")
    assert out.exit_code == 0, out.output


def test_declared_settings_reach_the_model(invoke, folder):
    shown = invoke(
        "explain", "--encoder", "my_model:saved_means", "--data", "my_model:x", "--returns", "mean,std",
        "--input-shape", "16", "--value-range", "-1,1", "--preprocess", "my_model:halved",
    ).output  # fmt: skip
    assert "mean,std" in shown
    assert "(16,)" in shown
    assert "-1 to 1" in shown


def test_data_are_found_by_path(draw):
    import my_model

    np.save("x.npy", my_model.x)
    np.save("y.npy", np.arange(30))
    np.savez("x.npz", x=my_model.x, y=np.arange(30))
    assert isinstance(vaeviz.load_data("x.npy").x, np.memmap)
    np.testing.assert_array_equal(vaeviz.load_data("x.npy", labels="y.npy").labels, np.arange(30))
    np.testing.assert_array_equal(vaeviz.load_data("x.npz").x, my_model.x)
    draw("my_model:pair", "--data", "x.npy", "--labels", "y.npy")
    np.save("bytes.npy", np.full((3, 2, 2), 255, np.uint8))
    np.testing.assert_array_equal(vaeviz.load_data("bytes.npy").x, np.ones((3, 2, 2)))


def test_a_folder_of_pictures(folder):
    from PIL import Image

    (folder / "pictures").mkdir()
    for i in range(3):
        Image.fromarray(np.full((4, 4), 80 * i, np.uint8)).save(folder / "pictures" / f"{i}.png")
    assert vaeviz.load_data(str(folder / "pictures")).x.shape == (3, 4, 4)


def test_an_h5ad_file(folder):
    anndata = pytest.importorskip("anndata")
    cells = anndata.AnnData(np.ones((5, 3), np.float32))
    cells.obs["type"] = list("aabbb")
    cells.write_h5ad("cells.h5ad")
    data = vaeviz.load_data("cells.h5ad", labels="type")
    assert data.x.shape == (5, 3)
    assert data.feature_names == tuple(cells.var_names)
    assert list(data.labels) == list("aabbb")
    with pytest.raises(InputError, match=r"'kind'.*type"):
        vaeviz.load_data("cells.h5ad", labels="kind")


@pytest.mark.parametrize(
    ("args", "token"),
    [
        (["my_model:pair", "--model", "my_model:pair"], "MODEL"),
        (["mlp"], "vaeviz train mlp"),
        (["--latent-shape", "2", "--data", "my_model:x"], "--latent-shape"),
        (["--encoder", "my_model:encode", "--latent-shape", "2"], "--latent-shape"),
        (["--encoder", "my_model:missing"], "my_model:missing"),
        (["no/such/folder"], "no/such/folder"),
        (["--encoder", "my_model:encode", "--data", "no.npy"], "no.npy"),
        (["--encoder", "my_model:encode", "--data", "my_model:x", "--split", "test"], "--split"),
        (["--encoder", "my_model:Pair", "--data", "my_model:x"], "--weights"),
        (["--encoder", "my_model:Pair", "--weights", "w.pt"], "--weights"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_options_that_contradict_or_name_nothing_are_input_errors(args, token, invoke, folder):
    with pytest.raises(InputError) as caught:
        invoke("explain", *args)
    assert token in caught.value.for_command_line()


@pytest.mark.parametrize(
    ("option", "value"), [("--data", "my_model:x"), ("--encoder", "my_model:encode"), ("--labels", "labels")]
)
def test_an_input_that_is_named_twice_is_refused(option, value, invoke, folder):
    name = {"--data": "x"}.get(option, option[2:])
    with pytest.raises(InputError) as caught:
        invoke("explain", "my_model:pair", "--data", "digits", option, value, "--input", f"{name}=my_model:x")
    assert (caught.value.got, option in str(caught.value)) == (name, True)


@pytest.mark.parametrize(
    "args",
    [["--value-range", "1,-1"], ["--value-range", "1"], ["--input-shape", "a,b"], ["--layout", "first"], []],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2(args, invoke, folder):
    assert invoke("explain", *(["my_model:pair", *args] if args else [])).exit_code == 2


def test_a_registered_model_is_opened_by_name(invoke, folder, registered):
    import my_model

    registered.add("vaeviz.models", "ready-made", my_model.Pair)
    assert "Pair.encode" in invoke("explain", "--model", "ready-made", "--data", "my_model:x").output


def test_sparse_samples():
    from scipy.sparse import csr_matrix

    assert vaeviz.encode(lambda x: x[:, :2], csr_matrix(np.eye(4))).size == 2


def test_trust_is_passed_on_when_models_are_opened(invoke, folder, monkeypatch):
    import my_model

    from vaeviz.model import opening

    trusted = []
    real_open = opening.open

    def open_and_record(model, **options):
        trusted.append(options.get("trust", False))
        return real_open(model, **options)

    monkeypatch.setattr(opening, "open", open_and_record)
    data = ("--data", "my_model:x")
    assert invoke("explain", "my_model:pair", *data).exit_code == 0
    assert invoke("explain", "my_model:pair", *data, "--trust").exit_code == 0
    assert invoke("explain", "--encoder", "my_model:pair", *data, "--trust").exit_code == 0
    assert trusted[0] is False
    assert trusted.count(True) == 2
    assert isinstance(opening.open(my_model.pair), Model)


def test_the_current_folder_is_on_the_path_only_while_an_object_is_imported(invoke, make_module):
    folder = make_module("lone_model", "import sys\npath = list(sys.path)\ndef encode(x): return x[:, 0, :2]\n")
    before = [entry for entry in sys.path if entry != str(folder)]
    sys.path[:] = before
    assert invoke("explain", "--encoder", "lone_model:encode", "--data", "digits").exit_code == 0
    assert sys.path == before
    assert str(folder) in sys.modules["lone_model"].path


def test_every_setting_of_a_model_has_an_option():
    from dataclasses import fields

    def command(): ...

    for decorate in MODEL_AND_DATA_OPTIONS:
        command = decorate(command)
    flags = {flag for param in command.__click_params__ for flag in param.opts}
    settings = {field.name for part in (vaeviz.Encoder, vaeviz.Decoder) for field in fields(part)}
    not_written = {"fn", "name", "condition", "unpack"}
    public = {name for name in settings - not_written if not name.startswith("_")}
    assert {f"--{name.replace('_', '-')}" for name in public} <= flags
