"""``vaeviz animate``: runs that kept their epochs, models on their own, and wrong options."""

import pytest
from PIL import Image

from vaeviz.cli.main import main
from vaeviz_models.runs.train_run import train_run
from vaeviz_models.training.config import TrainConfig


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A run of one epoch that kept it, and the weights before."""
    run = tmp_path_factory.mktemp("runs") / "kept"
    config = TrainConfig(epochs=1, device="cpu")
    train_run("mlp", "digits", run, model_options={"hidden": (16,)}, config=config, keep_epochs=True)
    return run


def test_the_epochs_of_a_run_are_frames(kept, invoke, tmp_path):
    done = invoke("animate", kept, "--out", tmp_path / "latent.gif", "--dpi", 40, "--max-samples", 50)
    assert done.exit_code == 0, done.output
    assert Image.open(tmp_path / "latent.gif").n_frames == 2
    assert "epoch 0 to epoch 1" in done.output
    assert "Procrustes" in done.output


def test_the_codes_of_its_last_model_move_in_a_loop(kept, invoke, tmp_path):
    out = tmp_path / "walk.png"
    arguments = ("--plot", "samples", "--set", "n_frames=3", "--set", "n_samples=4", "--dpi", 40, "--out", out)
    assert invoke("animate", kept, *arguments).exit_code == 0
    assert Image.open(out).n_frames == 3


def test_a_loop_can_be_drawn_over_the_epochs(kept, invoke, tmp_path):
    arguments = ("--plot", "samples", "--over", "models", "--set", "n_samples=4", "--dpi", 40)
    assert invoke("animate", kept, *arguments, "--out", tmp_path / "samples.webp").exit_code == 0
    assert Image.open(tmp_path / "samples.webp").n_frames == 2


@pytest.mark.parametrize(
    ("arguments", "token"),
    [
        (("--plot", "latent_scater"), "latent_scatter"),
        (("--out", "latent.avi"), ".gif"),
        (("--set", "alpha"), "OPTION=VALUE"),
        (("--set", "colour=red"), "colour"),
        (("--over", "codes"), "traversal"),
        (("--fps", "0"), "--fps"),
        (("--returns", "mean"), "--returns"),
    ],
)
def test_wrong_options_are_errors(kept, arguments, token, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        main(["animate", str(kept), *arguments])
    assert stopped.value.code == 2
    assert token in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_run_without_epochs_names_the_option_that_keeps_them(tmp_path, capsys):
    run = tmp_path / "plain"
    config = TrainConfig(epochs=1, device="cpu")
    train_run("mlp", "digits", run, model_options={"hidden": (8,)}, config=config)
    with pytest.raises(SystemExit) as stopped:
        main(["animate", str(run), "--out", str(tmp_path / "latent.gif")])
    assert stopped.value.code == 2
    message = capsys.readouterr().err
    assert f"{run} kept no epochs" in message
    assert "--keep-epochs" in message


def test_a_run_that_does_not_exist_is_an_error(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["animate", str(tmp_path / "nothing"), "--out", str(tmp_path / "latent.gif")])
    assert stopped.value.code == 2
    assert "does not exist" in capsys.readouterr().err


def test_no_model_is_an_error(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["animate"])
    assert stopped.value.code == 2
    assert "MODEL" in capsys.readouterr().err
