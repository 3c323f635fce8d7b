import json
import sys
import warnings
from types import SimpleNamespace

import numpy as np
import pytest

import vaeviz
from vaeviz import register_plot
from vaeviz.cli.main import main

MODULE = """
import numpy as np
from vaeviz import Decoder

class Pair:
    def encode(self, x):
        flat = x.reshape(len(x), -1)
        return flat[:, :2] - 0.3, flat[:, :2] - 5

    def decode(self, z):
        return np.clip(np.repeat(z, 32, axis=1), 0, 1)

pair = Pair()
lone_decoder = Decoder(pair.decode, latent_shape=(2,))
codes = np.random.default_rng(0).standard_normal((20, 3))
labels = np.arange(20) % 2

def encode(x):
    return x.reshape(len(x), -1)[:, :3]

def loses_a_row(x):
    return encode(x)[1:]

class names:
    inner = pair
"""


@pytest.fixture
def vaeviz_(capsys, monkeypatch, tmp_path):
    """Run a command line in `tmp_path`, where a module of models lies, and return its exit code and what it said."""
    (tmp_path / "mine.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    capsys.readouterr()

    def invoke(*args):
        with pytest.raises(SystemExit) as left:
            main([str(arg) for arg in args])
        out, err = capsys.readouterr()
        return SimpleNamespace(code=left.value.code, out=out, err=err)

    yield invoke
    sys.modules.pop("mine", None)


@pytest.fixture
def npz(tmp_path):
    """A small data set in a file: 20 images in [0, 1] and their labels."""
    path = tmp_path / "small.npz"
    x = np.random.default_rng(0).random((20, 8, 8), dtype=np.float32)
    np.savez(path, x=x, y=np.arange(20) % 3, other=np.linspace(0, 1, 20))
    return f"npz:{path}"


def assert_one_error(done, *told, code=2):
    assert done.code == code
    assert "Traceback" not in done.err
    assert done.err.count("\n") <= 2
    assert all(part in done.err for part in told), done.err


# Looking around


def test_help_shows_the_commands(vaeviz_):
    done = vaeviz_("--help")
    assert done.code == 0
    for command in ("demo", "export", "info", "list", "plot", "train"):
        assert f"  {command} " in done.out


@pytest.mark.parametrize("args", [["export"], ["plot"], ["plot", "latent_scatter"], ["list"], ["train"], ["info"]])
def test_every_command_has_help(vaeviz_, args):
    done = vaeviz_(*args, "--help")
    assert done.code == 0
    assert done.out.startswith("Usage: vaeviz " + args[0])


def test_the_version(vaeviz_):
    done = vaeviz_("--version")
    assert (done.code, vaeviz.__version__ in done.out) == (0, True)


def test_list_shows_plots_with_inputs_and_options_and_all_else(vaeviz_):
    done = vaeviz_("list")
    assert done.code == 0
    assert "latent_scatter         Posterior means of" in done.out
    assert "from encoder, x, [labels]" in done.out
    assert "--dims int,int" in done.out
    assert "--max-points" in done.out
    for name in ("mlp", "conv", "autoencoder", "digits", "mnist", "npz", "images", "tsne", "pca"):
        assert f"\n  {name} " in done.out


@pytest.mark.parametrize(("section", "there", "elsewhere"), [("models", "mlp", "mnist"), ("data", "mnist", "mlp")])
def test_list_shows_one_section(vaeviz_, section, there, elsewhere):
    done = vaeviz_("list", section)
    assert f"  {there} " in done.out
    assert f"  {elsewhere} " not in done.out


def test_a_plot_from_elsewhere_is_listed_with_where_it_is_from(vaeviz_, registered):
    def mine(encoder, *, count: int = 3, ax=None):
        """Mine."""

    mine.__module__ = "elsewhere.plots"
    register_plot(mine)
    done = vaeviz_("list", "plots")
    assert "Mine." in done.out
    assert "(elsewhere)" in done.out


def test_help_of_a_plot_shows_what_it_needs_and_its_options(vaeviz_):
    done = vaeviz_("plot", "latent_scatter", "--help")
    for told in (
        "Posterior means of x in two latent dimensions",
        "Needs encoder, x, [labels]",
        "--dims INT,INT",
        "--out",
    ):
        assert told in done.out
    assert vaeviz_("plot", "latent-scatter", "--help").out.partition("]")[2] == done.out.partition("]")[2]


# One figure


def test_plot_draws_one_figure(vaeviz_, run, tmp_path):
    done = vaeviz_("plot", "latent_scatter", run)
    assert (done.code, done.out.strip()) == (0, "latent_scatter.png")
    assert (tmp_path / "latent_scatter.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(("name", "start"), [("a.svg", b"<?xml"), ("a.pdf", b"%PDF"), ("a.png", b"\x89PNG")])
def test_plot_writes_what_the_name_of_the_file_says(vaeviz_, run, tmp_path, name, start):
    assert vaeviz_("plot", "training_curves", run, "--out", name, "--style", "talk", "--dpi", 50).code == 0
    assert (tmp_path / name).read_bytes().startswith(start)


def test_options_of_a_plot_reach_it(vaeviz_, registered, tmp_path):
    seen = {}

    @register_plot
    def curious(x, labels=None, *, dims: tuple[int, int] | None = None, wide: bool = False, ax=None):
        """Curious."""
        seen.update(x=x.shape, labels=labels, dims=dims, wide=wide)

    done = vaeviz_("plot", "curious", "mine:pair", "--data", "digits", "--dims", "0,2", "--wide", "true")
    assert done.code == 0, done.err
    assert (seen["x"], seen["dims"], seen["wide"]) == ((360, 8, 8), (0, 2), True)
    assert len(seen["labels"]) == 360


def test_a_plot_of_any_model_and_data(vaeviz_, npz, tmp_path):
    assert vaeviz_("plot", "samples", "mine:names.inner", "--data", npz, "--n-samples", 4).code == 0
    assert vaeviz_("plot", "manifold_grid", "--input", "decoder=mine:lone_decoder", "--n-grid", 3).code == 0
    assert (
        vaeviz_("plot", "tsne", "--input", "x=mine:codes", "--input", "encoder=mine:encode", "--perplexity", 5).code
        == 0
    )
    assert {path.name for path in tmp_path.glob("*.png")} == {"samples.png", "manifold_grid.png", "tsne.png"}


def test_split_and_labels_choose_from_the_data(vaeviz_, npz, registered):
    seen = {}

    @register_plot
    def curious(x, labels, *, ax=None):
        """Curious."""
        seen.update(count=len(x), last=labels[-1])

    assert vaeviz_("plot", "curious", "--data", "digits", "--split", "train").code == 0
    assert seen["count"] == 1437
    assert vaeviz_("plot", "curious", "--data", npz, "--labels", "other").code == 0
    assert seen == {"count": 20, "last": 1.0}


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["latent_scater"], "Unknown plot 'latent_scater'. Did you mean 'latent_scatter'"),
        (["latent_scatter", "mine:pair"], "latent_scatter needs x: give --data"),
        (["latent_scatter", "nowhere"], "got 'nowhere', which does not exist"),
        (["latent_scatter", "mine:absent", "--data", "digits"], "'mine:absent': module 'mine' has no attribute"),
        (["latent_scatter", "absent:thing", "--data", "digits"], "'absent:thing': No module named 'absent'"),
        (["latent_scatter", "mine:encode", "--data", "digits"], "encode may be an encoder or a decoder"),
        (["latent_scatter", "mine:pair", "--data", "digts"], "Unknown data set 'digts'. Did you mean 'digits'"),
        (["latent_scatter", "mine:pair", "--data", "digits", "--dims", "0"], "dims = '0': expected int,int"),
        (["latent_scatter", "mine:pair", "--data", "digits", "--dims", "0,5"], "different dimensions"),
        (["latent_scatter", "mine:pair", "--data", "digits", "--split", "half"], "'half' is not one of"),
        (["latent_scatter", "mine:pair", "--data", "digits", "--dim", "0,1"], "No such option"),
        (["latent_scatter", "mine:pair", "--data", "digits", "--style", "papr"], "Unknown style 'papr'"),
        (["latent_scatter", "mine:pair", "--data", "digits", "--out", "a.jpg"], "a.jpg: expected a name that ends in"),
        (["latent_scatter", "mine:pair", "--data", "digits", "--out", "no/a.png"], "the folder no does not exist"),
        (["latent_scatter", "mine:pair", "--data", "digits", "--out", "mine.py/a.png"], "mine.py/a.png"),
        (["latent_scatter", "mine:pair", "--data", "npz:absent.npz"], "absent.npz does not exist"),
        (["latent_scatter", "mine:pair", "--data", "digits", "--input", "x"], "--input 'x': expected NAME="),
        (
            ["latent_scatter", "mine:pair", "--data", "digits", "--input", "lables=mine:labels"],
            "Unknown input 'lables'",
        ),
        (["latent_scatter", "--data", "digits", "--input", "encoder=mine:loses_a_row"], "expected (360, ...): one row"),
    ],
)
def test_wrong_usage_of_plot_is_told_in_a_line_or_two(vaeviz_, tmp_path, args, told):
    assert_one_error(vaeviz_("plot", *args), told)
    assert not list(tmp_path.glob("*.png"))


