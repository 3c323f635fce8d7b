"""The command line as a person runs it: help, one figure, figure sets, errors, warnings and exit codes."""

import json
import os
import re
import subprocess
import sys
import warnings

import numpy as np
import pytest

import vaeviz
from vaeviz import register_plot
from vaeviz.cli.commands.export import MAX_CONFIG_BYTES, _read_config
from vaeviz.cli.main import main
from vaeviz.errors import InputError

pytestmark = pytest.mark.no_cover

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

LITTLE = [  # settings with which the plots of a whole set take little work
    *("--set", "likelihood_bound.n_draws=10"),
    *("--set", "aggregate_posterior.n_grid=40"),
    *("--set", "aggregate_posterior.n_permutations=100"),
    *("--set", "prior_holes.n_codes=200"),
    *("--set", "manifold_grid.n_grid=3"),
]


@pytest.fixture(autouse=True)
def folder(make_module):
    """The current folder, with a module of models."""
    return make_module("mine", MODULE)


@pytest.fixture
def npz(tmp_path):
    """A small data set in a file: 20 images in [0, 1] and their labels."""
    path = tmp_path / "small.npz"
    x = np.random.default_rng(0).random((20, 8, 8), dtype=np.float32)
    np.savez(path, x=x, y=np.arange(20) % 3, other=np.linspace(0, 1, 20))
    return f"npz:{path}"


@pytest.fixture
def dots(registered):
    """A registered plot with options of several types; returns what it was called with."""
    seen = {}

    @register_plot
    def dots(
        encoder, x, labels=None, *, size: float = 5.0, dims: tuple[int, int] | None = None, wide: bool = False,
        marker_kws: dict | None = None, n_dots: int = 3, ax=None,
    ):  # fmt: skip
        """Plot dots."""
        seen.update(x=x, labels=labels, size=size, dims=dims, wide=wide, marker_kws=marker_kws, n_dots=n_dots)
        return ax

    return seen


def assert_one_error(done, *tokens, code=2):
    assert done.code == code
    assert "Traceback" not in done.err
    assert done.err.count("\n") <= 2
    assert all(token in done.err for token in tokens), done.err


# Help and lists


def test_help_lists_the_commands(run_main):
    done = run_main("--help")
    assert done.code == 0
    for command in ("demo", "export", "info", "list", "plot", "train"):
        assert f"  {command} " in done.out
    assert "vaeviz plot latent_scatter runs/m             draw one plot\n" in done.out


@pytest.mark.parametrize("args", [["export"], ["plot"], ["plot", "latent_scatter"], ["list"], ["train"], ["info"]])
def test_every_command_has_help(run_main, args):
    done = run_main(*args, "--help")
    assert done.code == 0
    assert done.out.startswith("Usage: vaeviz " + args[0])


def test_version(run_main):
    done = run_main("--version")
    assert (done.code, vaeviz.__version__ in done.out) == (0, True)


def test_list_shows_every_group_and_the_inputs_and_options_of_plots(run_main):
    done = run_main("list")
    assert done.code == 0
    for token in ("\n  latent_scatter ", "from encoder, x, [labels]", "--dims int|text,int|text", "--max-points"):
        assert token in done.out
    for name in ("mlp", "conv", "autoencoder", "digits", "mnist", "npz", "images", "tsne", "pca", "export"):
        assert f"\n  {name} " in done.out


@pytest.mark.parametrize(
    ("section", "there", "elsewhere"),
    [("models", "mlp", "mnist"), ("data", "mnist", "mlp"), ("datasets", "mnist", "mlp"), ("checks", "holes", "mlp")],
)
def test_list_shows_one_section(run_main, section, there, elsewhere):
    done = run_main("list", section)
    assert f"  {there} " in done.out
    assert f"  {elsewhere} " not in done.out


def test_list_names_the_distribution_of_other_plots(run_main, registered):
    def mine(encoder, *, count: int = 3, ax=None):
        """Mine."""

    mine.__module__ = "elsewhere.plots"
    register_plot(mine)
    assert "Mine.  (elsewhere)\n" in run_main("list", "plots").out


def test_help_of_a_plot_shows_its_docstring_inputs_and_options(run_main):
    done = run_main("plot", "latent_scatter", "--help")
    for token in (
        "Needs encoder, x, [labels]",
        "--dims [int|text,int|text]",
        "--out",
        vaeviz.latent_scatter.__doc__.split("\n")[0],
    ):
        assert token.replace("`", "") in done.out
    assert run_main("plot", "latent-scatter", "--help").out.partition("]")[2] == done.out.partition("]")[2]


