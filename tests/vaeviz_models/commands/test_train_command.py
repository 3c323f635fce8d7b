import re

import numpy as np
import pytest
import torch

from vaeviz_models import open_run
from vaeviz_models.runs.folder import read_config, read_history

DIGITS = ("--data", "digits", "--device", "cpu")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "run"


def test_train_writes_a_run_and_prints_how_to_draw_it(vaeviz, out):
    done = vaeviz("train", "mlp", *DIGITS, "--hidden", "16,8", "--epochs", 2, "--out", out)
    assert done.code == 0
    assert done.err == ""
    first, second, last = done.out.splitlines()
    assert first.startswith("epoch 1/2  train ELBO −")
    assert second.startswith("epoch 2/2  train ELBO −")
    assert f"vaeviz export {out} --out figures/run" in last
    assert open_run(out)[0].latent_dim == 2


def test_printed_scores_are_those_of_the_history(vaeviz, out):
    done = vaeviz("train", "mlp", *DIGITS, "--hidden", "16", "--epochs", 1, "--holdout", "0.1", "--out", out)
    last = {name: values[-1] for name, values in read_history(out).items()}
    for part in ("train", "validation", "test"):
        terms = f"({last[f'{part}_log_likelihood']:.2f} - {last[f'{part}_kl']:.2f})"
        assert f"{part} ELBO {last[f'{part}_elbo']:.2f} {terms}" in done.out.replace("−", "-")


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
        "threads": "auto",
    }


def test_ten_epochs_are_the_default(vaeviz):
    help_text = " ".join(vaeviz("train", "mlp", "--help").out.split())
    assert re.search(r"--epochs INT [^\[]*\[default: 10\]", help_text)


@pytest.mark.parametrize("model", ["conv", "autoencoder", "conv-autoencoder"])
def test_every_registered_model_trains(model, vaeviz, out):
    assert vaeviz("train", model, *DIGITS, "--epochs", 1, "--latent-dim", 3, "--out", out).code == 0
    assert open_run(out)[0].latent_dim == 3


def test_a_model_of_a_plugin_trains_and_opens(vaeviz, out, registered):
    from vaeviz_models import VAE, DenseDecoder, DenseEncoder, Gaussian

    def shallow(sample_shape, *, latent_dim: int = 1) -> VAE:
        """Build a VAE of a plugin."""
        return VAE(
            DenseEncoder(sample_shape, latent_dim, ()),
            DenseDecoder(sample_shape, latent_dim, ()),
            Gaussian(),
            latent_dim,
        )

    registered.add("vaeviz.models", "shallow", shallow)
    assert "Build a VAE of a plugin." in vaeviz("train", "--help").out
    assert vaeviz("train", "shallow", *DIGITS, "--latent-dim", 4, "--epochs", 1, "--out", out).code == 0
    assert open_run(out)[0].latent_dim == 4


def test_data_without_splits_are_used_for_training_only(vaeviz, out, tmp_path):
    np.savez(tmp_path / "own.npz", x=np.random.default_rng(0).random((40, 6)))
    done = vaeviz("train", "mlp", "--data", f"npz:{tmp_path / 'own.npz'}", "--epochs", 1, "--out", out)
    assert done.code == 0
    assert "train_elbo" in read_history(out)
    assert "test_elbo" not in read_history(out)


def test_info_tells_the_threads_of_the_steps(vaeviz, out):
    train = ("train", "mlp", *DIGITS, "--hidden", "16", "--batch-size", 1000, "--epochs", 1, "--threads", 2)
    assert vaeviz(*train, "--out", out).code == 0
    assert read_config(out)["training"]["threads"] == 2
    assert "threads   2 in 2 steps\n" in vaeviz("info", out).out
    assert torch.get_num_threads() == 1


def test_the_same_seed_writes_the_same_bytes(vaeviz, tmp_path):
    runs = []
    for name, seed in {"one": 1, "same": 1, "other": 2}.items():
        assert vaeviz("train", "mlp", *DIGITS, "--epochs", 1, "--seed", seed, "--out", tmp_path / name).code == 0
        runs.append({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()})
    one, same, other = runs
    assert one == same
    assert all(one[name] != other[name] for name in one)


def test_info_describes_a_run(vaeviz, run):
    done = vaeviz("info", run)
    assert done.code == 0
    assert "mlp, samples of 8 × 8, latent_dim 2, hidden 16" in done.out
    assert "2,244 parameters" in done.out
    assert "digits" in done.out
    assert "epochs    2 of 2" in done.out
    assert f"test_elbo {read_history(run)['test_elbo'][-1]:.2f}" in done.out


def test_info_of_another_folder_is_an_error(vaeviz, tmp_path):
    error = vaeviz("info", tmp_path).error
    assert str(tmp_path) in error
    assert "config.json" in error


