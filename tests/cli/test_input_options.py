"""Each input of the vocabulary has an option on the command line, and reaches the plots that ask for it."""

import json
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from vaeviz import register_plot
from vaeviz.cli.main import cli, main
from vaeviz.cli.readers import SPELLINGS
from vaeviz.errors import InputError
from vaeviz.plugins.plot_spec import INPUTS

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
def folder(tmp_path, monkeypatch):
    """A working folder with a module of models and arrays."""
    (tmp_path / "my_inputs.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("my_inputs", None)


def invoked(*args):
    result = CliRunner().invoke(cli, [str(arg) for arg in args])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def seen(registered):
    """What a plot that takes everything was given, by `vaeviz plot curious`."""
    seen = {}

    @register_plot
    def curious(
        encoder=None, decoder=None, x=None, labels=None, condition=None, factors=None, history=None, likelihood=None,
        other_x=None, other_encoder=None, runs=None, feature_names=None, factor_names=None, *, ax=None,
    ):  # fmt: skip
        """Curious."""
        seen.update({name: value for name, value in locals().items() if name not in ("seen", "ax")})

    return seen


def test_every_input_of_the_vocabulary_has_a_spelling():
    assert set(SPELLINGS) == set(INPUTS)


def test_arrays_functions_and_tables_reach_the_plot(folder, seen):
    import my_inputs as mine

    np.save("factors.npy", mine.factors)
    (folder / "log.csv").write_text("epoch,train_elbo\n1,-3\n2,-2\n")
    invoked("plot", "curious", "--data", "digits", "--factors", "factors.npy", "--condition", "labels",
            "--history", "log.csv", "--likelihood", "my_inputs:likelihood", "--other-data", "my_inputs:reversed_digits",
            "--other-encoder", "my_inputs:three")  # fmt: skip
    np.testing.assert_array_equal(seen["factors"], mine.factors)
    np.testing.assert_array_equal(seen["condition"], seen["labels"])
    assert seen["history"] == {"epoch": [1.0, 2.0], "train_elbo": [-3.0, -2.0]}
    assert seen["likelihood"] is mine.likelihood
    assert seen["other_x"].shape == (50, 8, 8)
    assert seen["other_encoder"].fn is mine.three


def test_objects_of_a_module_and_run_folders_do_as_well(folder, seen, run):
    import my_inputs as mine

    invoked("plot", "curious", "--data", "digits", "--factors", "my_inputs:factors", "--condition", "my_inputs:ones",
            "--history", "my_inputs:history", "--runs", run, "--runs", "my_inputs:pair",
            "--factor-names", "size, my place")  # fmt: skip
    assert seen["factors"] is mine.factors
    assert seen["condition"] is mine.ones
    assert seen["history"] is mine.history
    assert tuple(seen["factor_names"]) == ("size", "my place")
    assert [model.name for model in seen["runs"]] == [run.name, "Pair"]
    invoked("plot", "curious", "--history", run)
    assert seen["history"]["epoch"] == [1.0, 2.0]


def test_plots_of_several_models_are_drawn(folder, run):
    told = invoked(
        "export", run, "--runs", run, "--runs", run, "--other-encoder", "my_inputs:pair",
        "--other-data", "my_inputs:reversed_digits", "--plots",
        "rate_distortion,compare,reconstruction_error", "--dpi", 40, "--out", "figures",
    )  # fmt: skip
    assert told.count("✓ ") == 3
    manifest = json.loads((folder / "figures" / "manifest.json").read_text())
    assert [part["name"] for part in manifest["inputs"]["runs"]["models"]] == [run.name] * 2
    assert manifest["inputs"]["other_x"]["shape"] == [50, 8, 8]
    invoked("plot", "rate_distortion", "--runs", run, "--out", "recorded.png")
    invoked("plot", "training_curves", "--history", run, "--out", "curves.png")
    invoked("plot", "likelihood_bound", "my_inputs:pair", "--data", "digits", "--likelihood", "my_inputs:likelihood",
            "--n-draws", 5, "--out", "bound.png")  # fmt: skip
    assert {path.name for path in folder.glob("*.png")} == {"recorded.png", "curves.png", "bound.png"}


def test_a_conditional_encoder_is_given_the_labels_of_the_data(folder):
    figures = ["--data", "digits", "--plots", "latent_scatter", "--out", "figures"]
    invoked("export", "--encoder", "my_inputs:encode", "--condition", "labels", *figures)


def test_what_a_model_knows_of_its_own_samples_is_not_said_of_others(folder, registered):
    from vaeviz.export.render import collect_plot_inputs
    from vaeviz.model.opening import Model

    model = Model(inputs={"x": np.ones((3, 2)), "condition": np.ones(3), "history": {"epoch": [1]}})
    assert set(collect_plot_inputs(model, None, {})) == {"x", "condition", "history"}
    assert set(collect_plot_inputs(model, None, {"x": np.ones((5, 2))})) == {"x", "history"}


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["--factors", "no.npy"], "--factors no.npy: does not exist"),
        (["--factors", "my_inputs.py"], "--factors my_inputs.py: expected FILE.npy or package.module:attribute"),
        (["--factors", "text.npy"], "--factors text.npy: cannot be read as a plain array of numbers"),
        (["--condition", "lables"], "--condition lables: expected FILE.npy or package.module:attribute"),
        (["--history", "no.csv"], "no.csv: does not exist"),
        (["--history", "my_inputs.py"], "my_inputs.py: is damaged, or no table of numbers"),
        (["--history", "."], "history.csv: does not exist"),
        (["--likelihood", "gaussian"], "'gaussian': expected package.module:attribute"),
        (["--other-data", "digts"], "Unknown data set 'digts'. Did you mean 'digits'"),
        (["--other-encoder", "nowhere"], "got 'nowhere', which does not exist"),
        (["--runs", "nowhere"], "got 'nowhere', which does not exist"),
        (["--factors", "my_inputs:factors", "--input", "factors=my_inputs:factors"], "factors was given twice"),
        (["--sample-shape", "8,8"], "--sample-shape is said of a model"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_input_is_told(folder, args, told):
    (folder / "text.npy").write_text("no array")
    with pytest.raises(InputError) as caught:
        invoked("plot", "latent_scatter", "--data", "digits", *args)
    assert told in str(caught.value)


def said(capsys, *args):
    with pytest.raises(SystemExit):
        main([str(arg) for arg in args])
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("plot", "give"),
    [
        ("rate_distortion", "rate_distortion needs runs: give --runs"),
        ("training_curves", "training_curves needs history: give --history"),
        ("compare", "other_encoder: give MODEL or --encoder and --data and --other-encoder"),
        ("likelihood_bound", "likelihood: give MODEL or --encoder and --data and --likelihood"),
        ("disentanglement", "factors: give MODEL or --encoder and --data and --factors"),
    ],
)  # fmt: skip
def test_what_a_plot_lacks_is_told_with_the_option_that_gives_it(plot, give, folder, capsys):
    assert give in said(capsys, "plot", plot)