@pytest.mark.processes
def test_bash_completion_finds_commands_and_plots():
    def complete(words):
        count = len(words.split()) - 1
        env = os.environ | {"_VAEVIZ_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(count)}
        done = subprocess.run([sys.executable, "-m", "vaeviz"], env=env, capture_output=True, text=True, timeout=120)
        return {line.partition(",")[2] for line in done.stdout.splitlines()}

    assert complete("vaeviz ex") == {"explain", "explore", "export"}
    assert complete("vaeviz plot latent_s") == {"latent_scatter"}
    assert {"--trust", "--history"} <= complete("vaeviz explain --")


# One figure


def test_plot_draws_one_figure(run_main, run, tmp_path):
    done = run_main("plot", "latent_scatter", run)
    assert (done.code, done.out.strip()) == (0, "latent_scatter.png")
    assert (tmp_path / "latent_scatter.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(("name", "start"), [("a.svg", b"<?xml"), ("a.pdf", b"%PDF"), ("a.png", b"\x89PNG")])
def test_plot_writes_the_format_of_the_file_name(run_main, run, tmp_path, name, start):
    assert run_main("plot", "training_curves", run, "--out", name, "--style", "talk", "--dpi", 50).code == 0
    assert (tmp_path / name).read_bytes().startswith(start)


def test_options_of_a_plot_reach_it(run_main, dots):
    done = run_main("plot", "dots", "mine:pair", "--data", "digits", "--dims", "0,2", "--wide", "true")
    assert done.code == 0, done.err
    assert (dots["x"].shape, dots["dims"], dots["wide"], dots["size"]) == ((360, 8, 8), (0, 2), True, 5.0)
    assert len(dots["labels"]) == 360


def test_plot_accepts_any_model_and_data(run_main, npz, tmp_path):
    assert run_main("plot", "samples", "mine:names.inner", "--data", npz).code == 0
    assert run_main("plot", "manifold_grid", "--input", "decoder=mine:lone_decoder").code == 0
    tsne = ("plot", "tsne", "--input", "x=mine:codes", "--input", "encoder=mine:encode", "--perplexity", 5)
    assert run_main(*tsne).code == 0
    assert {path.name for path in tmp_path.glob("*.png")} == {"samples.png", "manifold_grid.png", "tsne.png"}


def test_split_and_labels_select_from_the_data(run_main, npz, dots):
    assert run_main("plot", "dots", "mine:pair", "--data", "digits", "--split", "train").code == 0
    assert len(dots["x"]) == 1437
    assert run_main("plot", "dots", "mine:pair", "--data", npz, "--labels", "other").code == 0
    assert (len(dots["x"]), dots["labels"][-1]) == (20, 1.0)


@pytest.mark.parametrize(
    ("args", "token"),
    [
        (["latent_scater"], "'latent_scatter'"),
        (["latent_scatter", "mine:pair"], "--data"),
        (["latent_scatter", "nowhere"], "'nowhere'"),
        (["latent_scatter", "mine:absent", "--data", "digits"], "mine:absent"),
        (["latent_scatter", "absent:thing", "--data", "digits"], "No module named 'absent'"),
        (["latent_scatter", "mine:loses_a_row", "--data", "digits"], "--encoder"),
        (["latent_scatter", "mine:pair", "--data", "digts"], "'digits'"),
        (["latent_scatter", "mine:pair", "--data", "digits", "--dims", "0"], "int|text,int|text"),
        (["latent_scatter", "mine:pair", "--data", "digits", "--dims", "0,5"], "dimensions"),
        (["latent_scatter", "mine:pair", "--data", "digits", "--split", "half"], "'half'"),
        (["latent_scatter", "mine:pair", "--data", "digits", "--dim", "0,1"], "--dim"),
        (["latent_scatter", "mine:pair", "--data", "digits", "--style", "papr"], "'papr'"),
        (["latent_scatter", "mine:pair", "--data", "digits", "--out", "a.jpg"], ".png, .pdf or .svg"),
        (["latent_scatter", "mine:pair", "--data", "digits", "--out", "no/a.png"], "no/a.png"),
        (["latent_scatter", "mine:pair", "--data", "digits", "--out", "mine.py/a.png"], "mine.py/a.png"),
        (["latent_scatter", "mine:pair", "--data", "npz:absent.npz"], "absent.npz"),
        (["latent_scatter", "mine:pair", "--data", "digits", "--input", "x"], "NAME=package.module:attribute"),
        (["latent_scatter", "mine:pair", "--data", "digits", "--input", "lables=mine:labels"], "'lables'"),
        (["latent_scatter", "--data", "digits", "--input", "encoder=mine:loses_a_row"], "(360, ...)"),
    ],
)
def test_wrong_usage_of_plot_is_one_error(run_main, tmp_path, args, token):
    assert_one_error(run_main("plot", *args), token)
    assert not list(tmp_path.glob("*.png"))


# Figure sets


def manifest_in(folder):
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


@pytest.mark.usefixtures("only_records")
def test_export_of_a_run_draws_the_data_it_was_trained_on(run_main, run, tmp_path):
    done = run_main("export", run, "--out", "figures", "--dpi", 40, *LITTLE)
    assert done.code == 0, done.err
    assert "✓ latent_scatter" in done.out
    assert "– tsne " in done.out
    count = done.out.count("✓ ")
    assert f"\n{count} figures in figures" in done.out
    assert len(list((tmp_path / "figures").glob("*.png"))) == count
    manifest = manifest_in(tmp_path / "figures")
    assert manifest["inputs"]["x"]["shape"] == [360, 8, 8]
    assert manifest["title"] == "tiny · digits"


@pytest.mark.usefixtures("only_records")
def test_export_skips_plots_whose_inputs_are_missing(run_main, tmp_path):
    np.savez(tmp_path / "bare.npz", x=np.random.default_rng(0).random((20, 8, 8), dtype=np.float32))
    done = run_main("export", "mine:pair", "--data", "npz:bare.npz", "--out", "figures", "--dpi", 40, *LITTLE)
    assert done.code == 0, done.out + done.err
    assert "– training_curves        needs history" in done.out
    assert "– latent_neighbors       needs labels" in done.out


def test_export_follows_its_options(run_main, npz, dots, tmp_path):
    args = ["--plots", "dots", "--format", "svg,pdf", "--style", "talk", "--seed", 3]
    args += ["--set", "dots.size=9", "--set", "dots.marker-kws=marker=x"]
    done = run_main("export", "mine:pair", "--data", npz, "--out", "figures", *args)
    assert done.code == 0, done.err
    manifest = manifest_in(tmp_path / "figures")
    (figure,) = manifest["figures"]
    assert sorted(figure["files"]) == ["dots.pdf", "dots.svg"]
    assert (manifest["style"], manifest["dpi"], manifest["seed"]) == ("talk", 150, 3)
    assert (figure["options"]["size"], figure["options"]["marker_kws"]) == (9.0, {"marker": "x"})


def test_the_command_line_wins_over_a_config_file(run_main, npz, dots, tmp_path):
    (tmp_path / "figures.toml").write_text(
        'plots = ["dots", "latent_scatter"]\nformats = ["svg"]\nseed = 5\ndpi = 60\nstyle = "talk"\n'
        "[dots]\nn_dots = 9\nsize = 1\ndims = [1, 0]\n"
    )
    args = ["--config", "figures.toml", "--set", "dots.size=7", "--seed", 6, "--format", "png"]
    done = run_main("export", "mine:pair", "--data", npz, "--out", "figures", *args)
    assert done.code == 0, done.err
    manifest = manifest_in(tmp_path / "figures")
    by_name = {figure["plot"]: figure for figure in manifest["figures"]}
    options = by_name["dots"]["options"]
    assert (options["n_dots"], options["size"], options["dims"]) == (9, 7.0, [1, 0])
    assert (manifest["seed"], manifest["dpi"], manifest["style"]) == (6, 60, "talk")
    assert list(by_name["latent_scatter"]["files"]) == ["latent_scatter.png"]


def test_exit_code_1_if_a_plot_failed_and_the_others_are_drawn(run_main, npz, registered):
    @register_plot
    def failing(encoder, x, *, ax=None):
        """Fails."""
        raise RuntimeError("out of luck")

    args = ("--plots", "failing,latent_scatter", "--dpi", 40)
    done = run_main("export", "mine:pair", "--data", npz, "--out", "figures", *args)
    assert done.code == 1
    assert "✗ failing                RuntimeError: out of luck" in done.out
    assert "✓ latent_scatter" in done.out
    assert "Traceback" not in done.out + done.err


def test_exit_code_1_if_a_plot_was_named_and_skipped(run_main, npz):
    done = run_main(
        "export", "mine:pair", "--data", npz, "--out", "figures", "--plots", "latent_scatter,tsne", "--dpi", 40
    )
    assert done.code == 1


def test_exit_code_1_if_nothing_was_drawn(run_main):
    assert run_main("export", "--data", "digits", "--out", "figures").code == 1


@pytest.mark.parametrize(
    ("args", "token"),
    [
        ([], "--out"),
        (["--out", "o"], "MODEL"),
        (["nowhere", "--out", "o"], "'nowhere'"),
        (["mine:pair", "--data", "digits", "--out", "mine.py"], "mine.py"),
        (["mine:pair", "--data", "digits", "--out", "mine.py/below"], "mine.py/below"),
        (["mine:pair", "--data", "digits", "--out", "o", "--plots", "scater"], "'scater'"),
        (["mine:pair", "--data", "digits", "--out", "o", "--plots", ","], "plot"),
        (["mine:pair", "--data", "digits", "--out", "o", "--set", "tsne"], "PLOT.OPTION=VALUE"),
        (["mine:pair", "--data", "digits", "--out", "o", "--set", "tsne.seeed=1"], "'seed'"),
        (["mine:pair", "--data", "digits", "--out", "o", "--set", "tsne.seed=x"], "tsne.seed"),
        (["mine:pair", "--data", "digits", "--out", "o", "--format", "jpg"], "'jpg'"),
        (["mine:pair", "--data", "digits", "--out", "o", "--dpi", "3"], "--dpi"),
        (["mine:pair", "--data", "digits", "--out", "o", "--seed", "-1"], "--seed"),
        (["mine:pair", "--data", "digits", "--out", "o", "--config", "absent.toml"], "absent.toml"),
        (["mine:pair", "--data", "digits", "--out", "o", "--config", "mine.py"], "mine.py"),
        (["mine:pair", "--data", "digits", "--data-dir", ".", "--out", "o"], "--data-dir"),
        (["mine:pair", "--data", "digits", "--labels", "y", "--out", "o"], "--labels"),
        (["mine:pair", "--input", "x=mine:codes", "--input", "labels=mine:pair", "--out", "o"], "labels"),
        (["mine:pair", "--data", "digits", "--input", "title=mine:codes", "--out", "o"], "title"),
    ],
)
def test_wrong_usage_of_export_is_one_error_and_writes_nothing(run_main, tmp_path, args, token):
    assert_one_error(run_main("export", *args), token)
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("toml", "token"),
    [
        ("plot = ['samples']", "'plots'"),
        ("plots = 'samples'", "plots"),
        ("plots = [1]", "plots"),
        ("formats = [1]", "formats"),
        ("dpi = 'high'", "dpi"),
        ("dpi = true", "dpi"),
        ("dpi = 0", "dpi"),
        ("seed = -1", "seed"),
        ("[scatter]\nsize = 3", "'scatter'"),
        ("[dots]\nn_dots = 'many'", "dots.n_dots"),
        ("[dots]\nn_dots = 1.5", "dots.n_dots"),
    ],
)
def test_a_wrong_config_file_is_one_error(run_main, dots, tmp_path, toml, token):
    (tmp_path / "figures.toml").write_text(toml)
    done = run_main("export", "mine:pair", "--data", "digits", "--out", "o", "--config", "figures.toml")
    assert_one_error(done, token)
    assert not (tmp_path / "o").exists()


# Errors and warnings


def test_an_unknown_command_is_wrong_usage(run_main):
    assert_one_error(run_main("exprt"), "'export'")


@pytest.mark.parametrize("args", [["--traceback", "plot", "samples", "nowhere"], ["plot", "samples", "nowhere"]])
def test_traceback_raises_the_error_wherever_it_is_written(args):
    with pytest.raises(vaeviz.InputError):
        main([*args, "--traceback"])


def test_an_unexpected_error_is_one_line(run_main, registered):
    @register_plot
    def failing(x, *, ax=None):
        """Fails."""
        raise RuntimeError("out\nof\nluck")

    done = run_main("plot", "failing", "--data", "digits")
    assert_one_error(done, "RuntimeError: out of luck", "--traceback", code=1)


def test_a_plot_that_does_not_apply_exits_with_1(run_main, registered):
    @register_plot
    def picky(x, *, ax=None):
        """Never applies."""
        raise vaeviz.NotApplicable("x has no color.", fix="Pass color images.")

    assert_one_error(run_main("plot", "picky", "--data", "digits"), "x has no color. Pass color images.", code=1)


def test_errors_show_the_advice_for_the_command_line(run_main, registered):
    from vaeviz.errors import declare

    @register_plot
    def guessing(x, *, ax=None):
        """Guesses."""
        raise vaeviz.InputError("The range is unknown.", fix=declare("Decoder", value_range=(-1, 1)))

    done = run_main("plot", "guessing", "--data", "digits")
    assert_one_error(done, "--value-range -1,1")
    assert "Decoder(" not in done.err


def test_an_interruption_exits_with_130(run_main, registered):
    @register_plot
    def interrupted(x, *, ax=None):
        """Interrupted."""
        raise KeyboardInterrupt

    done = run_main("plot", "interrupted", "--data", "digits")
    assert (done.code, done.err.strip()) == (130, "interrupted")


@pytest.fixture
def warning_plot(registered):
    """Register a plot that gives a warning twice, from two places."""

    def register(warning):
        @register_plot
        def careless(x, *, ax=None):
            """Warns."""
            warnings.warn(warning, stacklevel=1)
            warnings.warn(warning, stacklevel=1)
            return ax

    return register


def test_a_guess_is_one_line_with_the_advice_for_the_command_line(run_main, warning_plot):
    from vaeviz.errors import declare

    warning_plot(
        vaeviz.GuessWarning("The spread is read as a log-variance.", fix=declare("Encoder", returns="mean,std"))
    )
    done = run_main("plot", "careless", "--data", "digits")
    assert (done.code, done.err) == (0, "warning: The spread is read as a log-variance. Add --returns mean,std.\n")


def test_a_small_page_is_one_line_for_who_registers_the_plot(run_main, registered, tmp_path):
    @register_plot(page=vaeviz.PageShape("column", 0.3))
    def wide(x, *, figure=None):
        """Draw many panels."""
        return figure.subplots(3, 3)

    done = run_main("plot", "wide", "--data", "digits", "--out", tmp_path / "wide.png")
    assert done.err.startswith("warning: wide draws 9 panels into a place of ")
    assert done.err.endswith(" Register it with a page of at least 4.2 × 3.6 inches.\n")


@pytest.mark.parametrize(
    ("warning", "label"), [(UserWarning("odd"), "warning"), (RuntimeWarning("odd"), "RuntimeWarning")]
)
def test_a_warning_is_printed_once_with_its_category(run_main, warning_plot, warning, label):
    warning_plot(warning)
    assert run_main("plot", "careless", "--data", "digits").err == f"{label}: odd\n"


def test_main_restores_how_warnings_are_shown(run_main, warning_plot):
    warning_plot(UserWarning("odd"))
    shown, filters = warnings.showwarning, list(warnings.filters)
    run_main("plot", "careless", "--data", "digits")
    assert warnings.showwarning is shown
    assert list(warnings.filters) == filters


@pytest.mark.processes
def test_warnings_that_are_errors_stay_errors(tmp_path):
    (tmp_path / "script.py").write_text(
        "import warnings\nfrom vaeviz import register_plot\n\n@register_plot\ndef careless(x, *, ax=None):\n"
        "    'Warns.'\n    warnings.warn('odd')\n    return ax\n"
    )
    np.save(tmp_path / "x.npy", np.zeros((3, 2)))
    command = ["-m", "vaeviz", "plot", "careless", "--with", "script.py", "--data", "x.npy"]
    for options, env in ((["-W", "error::UserWarning"], {}), ([], {"PYTHONWARNINGS": "error::UserWarning"})):
        args = [sys.executable, *options, *command]
        done = subprocess.run(args, env=os.environ | env, capture_output=True, text=True, cwd=tmp_path, timeout=120)
        assert (done.returncode, "UserWarning: odd" in done.stderr) == (1, True), done.stderr
    assert not (tmp_path / "careless.png").exists()


def test_the_module_runs_as_the_installed_command_does(python):
    printed = python(
        "import subprocess, sys\n"
        "one = subprocess.run([sys.executable, '-m', 'vaeviz', 'list', 'models'], capture_output=True, text=True)\n"
        "print(one.returncode, one.stdout)"
    )
    assert printed.startswith("0 models")
    assert "mlp" in printed


def test_config_files_are_read_up_to_a_size_and_as_text(tmp_path):
    for content in (b"#" * (MAX_CONFIG_BYTES + 1), b"\xff\xfe", b"dpi = 1" + b"0" * 10_000, b"a = " + b"[" * 10_000):
        path = tmp_path / "config.toml"
        path.write_bytes(content)
        with pytest.raises(InputError, match=re.escape(str(path))):
            _read_config(path)
