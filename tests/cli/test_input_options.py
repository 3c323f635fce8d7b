"""Every input of the table has an option on the command line, and reaches the plots that take it."""

import json

import numpy as np
import pytest

from vaeviz import register_plot
from vaeviz.cli.commands.explain import explain
from vaeviz.cli.readers import READERS, ReaderContext, read_inputs
from vaeviz.errors import InputError
from vaeviz.model.decoder_likelihood import NAMES
from vaeviz.plugins.inputs import INPUTS

MODULE = """
import numpy as np

class Pair:
    def encode(self, x):
        flat = x.reshape(len(x), -1)
        return flat[:, 10:12], np.full((len(x), 2), -2.0)

    def decode(self, z):
        return np.clip(np.repeat(z, 32, axis=1), 0, 1).reshape(len(z), 8, 8)

def encode(x, condition): return x.reshape(len(x), -1)[:, 10:12] + np.asarray(condition).reshape(len(x), 1)
def three(x): return x.reshape(len(x), -1)[:, 20:23]
def likelihood(x, z): return -((z - z.mean()) ** 2).sum(axis=1)
def decode_flat(z): return np.repeat(z, 32, axis=1)
def cube(x): return x.reshape(len(x), 4, 4, 4)

pair = Pair()
history = {"epoch": [1, 2], "train_elbo": [-3.0, -2.0]}
factors = np.column_stack([np.arange(360) % 3, np.arange(360) % 4])
ones = np.ones(360)
reversed_digits = np.random.default_rng(0).random((50, 8, 8), dtype=np.float32)
"""


@pytest.fixture
def folder(make_module, monkeypatch):
    """The current folder, with a module of models and arrays."""
    folder = make_module("my_inputs", MODULE)
    monkeypatch.syspath_prepend(folder)
    return folder


@pytest.fixture
def run_command(invoke):
    """Run a command that must succeed, and return its output."""

    def run_successfully(*args):
        result = invoke(*args)
        assert result.exit_code == 0, result.output
        return result.output

    return run_successfully


@pytest.fixture
def seen(registered):
    """Inputs that `vaeviz plot curious` was called with; it takes all of them."""
    seen = {}

    @register_plot
    def curious(
        encoder=None, decoder=None, x=None, labels=None, condition=None, factors=None, history=None, likelihood=None,
        other_x=None, other_encoder=None, runs=None, feature_names=None, factor_names=None, *, ax=None,
    ):  # fmt: skip
        """Curious."""
        seen.update({name: value for name, value in locals().items() if name not in ("seen", "ax")})

    return seen


def test_every_input_of_the_table_has_an_option_and_a_reader():
    options = {flag: param for param in explain.params for flag in param.opts}
    for spec in INPUTS.values():
        option = options[spec.flag]
        assert (option.metavar, option.help, option.multiple) == (spec.metavar, spec.help, spec.repeatable)
        assert spec.reader in READERS or spec.reader in ("model", "data")


def test_arrays_functions_and_tables_reach_the_plot(run_command, folder, seen):
    import my_inputs as mine

    np.save("factors.npy", mine.factors)
    (folder / "log.csv").write_text("epoch,train_elbo\n1,-3\n2,-2\n")
    run_command(
        "plot",
        "curious",
        "--data",
        "digits",
        "--factors",
        "factors.npy",
        "--condition",
        "labels",
        "--history",
        "log.csv",
        "--likelihood",
        "my_inputs:likelihood",
        "--other-data",
        "my_inputs:reversed_digits",
        "--other-encoder",
        "my_inputs:three",
    )
    np.testing.assert_array_equal(seen["factors"], mine.factors)
    np.testing.assert_array_equal(seen["condition"], seen["labels"])
    assert seen["history"] == {"epoch": [1.0, 2.0], "train_elbo": [-3.0, -2.0]}
    assert seen["likelihood"] is mine.likelihood
    assert seen["other_x"].shape == (50, 8, 8)
    assert seen["other_encoder"].fn is mine.three