# Figure sets


LIGHT = ["--set", "manifold_grid.n_grid=3", "--set", "samples.n_samples=4", "--set", "interpolation.n_paths=1"]
LIGHT += ["--dpi", "40"]


def test_export_of_a_run_draws_on_the_data_it_was_trained_on(vaeviz_, run, tmp_path):
    done = vaeviz_("export", run, "--out", "figures", *LIGHT)
    assert done.code == 0, done.err
    assert "✓ latent_scatter" in done.out
    assert "– tsne                   the latent has 2 dimensions and needs no map" in done.out
    count = done.out.count("✓ ")
    assert f"\n{count} figures in figures, shown by figures/index.html\n" in done.out
    assert len(list((tmp_path / "figures").glob("*.png"))) == count
    manifest = json.loads((tmp_path / "figures" / "manifest.json").read_text())
    assert manifest["inputs"]["x"]["shape"] == [360, 8, 8]
    assert manifest["title"] == "tiny · digits"


def test_export_of_any_model(vaeviz_, tmp_path):
    np.savez(tmp_path / "bare.npz", x=np.random.default_rng(0).random((20, 8, 8), dtype=np.float32))
    done = vaeviz_("export", "mine:pair", "--data", "npz:bare.npz", "--out", "figures", *LIGHT)
    assert done.code == 0, done.out + done.err
    assert "– training_curves        needs history" in done.out
    assert "– latent_neighbors       needs labels" in done.out


