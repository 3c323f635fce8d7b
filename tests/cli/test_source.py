"""Models and data as a command line names them."""

import sys

import numpy as np
import pytest
from click.testing import CliRunner

import vaeviz
from vaeviz.cli.main import cli
from vaeviz.errors import InputError

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
def mine(tmp_path, monkeypatch):
    """A working folder with a module of the user's own, `my_model`."""
    (tmp_path / "my_model.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("my_model", None)


def invoked(*args):
    result = CliRunner().invoke(cli, [str(arg) for arg in args])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def drawn(mine, *args):
    result = invoked("plot", "latent-scatter", *args, "--out", mine / "scatter.png")
    assert result.exit_code == 0, result.output
    assert (mine / "scatter.png").stat().st_size > 1000


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
def test_objects_of_a_module(model, data, mine):
    drawn(mine, *model, "--data", data)


def test_encoder_and_decoder_apart(mine):
    out = invoked(
        "export", "--encoder", "my_model:encode", "--decoder", "my_model:decode", "--data", "my_model:x",
        "--prior", "normal", "--plots", "reconstruction_pairs,latent_scatter,samples", "--out", mine / "figures",
    )  # fmt: skip
    assert out.exit_code == 0, out.output
    decoder_alone = ["--decoder", "my_model:decode", "--latent-shape", "2"]
    out = invoked("export", *decoder_alone, "--plots", "samples,manifold_grid", "--out", mine / "alone")
    assert out.exit_code == 0, out.output


def test_weights_go_into_a_class_that_is_named(mine):
    import my_model

    torch.save({"state_dict": my_model.pair.state_dict()}, mine / "weights.pt")
    out = invoked("explain", "my_model:Pair", "--weights", "weights.pt", "--data", "my_model:x")
    assert "Pair.encode" in out.output
    with pytest.raises(InputError, match=r"--weights: MODEL must name the class"):
        invoked("explain", "weights.pt", "--weights", "weights.pt")
    torch.save({"other": torch.ones(2)}, mine / "other.pt")
    with pytest.raises(InputError, match=r"other\.pt: does not fit Pair: .*Missing key"):
        invoked("explain", "my_model:Pair", "--weights", "other.pt")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_model_files(mine):
    torch.jit.trace(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 2)), torch.zeros(2, 4, 4)).save("e.pt")
    drawn(mine, "--encoder", "e.pt", "--data", "my_model:x")
    program = torch.export.export(torch.nn.Linear(2, 16), (torch.zeros(4, 2),))
    torch.export.save(program, "decoder.pt2")
    out = invoked("plot", "samples", "decoder.pt2", "--out", "samples.png")
    assert out.exit_code == 0, out.output


def test_what_is_declared_reaches_the_model(mine):
    told = invoked(
        "explain", "--encoder", "my_model:saved_means", "--data", "my_model:x", "--returns", "mean,std",
        "--input-shape", "16", "--value-range", "-1,1", "--preprocess", "my_model:halved",
    ).output  # fmt: skip
    assert "mean,std" in told
    assert "(16,)" in told
    assert "-1 to 1" in told


def test_data_by_path(mine):
    import my_model

    np.save("x.npy", my_model.x)
    np.save("y.npy", np.arange(30))
    np.savez("x.npz", x=my_model.x, y=np.arange(30))
    assert isinstance(vaeviz.load_data("x.npy").x, np.memmap)
    np.testing.assert_array_equal(vaeviz.load_data("x.npy", labels="y.npy").labels, np.arange(30))
    np.testing.assert_array_equal(vaeviz.load_data("x.npz").x, my_model.x)
    drawn(mine, "my_model:pair", "--data", "x.npy", "--labels", "y.npy")
    np.save("bytes.npy", np.full((3, 2, 2), 255, np.uint8))
    np.testing.assert_array_equal(vaeviz.load_data("bytes.npy").x, np.ones((3, 2, 2)))


def test_a_folder_of_pictures(mine):
    from PIL import Image

    (mine / "pictures").mkdir()
    for i in range(3):
        Image.fromarray(np.full((4, 4), 80 * i, np.uint8)).save(mine / "pictures" / f"{i}.png")
    assert vaeviz.load_data(str(mine / "pictures")).x.shape == (3, 4, 4)


def test_an_h5ad_file(mine):
    anndata = pytest.importorskip("anndata")
    cells = anndata.AnnData(np.ones((5, 3), np.float32))
    cells.obs["type"] = list("aabbb")
    cells.write_h5ad("cells.h5ad")
    data = vaeviz.load_data("cells.h5ad", labels="type")
    assert data.x.shape == (5, 3)
    assert data.feature_names == tuple(cells.var_names)
    assert list(data.labels) == list("aabbb")
    with pytest.raises(InputError, match=r"has no column 'kind' in obs; it has type"):
        vaeviz.load_data("cells.h5ad", labels="kind")


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["my_model:pair", "--model", "my_model:pair"], "MODEL was given twice"),
        (["mlp"], "mlp is the name of a network and has no weights yet: vaeviz train mlp --out RUN"),
        (["--latent-shape", "2", "--data", "my_model:x"], "--latent-shape is said of a model"),
        (["--encoder", "my_model:encode", "--latent-shape", "2"], "--latent-shape: the model has no decoder"),
        (["--encoder", "my_model:missing"], "'my_model:missing'.*expected package.module:attribute"),
        (["my_model:encode"], "encode may be an encoder or a decoder"),
        (["no/such/folder"], "'no/such/folder', which does not exist"),
        (["--encoder", "my_model:encode", "--data", "no.npy"], "npy: no.npy does not exist"),
        (["--encoder", "my_model:encode", "--data", "my_model:x", "--split", "test"], "takes no --split"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_meant_is_an_error(args, told, mine):
    with pytest.raises(InputError, match=told):
        invoked("explain", *args)


@pytest.mark.parametrize(
    "args",
    [["--value-range", "1,-1"], ["--value-range", "1"], ["--input-shape", "a,b"], ["--layout", "first"], []],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2(args, mine):
    assert invoked("explain", *(["my_model:pair", *args] if args else [])).exit_code == 2


def test_a_model_that_a_plug_in_registers_is_opened_by_name(mine, monkeypatch):
    import my_model

    from vaeviz.plugins import registry

    monkeypatch.setitem(registry._added, "vaeviz.models", {})
    registry.add("vaeviz.models", "ready-made", my_model.Pair)
    assert "Pair.encode" in invoked("explain", "--model", "ready-made", "--data", "my_model:x").output


def test_sparse_samples():
    from scipy.sparse import csr_matrix

    assert vaeviz.encode(lambda x: x[:, :2], csr_matrix(np.eye(4))).size == 2


def test_a_class_is_no_encoder(mine):
    with pytest.raises(InputError, match="my_model:Pair: is a class; name a module"):
        cli.main(["explain", "--encoder", "my_model:Pair", "--data", "my_model:x"], standalone_mode=False)
    with pytest.raises(InputError, match="--weights goes with MODEL"):
        cli.main(["explain", "--encoder", "my_model:Pair", "--weights", "w.pt"], standalone_mode=False)