def test_an_input_of_another_name_is_told_with_the_general_option(folder, capsys, registered):
    @register_plot
    def warm(temperatures, *, ax=None):
        """Warm."""

    told = said(capsys, "plot", "warm")
    assert told == "Error: warm needs temperatures: give --input temperatures=package.module:attribute\n"


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["latent_scatter", "--encoder", "my_inputs:three", "--data", "digits", "--input-shape", "5,5"],
         "or write --input-shape N,..."),
        (["samples", "--decoder", "my_inputs:decode_flat"], "write --latent-shape D"),
        (["samples", "my_inputs:pair", "--data", "digits", "--encoder", "my_inputs:three"], "write --prior normal"),
        (["latent_scatter", "--encoder", "my_inputs:three", "--data", "digits", "--pad"], "--batch-size N --pad"),
    ],
)  # fmt: skip
def test_errors_name_the_option_and_not_what_a_script_would_write(args, told, folder, capsys):
    err = said(capsys, "plot", *args)
    assert told in err
    assert "(fn, " not in err


def test_a_flat_decoder_is_told_its_shape(folder):
    flat = ["--decoder", "my_inputs:decode_flat", "--latent-shape", "2", "--prior", "normal"]
    told = invoked("explain", *flat, "--sample-shape", "8,8", "--batch-size", 7)
    assert "(8, 8)" in told
    assert "else write --sample-shape 28,28" in told
