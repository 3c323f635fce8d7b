import numpy as np
import pytest
import torch

from vaeviz_models import open_run
from vaeviz_models.runs.folder import read_config, read_history

DIGITS = ("--data", "digits", "--device", "cpu")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "run"


def test_train_leaves_a_run_and_says_how_to_draw_it(vaeviz, out):
    done = vaeviz("train", "mlp", *DIGITS, "--hidden", "16,8", "--epochs", 2, "--out", out)
    assert done.code == 0
    assert done.err == ""
    first, second, last = done.out.splitlines()
    assert first.startswith("epoch 1/2  train ELBO -")
    assert second.startswith("epoch 2/2  train ELBO -")
    assert last == f"run in {out}; draw it with: vaeviz export {out} --out figures/run"
    assert open_run(out)[0].latent_dim == 2


def test_what_is_printed_is_what_the_history_holds(vaeviz, out):
    done = vaeviz("train", "mlp", *DIGITS, "--hidden", "16", "--epochs", 1, "--holdout", "0.1", "--out", out)
    last = {name: values[-1] for name, values in read_history(out).items()}
    for part in ("train", "validation", "test"):
        terms = f"({last[f'{part}_log_likelihood']:.2f} − {last[f'{part}_kl']:.2f})"
        assert f"{part} ELBO {last[f'{part}_elbo']:.2f} {terms}" in done.out


def test_the_defaults_are_the_reference_run(vaeviz, out):
    assert vaeviz("train", "mlp", *DIGITS, "--epochs", 1, "--out", out).code == 0
    config = read_config(out)
    expected = {"latent_dim": 2, "hidden": [512], "activation": "relu", "likelihood": "bernoulli", "std": 1.0}
    assert config["model"]["options"] == expected
    assert config["training"] | {"epochs": 10, "device": "auto"} == {
        "epochs": 10,
        "batch_size": 128,
        "learning_rate": 1e-3,
        "schedule": "constant",
        "epsilon": 1e-8,
        "beta": 1.0,
        "warmup": 0,
        "binarize": False,
        "holdout": 0.0,
        "patience": None,
        "precision": "float32",
        "seed": 0,
        "device": "auto",
    }


def test_ten_epochs_are_the_default(vaeviz):
    help_text = " ".join(vaeviz("train", "mlp", "--help").out.split())
    assert "--epochs INT Passes over the training data. [default: 10]" in help_text


@pytest.mark.parametrize("model", ["conv", "autoencoder", "conv-autoencoder"])
def test_every_registered_model_trains(model, vaeviz, out):
    assert vaeviz("train", model, *DIGITS, "--epochs", 1, "--latent-dim", 3, "--out", out).code == 0
    assert open_run(out)[0].latent_dim == 3


def test_a_plug_ins_model_trains_and_opens(vaeviz, out, registered):
    from vaeviz_models import VAE, DenseDecoder, DenseEncoder, Gaussian

    def shallow(sample_shape, *, latent_dim: int = 1) -> VAE:
        """A VAE of somebody else."""
        return VAE(
            DenseEncoder(sample_shape, latent_dim, ()),
            DenseDecoder(sample_shape, latent_dim, ()),
            Gaussian(),
            latent_dim,
        )

    registered.add("vaeviz.models", "shallow", shallow)
    assert "A VAE of somebody else." in vaeviz("train", "--help").out
    assert vaeviz("train", "shallow", *DIGITS, "--latent-dim", 4, "--epochs", 1, "--out", out).code == 0
    assert open_run(out)[0].latent_dim == 4


def test_data_without_splits_are_all_for_training(vaeviz, out, tmp_path):
    np.savez(tmp_path / "own.npz", x=np.random.default_rng(0).random((40, 6)))
    done = vaeviz("train", "mlp", "--data", f"npz:{tmp_path / 'own.npz'}", "--epochs", 1, "--out", out)
    assert done.code == 0
    assert "train_elbo" in read_history(out)
    assert "test_elbo" not in read_history(out)


def test_the_same_seed_leaves_the_same_bytes(vaeviz, tmp_path):
    left = []
    for name, seed in {"one": 1, "same": 1, "other": 2}.items():
        assert vaeviz("train", "mlp", *DIGITS, "--epochs", 1, "--seed", seed, "--out", tmp_path / name).code == 0
        left.append({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()})
    one, same, other = left
    assert one == same
    assert all(one[name] != other[name] for name in one)


def test_info_tells_what_a_run_holds(vaeviz, run):
    done = vaeviz("info", run)
    assert done.code == 0
    assert "mlp, samples of 8 × 8, latent_dim 2, hidden 16" in done.out
    assert "2,244 parameters" in done.out
    assert "digits" in done.out
    assert "epochs    2 of 2" in done.out
    assert f"test_elbo {read_history(run)['test_elbo'][-1]:.2f}" in done.out


def test_info_of_something_else(vaeviz, tmp_path):
    assert vaeviz("info", tmp_path).error.endswith(f": {tmp_path}: is no run folder, it has no config.json")