def test_export_follows_its_options(vaeviz_, npz, tmp_path):
    args = ["--plots", "latent-scatter", "--format", "svg,pdf", "--style", "talk", "--seed", 3]
    args += ["--set", "latent_scatter.marker_size=9", "--set", "latent-scatter.marker_kws=marker=x"]
    done = vaeviz_("export", "mine:pair", "--data", npz, "--out", "figures", *args)
    assert done.code == 0, done.err
    manifest = json.loads((tmp_path / "figures" / "manifest.json").read_text())
    (figure,) = manifest["figures"]
    assert sorted(figure["files"]) == ["latent_scatter.pdf", "latent_scatter.svg"]
    assert (manifest["style"], manifest["dpi"], manifest["seed"]) == ("talk", 150, 3)
    assert (figure["options"]["marker_size"], figure["options"]["marker_kws"]) == (9.0, {"marker": "x"})


def test_a_config_file_says_the_same_and_the_command_line_wins(vaeviz_, npz, tmp_path):
    (tmp_path / "figures.toml").write_text(
        'plots = ["samples", "latent_scatter"]\nformats = ["svg"]\nseed = 5\ndpi = 60\nstyle = "talk"\n'
        "[samples]\nn_samples = 9\ntemperature = 1\n[latent_scatter]\nmarker_size = 3\ndims = [1, 0]\n"
    )
    args = ["--config", "figures.toml", "--set", "latent_scatter.marker_size=7", "--seed", 6, "--format", "png"]
    done = vaeviz_("export", "mine:pair", "--data", npz, "--out", "figures", *args)
    assert done.code == 0, done.err
    manifest = json.loads((tmp_path / "figures" / "manifest.json").read_text())
    samples, scatter = manifest["figures"]
    assert (samples["plot"], samples["options"]["n_samples"], samples["options"]["temperature"]) == ("samples", 9, 1.0)
    assert (scatter["options"]["marker_size"], scatter["options"]["dims"]) == (7.0, [1, 0])
    assert (manifest["seed"], manifest["dpi"], manifest["style"]) == (6, 60, "talk")
    assert list(scatter["files"]) == ["latent_scatter.png"]