def test_objects_of_a_module_and_run_folders_reach_the_plot(run_command, folder, seen, run):
    import my_inputs as mine

    run_command(
        "plot",
        "curious",
        "--data",
        "digits",
        "--factors",
        "my_inputs:factors",
        "--condition",
        "my_inputs:ones",
        "--history",
        "my_inputs:history",
        "--runs",
        run,
        "--runs",
        "my_inputs:pair",
        "--factor-names",
        "size, my place",
    )
    assert seen["factors"] is mine.factors
    assert seen["condition"] is mine.ones
    assert seen["history"] is mine.history
    assert tuple(seen["factor_names"]) == ("size", "my place")
    assert [model.name for model in seen["runs"]] == [run.name, "Pair"]
    run_command("plot", "curious", "--history", run)
    assert seen["history"]["epoch"] == [1.0, 2.0]


@pytest.mark.usefixtures("only_records")
@pytest.mark.no_cover
def test_plots_of_several_models_are_drawn(run_command, folder, run):
    shown = run_command(
        "export",
        run,
        "--runs",
        run,
        "--runs",
        run,
        "--other-encoder",
        "my_inputs:pair",
        "--other-data",
        "my_inputs:reversed_digits",
        "--plots",
        "rate_distortion,compare,reconstruction_error",
        "--dpi",
        40,
        "--out",
        "figures",
    )
    assert shown.count("✓ ") == 3
    manifest = json.loads((folder / "figures" / "manifest.json").read_text())
    assert [part["name"] for part in manifest["inputs"]["runs"]["models"]] == [run.name] * 2
    assert manifest["inputs"]["other_x"]["shape"] == [50, 8, 8]
    run_command("plot", "rate_distortion", "--runs", run, "--out", "recorded.png")
    run_command("plot", "training_curves", "--history", run, "--out", "curves.png")
    run_command(
        "plot",
        "likelihood_bound",
        "my_inputs:pair",
        "--data",
        "digits",
        "--likelihood",
        "my_inputs:likelihood",
        "--n-draws",
        5,
        "--out",
        "bound.png",
    )
    named = ("--likelihood", "gaussian-fixed:0.2", "--n-draws", 5, "--out", "named.png")
    run_command("plot", "likelihood_bound", "my_inputs:pair", "--data", "digits", *named)
    names = {"recorded.png", "curves.png", "bound.png", "named.png"}
    assert {path.name for path in folder.glob("*.png")} == names


def test_runs_that_a_shell_lists_are_all_compared(run_command, folder, seen):
    runs = ("my_inputs:pair", "my_inputs:pair", "my_inputs:pair")
    main_args = ["plot", "curious", "my_inputs:pair", "--runs", *runs, "--data", "digits"]
    run_command(*main_args)
    assert len(seen["runs"]) == 3
    assert seen["encoder"] is not None


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("fashion", ["fashion-mnist"]),
        ("nothing", ["nothing"]),
        ("gl", ["glyphs", "glyphs:letters"]),
        ("shapes:f", ["shapes:full"]),
        ("npz:scans", ["npz:scans"]),
    ],
)
def test_names_of_data_sets_are_completed(typed, expected):
    from click.shell_completion import ShellComplete

    from vaeviz.cli.main import cli

    for command in (["plot", "latent_scatter"], ["export"], ["train", "mlp"]):
        items = ShellComplete(cli, {}, "vaeviz", "_VAEVIZ_COMPLETE").get_completions([*command, "--data"], typed)
        assert [item.value for item in items] == expected


def test_the_labels_can_be_the_condition(run_command, folder):
    figures = ["--data", "digits", "--plots", "latent_scatter", "--out", "figures", "--dpi", 40]
    run_command("export", "--encoder", "my_inputs:encode", "--condition", "labels", *figures)


def test_per_sample_inputs_of_a_model_are_dropped_for_other_samples(folder):
    from vaeviz.export.render import collect_plot_inputs
    from vaeviz.model.opening import Model

    model = Model(inputs={"x": np.ones((3, 2)), "condition": np.ones(3), "history": {"epoch": [1]}})
    assert set(collect_plot_inputs(model, None, {})) == {"x", "condition", "history"}
    assert set(collect_plot_inputs(model, None, {"x": np.ones((5, 2))})) == {"x", "history"}


