"""The files of a run: written as a whole, readable without pickle, and checked when they are read."""

import csv
import errno
import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from vaeviz import encode
from vaeviz.errors import InputError
from vaeviz.model.opening import open as open_model
from vaeviz_models import (
    VAE,
    Bernoulli,
    DenseDecoder,
    DenseEncoder,
    TrainState,
    conv,
    fit,
    mlp,
    open_run,
    register_model,
    save_run,
    seeded,
)
from vaeviz_models.runs.checkpoint import load_checkpoint, save_checkpoint
from vaeviz_models.runs.folder import FORMAT, MAX_CONFIG_BYTES, read_config, read_history, start_run, write_files

FILES = {"config.json", "weights.safetensors", "history.csv", "checkpoint.safetensors"}


@pytest.fixture
def own_run(run, tmp_path):
    """A copy of the small run, to damage."""
    return shutil.copytree(run, tmp_path / "run")


def names_in(folder):
    return {path.name for path in folder.iterdir()}


def change_config(run, change):
    config = json.loads((run / "config.json").read_text())
    change(config)
    (run / "config.json").write_text(json.dumps(config))


def test_the_files_of_a_run(run):
    assert names_in(run) == FILES


def test_no_file_is_a_pickle(run):
    """`torch.save` writes a zip archive with a pickle in it; a bare pickle starts with its protocol."""
    for path in run.iterdir():
        assert not path.read_bytes().startswith((b"PK", b"\x80"))
    json.loads((run / "config.json").read_text())
    load_file(run / "weights.safetensors")
    load_file(run / "checkpoint.safetensors")


def test_the_config_describes_model_data_and_training(run):
    config = read_config(run)
    assert config["model"]["name"] == "mlp"
    assert config["model"]["sample_shape"] == [8, 8]
    assert config["model"]["options"]["hidden"] == [16]
    assert config["data"]["name"] == "digits"
    assert config["training"]["epochs"] == 2
    assert config["training"]["batch_size"] == 128
    assert config["training"]["seed"] == 0


def test_the_config_of_an_older_run_is_read(own_run):
    def rename(config):
        config["training"]["binarise"] = config["training"].pop("binarize")
        for name in ("precision", "schedule", "epsilon"):
            del config["training"][name]

    before = load_checkpoint(own_run)[1]
    change_config(own_run, rename)
    assert load_checkpoint(own_run)[1] == before


def test_the_history_reads_back_exactly(run):
    state = load_checkpoint(run)[0]
    assert read_history(run) == state.history
    assert len(state.history["test_elbo"]) == 2