def test_an_existing_run_is_kept_unless_overwritten(vaeviz, out):
    train = ("train", "mlp", *DIGITS, "--hidden", "16", "--epochs", 1, "--out", out)
    assert vaeviz(*train).code == 0
    before = (out / "weights.safetensors").read_bytes()
    assert f"{out}: exists and is kept" in vaeviz(*train, "--seed", 1).error
    assert (out / "weights.safetensors").read_bytes() == before
    assert vaeviz(*train, "--seed", 1, "--overwrite").code == 0
    assert (out / "weights.safetensors").read_bytes() != before


@pytest.mark.parametrize(
    "args, message",
    [
        (("mpl", *DIGITS), "Unknown model 'mpl'. Did you mean 'mlp'?"),
        (("mlp", "--data", "digit"), "Unknown data set 'digit'. Did you mean 'digits'?"),
        (("mlp", *DIGITS, "--epochs", "zero"), "epochs = 'zero': expected int"),
        (("mlp", *DIGITS, "--epochs", "0"), "epochs = 0: expected 1 or more"),
        (("mlp", *DIGITS, "--hidden", "16,x"), "hidden = '16,x': expected int,..."),
        (("mlp", *DIGITS, "--latent-dim", "0"), "latent_dim = 0: expected 1 or more"),
        (("mlp", *DIGITS, "--likelihood", "poisson"), "expected bernoulli|gaussian|gaussian-learned"),
        (("mlp", *DIGITS, "--likelihood", "gaussian", "--std", "0"), "std = 0.0: expected more than 0"),
        (("mlp", *DIGITS, "--patience", "3"), "give a holdout as well"),
        (("mlp", *DIGITS, "--seed", "-1"), "seed = -1: expected 0 or more"),
        (("mlp", *DIGITS, "--device", "abacus"), "device 'abacus' cannot be used here"),
        (("mlp", *DIGITS, "--labels", "y"), "data set 'digits' takes no --labels"),
        (("mlp", "--data", "linear-gaussian"), "a Bernoulli likelihood takes values in [0, 1]"),
        (("conv", "--data", "waves"), "a convolutional network takes images"),
        (("mlp", "--data", "npz:nowhere.npz"), "nowhere.npz does not exist"),
    ],
)
def test_wrong_usage_is_told_and_leaves_nothing(args, message, vaeviz, out):
    done = vaeviz("train", *args, "--out", out)
    assert message in done.error
    assert done.out == ""
    assert not out.exists()


def test_wrong_usage_does_not_cost_an_existing_run(vaeviz, out):
    train = ("train", "mlp", *DIGITS, "--hidden", "16", "--epochs", 1, "--out", out)
    assert vaeviz(*train).code == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    for wrong in (("--device", "abacus"), ("--latent-dim", "0"), ("--patience", "3")):
        assert vaeviz(*train, *wrong, "--overwrite").code == 2
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


@pytest.mark.parametrize("missing", ["--data", "--out"])
def test_what_cannot_be_left_out(missing, vaeviz, out):
    given = {"--data": "digits", "--out": out}
    del given[missing]
    assert f"Missing option '{missing}'" in vaeviz("train", "mlp", *next(iter(given.items()))).error


@pytest.mark.parametrize("option, value", [("--epochs", "1"), ("--device", "cpu")])
def test_an_option_before_the_model_is_not_swallowed(option, value, vaeviz, out):
    error = vaeviz("train", option, value, "mlp", "--data", "digits", "--out", out).error
    assert f"{option} belongs behind the model: vaeviz train mlp {option} ..." in error
    assert not out.exists()


def test_a_broken_model_breaks_only_itself(python, plug_in):
    group = ["gone = absent_package:gone", "odd = odd_model:odd"]
    odd = "def odd(sample_shape, *, size: Nonsense = 1):\n    pass\n"
    plug_in("odd_models", {"vaeviz.models": group}, {"odd_model.py": "from __future__ import annotations\n" + odd})
    help_text = python("from vaeviz.cli.main import main; main(['train', '--help'])")
    told = " ".join(help_text.split())
    assert "(broken) 'gone' of odd_models could not be imported: ModuleNotFoundError" in told
    assert "(broken) 'odd' of odd_models has no readable options: odd: option 'size' is annotated 'Nonsense'" in told
    assert "The reference VAE" in help_text


def test_train_without_a_model(vaeviz):
    assert "name a model to train" in vaeviz("train").error


def test_a_long_reason_of_torch_is_cut(vaeviz, out):
    if torch.backends.mps.is_available():
        pytest.skip("this machine can compute on mps")
    error = vaeviz("train", "mlp", "--data", "digits", "--device", "mps", "--out", out).error
    assert "device 'mps' cannot be used here: " in error
    assert error.endswith("; write auto, cpu, cuda or mps")
    assert len(error) < 300


def test_missing_data_files(vaeviz, out, tmp_path):
    error = vaeviz("train", "mlp", "--data", "mnist", "--data-dir", tmp_path, "--out", out).error
    assert f"found neither train-images-idx3-ubyte.gz nor train-images-idx3-ubyte in {tmp_path}" in error
    assert not out.exists()


def test_diverging_keeps_the_last_good_epoch(vaeviz, out):
    settings = ("--likelihood", "gaussian", "--std", "1e-4", "--learning-rate", "1e6", "--epochs", "50")
    assert "training diverged" in vaeviz("train", "mlp", *DIGITS, *settings, "--out", out).error
    model, _ = open_run(out)
    assert all(p.isfinite().all() for p in model.parameters())