def test_an_existing_run_is_kept_unless_overwritten(vaeviz, out):
    train = ("train", "mlp", *DIGITS, "--hidden", "16", "--epochs", 1, "--out", out)
    assert vaeviz(*train).code == 0
    before = (out / "weights.safetensors").read_bytes()
    error = vaeviz(*train, "--seed", 1).error
    assert str(out) in error
    assert "overwrite" in error
    assert (out / "weights.safetensors").read_bytes() == before
    assert vaeviz(*train, "--seed", 1, "--overwrite").code == 0
    assert (out / "weights.safetensors").read_bytes() != before


@pytest.mark.parametrize(
    "args, tokens",
    [
        (("mpl", *DIGITS), ["'mpl'", "'mlp'"]),
        (("mlp", "--data", "digit"), ["'digit'", "'digits'"]),
        (("mlp", *DIGITS, "--epochs", "zero"), ["epochs", "zero", "int"]),
        (("mlp", *DIGITS, "--epochs", "0"), ["epochs", "0"]),
        (("mlp", *DIGITS, "--hidden", "16,x"), ["hidden", "16,x", "int"]),
        (("mlp", *DIGITS, "--latent-dim", "0"), ["latent_dim", "0"]),
        (("mlp", *DIGITS, "--likelihood", "poisson"), ["likelihood", "poisson", "gaussian-learned"]),
        (("mlp", *DIGITS, "--likelihood", "gaussian", "--std", "0"), ["std", "0.0"]),
        (("mlp", *DIGITS, "--patience", "3"), ["patience", "3", "holdout"]),
        (("mlp", *DIGITS, "--seed", "-1"), ["seed", "-1"]),
        (("mlp", *DIGITS, "--device", "abacus"), ["'abacus'", "cuda"]),
        (("mlp", *DIGITS, "--labels", "y"), ["digits", "labels"]),
        (("mlp", "--data", "linear-gaussian"), ["Bernoulli", "[0, 1]"]),
        (("conv", "--data", "waves"), ["(H, W)"]),
        (("mlp", "--data", "npz:nowhere.npz"), ["nowhere.npz"]),
    ],
)
def test_wrong_usage_is_an_error_and_writes_nothing(args, tokens, vaeviz, out):
    done = vaeviz("train", *args, "--out", out)
    for token in tokens:
        assert token in done.error
    assert done.out == ""
    assert not out.exists()


def test_wrong_usage_keeps_an_existing_run(vaeviz, out):
    train = ("train", "mlp", *DIGITS, "--hidden", "16", "--epochs", 1, "--out", out)
    assert vaeviz(*train).code == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    for wrong in (("--device", "abacus"), ("--latent-dim", "0"), ("--patience", "3")):
        assert vaeviz(*train, *wrong, "--overwrite").code == 2
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


@pytest.mark.parametrize("missing", ["--data", "--out"])
def test_a_missing_required_option_is_an_error(missing, vaeviz, out):
    given = {"--data": "digits", "--out": out}
    del given[missing]
    assert missing in vaeviz("train", "mlp", *next(iter(given.items()))).error


@pytest.mark.parametrize("option, value", [("--epochs", "1"), ("--patience", "3"), ("--device", "cpu")])
def test_an_option_before_the_model_is_an_error(option, value, vaeviz, out):
    error = vaeviz("train", option, value, "mlp", "--data", "digits", "--out", out).error
    assert f"vaeviz train mlp {option} ..." in error
    assert not out.exists()


def test_a_broken_model_breaks_only_itself(python, plug_in):
    group = ["gone = absent_package:gone", "odd = odd_model:odd"]
    odd = "def odd(sample_shape, *, size: Nonsense = 1):\n    pass\n"
    plug_in("odd_models", {"vaeviz.models": group}, {"odd_model.py": "from __future__ import annotations\n" + odd})
    help_text = python("from vaeviz.cli.main import main; main(['train', '--help'])")
    lines = " ".join(help_text.split())
    assert lines.count("(broken)") == 2
    assert "absent_package" in lines
    assert "Nonsense" in lines
    assert "'Nonsense'" in lines
    assert "the reference VAE" in lines


def test_train_needs_a_model(vaeviz):
    assert "--resume RUN" in vaeviz("train").error


def test_a_long_message_of_torch_is_shortened(vaeviz, out):
    if torch.backends.mps.is_available():
        pytest.skip("this machine can compute on mps")
    error = vaeviz("train", "mlp", "--data", "digits", "--device", "mps", "--out", out).error
    assert "'mps'" in error
    assert len(error) < 350


def test_missing_data_files_are_an_error(vaeviz, out, tmp_path):
    error = vaeviz("train", "mlp", "--data", "mnist", "--data-dir", tmp_path, "--out", out).error
    assert "train-images-idx3-ubyte" in error
    assert str(tmp_path) in error
    assert not out.exists()


def test_diverging_keeps_the_last_good_epoch(vaeviz, out):
    settings = ("--likelihood", "gaussian", "--std", "1e-4", "--learning-rate", "1e6", "--epochs", "50")
    error = vaeviz("train", "mlp", *DIGITS, *settings, "--out", out).error
    assert "--learning-rate 500000" in error
    model, _ = open_run(out)
    assert all(p.isfinite().all() for p in model.parameters())