def test_exit_code_1_when_a_plot_failed_and_the_rest_is_drawn(vaeviz_, npz, tmp_path, registered):
    @register_plot
    def failing(encoder, x, *, ax=None):
        """Fails."""
        raise RuntimeError("out of luck")

    done = vaeviz_("export", "mine:pair", "--data", npz, "--out", "figures", *LIGHT)
    assert done.code == 1
    assert "✗ failing                RuntimeError: out of luck" in done.out
    assert "✓ latent_scatter" in done.out
    assert "Traceback" not in done.out + done.err


def test_exit_code_1_when_a_plot_asked_for_by_name_was_skipped(vaeviz_, npz):
    done = vaeviz_("export", "mine:pair", "--data", npz, "--out", "figures", "--plots", "latent_scatter,tsne")
    assert done.code == 1


def test_exit_code_1_when_nothing_was_drawn(vaeviz_):
    assert vaeviz_("export", "--data", "digits", "--out", "figures").code == 1


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ([], "Missing option '--out'"),
        (["--out", "o"], "nothing to draw: give MODEL, --data, --runs or --input"),
        (["nowhere", "--out", "o"], "got 'nowhere', which does not exist"),
        (["mine:pair", "--data", "digits", "--out", "mine.py"], "mine.py: cannot be written"),
        (["mine:pair", "--data", "digits", "--out", "mine.py/below"], "mine.py/below: cannot be written"),
        (["mine:pair", "--data", "digits", "--out", "o", "--plots", "scater"], "Unknown plot 'scater'"),
        (["mine:pair", "--data", "digits", "--out", "o", "--plots", ","], "no plot was asked for"),
        (["mine:pair", "--data", "digits", "--out", "o", "--set", "tsne"], "--set 'tsne': expected PLOT.OPTION=VALUE"),
        (["mine:pair", "--data", "digits", "--out", "o", "--set", "tsne.seeed=1"], "Did you mean 'seed'"),
        (["mine:pair", "--data", "digits", "--out", "o", "--set", "tsne.seed=x"], "tsne.seed = 'x': expected int"),
        (["mine:pair", "--data", "digits", "--out", "o", "--format", "jpg"], "Unknown format 'jpg'"),
        (["mine:pair", "--data", "digits", "--out", "o", "--dpi", "3"], "3 is not in the range"),
        (["mine:pair", "--data", "digits", "--out", "o", "--seed", "-1"], "-1 is not in the range"),
        (["mine:pair", "--data", "digits", "--out", "o", "--config", "absent.toml"], "absent.toml: cannot be read"),
        (["mine:pair", "--data", "digits", "--out", "o", "--config", "mine.py"], "mine.py: is no valid TOML"),
        (["mine:pair", "--data", "digits", "--data-dir", ".", "--out", "o"], "data set 'digits' takes no --data-dir"),
        (["mine:pair", "--data", "digits", "--labels", "y", "--out", "o"], "data set 'digits' takes no --labels"),
        (["mine:pair", "--input", "x=mine:codes", "--input", "labels=mine:pair", "--out", "o"], "labels"),
        (["mine:pair", "--data", "digits", "--input", "title=mine:codes", "--out", "o"], "title"),
    ],
)
def test_wrong_usage_of_export_is_told_in_a_line_or_two_and_nothing_is_written(vaeviz_, tmp_path, args, told):
    assert_one_error(vaeviz_("export", *args), told)
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        ("plot = ['samples']", "Unknown key in figures.toml 'plot'. Did you mean 'plots'"),
        ("plots = 'samples'", "plots = 'samples': expected text,..."),
        ("plots = [1]", "plots = [1]: expected text,..."),
        ("formats = [1]", "formats = [1]: expected text,..."),
        ("dpi = 'high'", "dpi = 'high': expected int"),
        ("dpi = true", "dpi = True: expected int"),
        ("dpi = 0", "dpi = 0: expected"),
        ("seed = -1", "seed = -1: expected"),
        ("[scatter]\nsize = 3", "Unknown plot 'scatter'"),
        ("[samples]\nn_samples = 'many'", "samples.n_samples = 'many': expected int"),
        ("[samples]\nn_samples = 1.5", "samples.n_samples = 1.5: expected int"),
    ],
)
def test_a_wrong_config_file_is_told_in_a_line_or_two(vaeviz_, tmp_path, toml, told):
    (tmp_path / "figures.toml").write_text(toml)
    done = vaeviz_("export", "mine:pair", "--data", "digits", "--out", "o", "--config", "figures.toml")
    assert_one_error(done, told)
    assert not (tmp_path / "o").exists()