def test_the_history_is_a_plain_table(run):
    with (run / "history.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header[:2] == ["epoch", "beta"]
    assert [float(row[0]) for row in rows] == [1, 2]
    assert all(len(row) == len(header) for row in rows)


def test_an_opened_run_has_the_trained_weights(run):
    model, config = open_run(run)
    state = load_checkpoint(run, device="cpu")[0]
    assert not model.training
    assert model.latent_dim == config["model"]["options"]["latent_dim"] == 2
    x = torch.rand(3, 8, 8)
    with torch.no_grad():
        assert torch.equal(model.encode(x)[0], state.model.encode(x)[0])


def test_a_saved_state_continues_as_the_one_in_memory(own_run):
    x = np.random.default_rng(0).random((50, 8, 8), dtype=np.float32)
    for state in (states := [load_checkpoint(own_run, device="cpu")[0] for _ in range(2)]):
        state.history.clear()  # it has no validation columns
        fit(state.model, x, epochs=4, holdout=0.2, patience=9, resume=state, progress=False)
    save_checkpoint(own_run, states[0])
    states[0] = load_checkpoint(own_run)[0]
    for state in states:
        fit(state.model, x, epochs=6, holdout=0.2, patience=9, resume=state, progress=False)
    one, other = (state.model.state_dict().values() for state in states)
    assert all(torch.equal(a, b) for a, b in zip(one, other))
    assert states[0].history == states[1].history


def test_weights_are_of_the_best_epoch_and_the_checkpoint_has_the_last(own_run):
    x = np.random.default_rng(0).random((50, 8, 8), dtype=np.float32)
    state = load_checkpoint(own_run, device="cpu")[0]
    state.history.clear()  # it has no validation columns
    settings = {"holdout": 0.2, "patience": 3, "epochs": 500}
    fit(
        state.model,
        x,
        resume=state,
        after_epoch=lambda state: save_checkpoint(own_run, state),
        progress=False,
        **settings,
    )
    assert state.epoch == state.best_epoch + 3
    model, resumed = open_run(own_run)[0], load_checkpoint(own_run)[0]
    assert (resumed.epoch, resumed.best_epoch) == (state.epoch, state.best_epoch)
    for name in state.best:
        assert torch.equal(model.state_dict()[name], state.best[name])
        assert torch.equal(resumed.model.state_dict()[name], state.last[name])


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def full_disk(monkeypatch):
    """Let a number of files be written, then no more."""

    def fill(n_files):
        def write_half(path, content, write=Path.write_bytes):
            nonlocal n_files
            n_files -= 1
            write(path, content if n_files >= 0 else b"half a file")
            if n_files < 0:
                raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(Path, "write_bytes", write_half)

    return fill


@pytest.mark.parametrize("n_files", [0, 1, 2])
def test_a_full_disk_keeps_the_files(n_files, own_run, full_disk):
    before = contents(own_run)
    state = load_checkpoint(own_run)[0]
    state.epoch = 99
    full_disk(n_files)
    with pytest.raises(InputError, match="No space left") as error:
        save_checkpoint(own_run, state)
    assert error.value.got == str(own_run)
    assert contents(own_run) == before


@pytest.mark.parametrize("n_files", [0, 1, 2])
def test_a_full_disk_keeps_the_run_to_overwrite(n_files, own_run, full_disk, vaeviz):
    before = contents(own_run)
    full_disk(n_files)
    done = vaeviz("train", "mlp", "--data", "digits", "--epochs", 1, "--out", own_run, "--overwrite")
    assert "No space left" in done.error
    assert contents(own_run) == before


@pytest.mark.processes
def test_a_limit_on_file_sizes_is_an_error(own_run):
    """The limit is set in a process of its own, with -B, since Python would leave truncated byte code."""
    before = contents(own_run)
    code = (
        "import resource; from vaeviz.cli.main import main; resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000)); "
        f"main(['train', 'mlp', '--data', 'digits', '--epochs', '1', '--out', {str(own_run)!r}, '--overwrite'])"
    )
    done = subprocess.run([sys.executable, "-B", "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert str(own_run) in done.stderr
    assert contents(own_run) == before


def test_a_folder_that_is_deleted_midway_is_an_error(vaeviz, tmp_path, monkeypatch):
    run = tmp_path / "run"
    monkeypatch.setattr(
        "vaeviz_models.runs.train_run.fit",
        lambda model, *args, after_epoch, resume, **kwargs: (shutil.rmtree(run), after_epoch(resume)),
    )
    assert str(run) in vaeviz("train", "mlp", "--data", "digits", "--epochs", 1, "--out", run).error


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_of_another_user_is_an_error(own_run, vaeviz):
    own_run.chmod(0o500)
    try:
        error = vaeviz("train", "--resume", own_run, "--epochs", 3).error
    finally:
        own_run.chmod(0o700)
    assert str(own_run) in error


@pytest.mark.parametrize("name", [300 * "a", "a\0b"], ids=["long", "NUL"])
def test_a_name_that_cannot_be_used_is_an_error(name, tmp_path):
    for start in (lambda run: start_run(run, {}), lambda run: save_run(run, mlp((5, 4)))):
        with pytest.raises(InputError) as error:
            start(tmp_path / name)
        assert error.value.got == str(tmp_path / name)
    assert not any(tmp_path.iterdir())


def test_files_are_named_in_order(tmp_path, monkeypatch):
    named = []
    monkeypatch.setattr(os, "replace", lambda old, new, replace=os.replace: (named.append(new.name), replace(old, new)))
    write_files(tmp_path, {"one": b"", "two": b"", "three": b""})
    assert named == ["one", "two", "three"]


@pytest.mark.parametrize("file", ["weights.safetensors", "checkpoint.safetensors"])
@pytest.mark.parametrize("share", [0, 0.001, 0.5, 0.99])
def test_truncated_tensors_are_an_error(file, share, own_run):
    content = (own_run / file).read_bytes()
    (own_run / file).write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError) as error:
        open_run(own_run) if file.startswith("weights") else load_checkpoint(own_run)
    assert str(own_run / file) in str(error.value)


@pytest.mark.parametrize("file", ["weights.safetensors", "checkpoint.safetensors"])
def test_missing_tensors_are_an_error(file, own_run):
    (own_run / file).unlink()
    with pytest.raises(InputError) as error:
        open_run(own_run) if file.startswith("weights") else load_checkpoint(own_run)
    assert error.value.got == str(own_run / file)


def test_weights_of_another_model_are_an_error(own_run):
    save_file(mlp((8, 8), hidden=(17,)).state_dict(), own_run / "weights.safetensors")
    with pytest.raises(InputError, match="size mismatch"):
        open_run(own_run)


def test_a_checkpoint_of_another_model_is_an_error(own_run):
    other = TrainState.start(seeded(mlp, (8, 8), hidden=(17,), seed=0), device="cpu")
    save_checkpoint(own_run, other)
    with pytest.raises(InputError, match=r"checkpoint.safetensors.*size mismatch"):
        load_checkpoint(own_run)


def test_a_checkpoint_without_its_header_is_an_error(own_run):
    path = own_run / "checkpoint.safetensors"
    save_file(load_file(path), path, metadata={"training": '{"device": "cpu"}'})
    with pytest.raises(InputError, match=r"checkpoint.safetensors.*'epoch'"):
        load_checkpoint(own_run)


def test_a_checkpoint_continues_only_on_its_own_device(own_run):
    path = own_run / "checkpoint.safetensors"
    save_file(load_file(path), path, metadata={"training": '{"device": "abacus"}'})
    with pytest.raises(InputError) as error:
        load_checkpoint(own_run)
    assert error.value.got == "abacus"
    with pytest.raises(InputError) as error:
        load_checkpoint(own_run, device="cpu")
    assert (error.value.got, error.value.expected) == ("cpu", "abacus")
    assert error.value.fix.command_line == "Resume it with --device abacus."


@pytest.mark.parametrize(
    "content, token",
    [
        ('{"format": ', "Expecting value"),
        ("\xff\xfe", "decode"),
        ("[]", FORMAT),
        ('{"format": "vaeviz_models run 0"}', FORMAT),
        (f'{{"format": "{FORMAT}", "data": {{}}}}', "model and data and training"),
    ],
)
def test_a_damaged_config_is_an_error(content, token, own_run):
    path = own_run / "config.json"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(InputError) as error:
        open_run(own_run)
    assert str(path) in str(error.value)
    assert token in str(error.value)


@pytest.mark.parametrize(
    "change, token",
    [
        (lambda config: config["model"].pop("sample_shape"), "'sample_shape'"),
        (lambda config: config["model"].update(sample_shape=8), "sample_shape"),
        (lambda config: config["model"].update(name="mpl"), "'mlp'"),
        (lambda config: config["model"]["options"].update(laten_dim=3), "'laten_dim'"),
        (lambda config: config["model"]["options"].update(latent_dim="two"), "'two'"),
        (lambda config: config["model"]["options"].update(latent_dim=0), "latent_dim"),
    ],
)
def test_a_config_that_describes_no_model_is_an_error(change, token, own_run):
    change_config(own_run, change)
    for read in (open_run, load_checkpoint):
        with pytest.raises(InputError) as error:
            read(own_run)
        assert str(own_run / "config.json") in str(error.value)
        assert token in str(error.value)


def hidden_of(size):
    return lambda config: config["model"]["options"].update(hidden=size)


@pytest.mark.parametrize(
    "change",
    [
        hidden_of([30_000, 30_000]),
        hidden_of([10**9]),
        hidden_of([10**18]),
        hidden_of([1] * 100_000),
        hidden_of([-1]),
        lambda config: config["model"]["options"].update(latent_dim=10**12),
        lambda config: config["model"].update(sample_shape=[10**6, 10**6]),
        lambda config: config["model"].update(sample_shape=[2**62, 2**62]),
        lambda config: config["model"].update(sample_shape=["8", "8"]),
        lambda config: config["model"].update(sample_shape=[8.0, 8.0]),
        lambda config: config["model"].update(sample_shape=[-8, -8]),
        lambda config: config["model"].update(name=["mlp"]),
        lambda config: config.update(model=[]),
        lambda config: config["data"].update(name=["digits"]),
        lambda config: config["data"].update(data_dir=3),
    ],
)
def test_a_config_of_a_stranger_takes_no_memory(change, own_run):
    """A model of these sizes would take gigabytes, so the test itself fails where one is built."""
    change_config(own_run, change)
    for read in (open_run, load_checkpoint):
        with pytest.raises(InputError) as error:
            read(own_run)
        assert str(own_run) in str(error.value)


@pytest.mark.parametrize(
    "content",
    [b"[" * 200_000, b'{"a":' * 100_000, b" " * (MAX_CONFIG_BYTES + 1), b"1" * 10_000, b"\xff\xfe"],
    ids=["brackets", "objects", "too large", "a large number", "not text"],
)
def test_a_config_that_is_no_json_object_is_an_error(content, own_run, vaeviz):
    (own_run / "config.json").write_bytes(content)
    assert str(own_run / "config.json") in vaeviz("info", own_run).error


@pytest.mark.parametrize("name", ["config.json", "weights.safetensors", "checkpoint.safetensors"])
def test_a_pipe_in_place_of_a_file_is_not_read(name, own_run, vaeviz):
    (own_run / name).unlink()
    os.mkfifo(own_run / name)
    command = ("train", "--resume") if name.startswith("checkpoint") else ("info",)
    assert str(own_run) in vaeviz(*command, own_run).error


def test_a_history_that_is_a_pipe_is_not_read(own_run):
    (own_run / "history.csv").unlink()
    os.mkfifo(own_run / "history.csv")
    with pytest.raises(InputError, match=r"history\.csv"):
        read_history(own_run)


def test_weights_that_are_larger_than_their_model_are_not_read(own_run):
    with (own_run / "weights.safetensors").open("r+b") as file:
        file.truncate(10**12)  # a file of zeros that takes no space
    with pytest.raises(InputError, match=r"weights\.safetensors"):
        open_run(own_run)


def test_a_model_that_needs_its_values_to_be_built_is_opened(registered, tmp_path):
    def scaled(sample_shape, *, latent_dim: int = 1) -> VAE:
        model = VAE(*(kind(sample_shape, latent_dim, ()) for kind in (DenseEncoder, DenseDecoder)), Bernoulli(), 1)
        assert model.decoder.out.weight.abs().max().item() > 0
        return model

    save_run(tmp_path / "run", register_model(scaled)((5, 4)))
    assert open_run(tmp_path / "run")[0].latent_dim == 1


@pytest.mark.parametrize(
    "header",
    [
        "[]",
        "3",
        '{"epoch": 1, "best_epoch": 0, "history": []}',
        '{"epoch": 1, "best_epoch": 0, "history": {"epoch": [null]}}',
    ],
)
def test_a_damaged_header_is_an_error(header, own_run):
    path = own_run / "checkpoint.safetensors"
    save_file(load_file(path), path, metadata={"training": header})
    with pytest.raises(InputError, match=r"checkpoint\.safetensors"):
        load_checkpoint(own_run)


def test_another_folder_is_an_error(tmp_path):
    with pytest.raises(InputError, match=r"config.json") as error:
        open_run(tmp_path)
    assert error.value.got == str(tmp_path)


@pytest.mark.parametrize("content", ["epoch,beta\n1,2\n3\n", "epoch\none\n", "\xff"], ids=repr)
def test_a_damaged_history_is_an_error(content, own_run):
    path = own_run / "history.csv"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(InputError) as error:
        read_history(own_run)
    assert str(path) in str(error.value)


def test_a_missing_history_is_an_error(own_run):
    (own_run / "history.csv").unlink()
    with pytest.raises(InputError) as error:
        read_history(own_run)
    assert error.value.got == str(own_run / "history.csv")


def test_a_run_without_a_finished_epoch_is_opened_with_a_warning(own_run):
    (own_run / "history.csv").unlink()
    with pytest.warns(UserWarning, match="initial weights"):
        open_model(own_run)


def test_an_existing_run_is_kept(own_run):
    before = {path.name: path.read_bytes() for path in own_run.iterdir()}
    with pytest.raises(InputError) as error:
        start_run(own_run, {})
    assert error.value.got == str(own_run)
    assert "overwrite=True" in error.value.fix.python
    assert f"vaeviz train --resume {own_run}" in error.value.fix.command_line
    assert {path.name: path.read_bytes() for path in own_run.iterdir()} == before


def test_overwriting_removes_the_old_run_and_nothing_else(own_run):
    (own_run / "notes.txt").write_text("keep me")
    start_run(own_run, {"config.json": b"{}"}, overwrite=True)
    assert names_in(own_run) == {"config.json", "notes.txt"}


def test_a_file_in_place_of_the_folder_is_an_error(tmp_path):
    (tmp_path / "run").write_text("")
    with pytest.raises(InputError) as error:
        start_run(tmp_path / "run", {})
    assert error.value.expected == "a folder"


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="Not a directory"):
        start_run(tmp_path / "file" / "run", {})


def test_a_config_without_data_is_an_error_of_every_command(own_run, vaeviz):
    change_config(own_run, lambda config: config.update(data={}))
    for command in (
        ("export", own_run, "--out", own_run / "figures"),
        ("train", "--resume", own_run),
        ("info", own_run),
    ):
        error = vaeviz(*command).error
        assert str(own_run / "config.json") in error
        assert "data" in error


def test_all_files_have_the_same_permissions(run):
    umask_allows = stat.S_IMODE((run / "config.json").stat().st_mode)
    assert {stat.S_IMODE(path.stat().st_mode) for path in run.iterdir()} == {umask_allows}


def test_equal_states_are_saved_as_equal_bytes(own_run):
    state = load_checkpoint(own_run)[0]
    contents = set()
    for _ in range(5):
        save_checkpoint(own_run, state)
        contents.add((own_run / "checkpoint.safetensors").read_bytes())
    assert len(contents) == 1


@pytest.fixture
def fitted(noise_images):
    model = mlp((5, 4), hidden=[16], latent_dim=np.int64(3))
    return model, fit(model, noise_images, noise_images, epochs=2, device="cpu", progress=False)


def test_a_model_trained_in_a_script_is_saved_in_one_call(fitted, noise_images, tmp_path):
    run = tmp_path / "runs" / "mine"
    model, history = fitted
    save_run(run, model, history)
    assert names_in(run) == FILES - {"checkpoint.safetensors"}
    opened = open_model(run)
    np.testing.assert_array_equal(encode(opened.encoder, noise_images).mean, encode(model, noise_images).mean)
    assert opened.inputs["history"] == history
    assert opened.data is None


def test_a_saved_model_names_its_data(tmp_path, vaeviz):
    save_run(tmp_path, seeded(conv, (8, 8), seed=0), data="digits")
    assert names_in(tmp_path) == {"config.json", "weights.safetensors"}
    assert open_model(tmp_path).data == {"name": "digits", "data_dir": None, "labels": None}
    done = vaeviz("info", tmp_path)
    assert "data      name digits\ntraining  in a script\nepochs    0\n" in done.out


def test_saving_keeps_global_random_state_and_an_existing_run(fitted, own_run):
    before = torch.get_rng_state().tolist()
    with pytest.raises(InputError, match="overwrite=True"):
        save_run(own_run, *fitted)
    save_run(own_run, *fitted, overwrite=True)
    assert names_in(own_run) == FILES - {"checkpoint.safetensors"}
    assert torch.get_rng_state().tolist() == before


def test_a_custom_model_is_saved_if_its_builder_is_registered(registered, tmp_path):
    def shallow(sample_shape, *, latent_dim: int = 1) -> VAE:
        parts = (kind(sample_shape, latent_dim, ()) for kind in (DenseEncoder, DenseDecoder))
        return VAE(*parts, Bernoulli(), latent_dim)

    with pytest.raises(InputError, match=r"@vaeviz_models\.register_model"):
        save_run(tmp_path / "run", shallow((5, 4)))
    assert not (tmp_path / "run").exists()
    save_run(tmp_path / "run", register_model(shallow)((5, 4), latent_dim=4))
    assert open_run(tmp_path / "run")[0].latent_dim == 4


@pytest.mark.parametrize(
    "wrap", [torch.compile, torch.nn.DataParallel, torch.optim.swa_utils.AveragedModel], ids=lambda wrap: wrap.__name__
)
def test_a_wrapped_model_is_saved_as_what_it_wraps(wrap, fitted, noise_images, tmp_path):
    model, history = fitted
    save_run(tmp_path / "run", wrap(model), history)
    opened = open_model(tmp_path / "run")
    np.testing.assert_array_equal(encode(opened.encoder, noise_images).mean, encode(model, noise_images).mean)


def test_a_model_that_was_changed_after_it_was_built_is_an_error(tmp_path):
    model = mlp((5, 4))
    model.decoder = DenseDecoder((5, 4), 2, (7,))
    with pytest.raises(InputError, match="size mismatch"):
        save_run(tmp_path / "run", model)
    assert not (tmp_path / "run").exists()