@pytest.mark.parametrize(
    ("args", "token"),
    [
        (["--factors", "no.npy"], "--factors no.npy"),
        (["--factors", "my_inputs.py"], "FILE.npy"),
        (["--factors", "text.npy"], "--factors text.npy"),
        (["--condition", "lables"], "--condition lables"),
        (["--history", "no.csv"], "no.csv"),
        (["--history", "my_inputs.py"], "my_inputs.py"),
        (["--history", "."], "history.csv"),
        (["--likelihood", "gaussian"], "'gaussian'"),
        (["--other-data", "digts"], "'digits'"),
        (["--other-encoder", "nowhere"], "'nowhere'"),
        (["--runs", "nowhere"], "'nowhere'"),
        (["--factors", "my_inputs:factors", "--input", "factors=my_inputs:factors"], "--factors"),
        (["--sample-shape", "8,8"], "--sample-shape"),
    ],
)  # fmt: skip
def test_an_input_that_cannot_be_read_is_an_input_error(invoke, folder, args, token):
    (folder / "text.npy").write_text("no array")
    with pytest.raises(InputError) as caught:
        invoke("plot", "latent_scatter", "--data", "digits", *args)
    assert token in str(caught.value)


@pytest.mark.parametrize(
    ("plot", "flags"),
    [
        ("rate_distortion", "--runs RUN"),
        ("training_curves", "--history PATH"),
        ("compare", "MODEL or --encoder MODEL, and --data NAME, and --other-encoder MODEL"),
        ("likelihood_bound", "MODEL or --encoder MODEL, and --data NAME, and --likelihood NAME"),
        ("disentanglement", "MODEL or --encoder MODEL, and --data NAME, and --factors ARRAY"),
    ],
)  # fmt: skip
def test_a_missing_input_is_named_with_its_option(plot, flags, folder, run_main):
    done = run_main("plot", plot)
    assert done.code == 2
    assert done.err.endswith(f"Add {flags}.\n")


def test_a_missing_input_of_another_name_is_named_with_the_general_option(folder, run_main, registered):
    @register_plot
    def warm(temperatures, *, ax=None):
        """Warm."""

    assert "--input temperatures=package.module:attribute" in run_main("plot", "warm").err


@pytest.mark.parametrize(
    ("args", "flag"),
    [
        (
            ["latent_scatter", "--encoder", "my_inputs:three", "--data", "digits", "--input-shape", "5,5"],
            "--input-shape",
        ),
        (["samples", "--decoder", "my_inputs:decode_flat"], "--latent-shape"),
        (["latent_scatter", "--encoder", "my_inputs:three", "--data", "digits", "--pad"], "--batch-size"),
    ],
)
def test_errors_about_a_model_name_the_option_that_declares_it(args, flag, folder, run_main):
    done = run_main("plot", *args)
    assert done.code in (1, 2)
    assert flag in done.err
    assert "(fn, " not in done.err


def test_the_shapes_of_a_flat_decoder_can_be_declared(run_command, folder):
    flat = ["--decoder", "my_inputs:decode_flat", "--latent-shape", "2", "--prior", "normal"]
    shown = run_command("explain", *flat, "--sample-shape", "8,8", "--batch-size", 7)
    assert "(8, 8)" in shown
    assert "--sample-shape 8,8" in shown
    assert "(fn, " not in shown


def test_help_names_every_likelihood():
    assert all(name in INPUTS["likelihood"].help for name in NAMES)


@pytest.mark.parametrize(("label_name", "n_features"), [("kind", 2), ("absent", 3), (None, 3)])
def test_the_labels_of_the_data_are_no_feature_of_the_other_data(tmp_path, label_name, n_features):
    (tmp_path / "other.csv").write_text("a,b,kind\n1,2,0\n3,4,1\n5,7,0\n")
    context = ReaderContext(None, label_name, None, trust=False)
    read = read_inputs({"other_x": str(tmp_path / "other.csv")}, context)
    assert read["other_x"].x.shape == (3, n_features)


def test_other_data_with_texts_are_read_with_the_labels_of_the_data(tmp_path):
    (tmp_path / "other.csv").write_text("a,b,kind\n1,2,cat\n3,4,dog\n")
    text = {"other_x": str(tmp_path / "other.csv")}
    assert read_inputs(text, ReaderContext(None, "kind", None, trust=False))["other_x"].x.shape == (2, 2)
    with pytest.raises(InputError) as raised:
        read_inputs(text, ReaderContext(None, "absent", None, trust=False))
    assert raised.value.got == "absent"
    assert read_inputs({"other_x": "digits"}, ReaderContext(None, "kind", None, trust=False))["other_x"].x.ndim == 3