# Errors


def test_an_unknown_command_is_wrong_usage(vaeviz_):
    assert_one_error(vaeviz_("exprt"), "Unknown command 'exprt'. Did you mean 'export'")


def test_traceback_shows_where_an_error_is_from(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    for args in (["--traceback", "plot", "samples", "nowhere"], ["plot", "samples", "nowhere", "--traceback"]):
        with pytest.raises(vaeviz.InputError):
            main(args)


def test_an_unexpected_error_is_one_line_with_the_way_to_see_more(vaeviz_, registered):
    @register_plot
    def failing(x, *, ax=None):
        """Fails."""
        raise RuntimeError("out\nof\nluck")

    done = vaeviz_("plot", "failing", "--data", "digits")
    assert done.code == 1
    assert done.err == "Error: RuntimeError: out of luck (add --traceback to see where)\n"


def test_an_interruption_leaves_with_130(vaeviz_, registered):
    @register_plot
    def interrupted(x, *, ax=None):
        """Interrupted."""
        raise KeyboardInterrupt

    done = vaeviz_("plot", "interrupted", "--data", "digits")
    assert (done.code, done.err.strip()) == (130, "interrupted")


def test_warnings_are_a_line_each(vaeviz_, npz, tmp_path):
    (tmp_path / "guess.py").write_text("import numpy as np\ndef encode(x): return x[:, 0, :2], x[:, 0, :2] + 1\n")
    done = vaeviz_("plot", "latent_scatter", "--data", npz, "--input", "encoder=guess:encode")
    sys.modules.pop("guess")
    assert done.code == 0
    assert done.err.count("warning: the second output was read as a log-variance") == 1
    assert done.err.count("\n") == 1


def test_a_warning_is_told_once(vaeviz_, npz, tmp_path):
    lines = ("import warnings", "warnings.simplefilter('always')")
    (tmp_path / "warns.py").write_text(
        "\n".join(lines) + "\ndef encode(x):\n    warnings.warn('odd')\n    return x[:, 0, :2]\n"
    )
    done = vaeviz_("plot", "latent_scatter", "--data", npz, "--input", "encoder=warns:encode")
    sys.modules.pop("warns")
    assert (done.code, done.err) == (0, "warning: odd\n")


def test_the_installed_command_and_the_module_are_the_same(python):
    printed = python(
        "import subprocess, sys\n"
        "one = subprocess.run([sys.executable, '-m', 'vaeviz', 'list', 'models'], capture_output=True, text=True)\n"
        "print(one.returncode, one.stdout)"
    )
    assert printed.startswith("0 models")
    assert "mlp" in printed
