"""Damaged files of every format: what opens them works, or says in one line what is wrong, within bounded memory."""

from __future__ import annotations

import shutil
import zipfile
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from PIL import Image

import vaeviz

N_DAMAGES = 1  # of each file, in one round
MEMORY = 1 << 30  # bytes beyond what the imports take
SOURCE = """
import torch


def encode(x):
    return x.reshape(len(x), -1)[:, :2]


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = torch.nn.Linear(8, 2)
        self.decoder = torch.nn.Linear(2, 8)

    def encode(self, x):
        return self.encoder(x)

    def decode(self, z):
        return self.decoder(z)

    def forward(self, x):
        return self.decode(self.encode(x))
"""
EXPLAIN = ["explain", "--encoder", "net:encode", "--data"]
OPEN_NET = ["explain", "net:Net", "--data", "x.npy", "--weights"]
CURVES = ["plot", "training_curves", "--out", "curves.png", "--dpi", "30", "--history"]
DRAW = ["export", "--data", "x.npy", "--encoder", "net:encode", "--plots", "latent_scatter", "--dpi", "30", "--out"]
COMMANDS = {
    "x.npz": [*EXPLAIN, "x.npz"],
    "x.npy": [*EXPLAIN, "x.npy"],
    "table.csv": [*EXPLAIN, "table.csv"],
    "table.parquet": [*EXPLAIN, "table.parquet"],
    "cells.h5ad": [*EXPLAIN, "cells.h5ad"],
    "pictures/a/0.png": [*EXPLAIN, "pictures"],
    "pictures/b/1.png": [*EXPLAIN, "pictures"],
    "photos/0.jpg": [*EXPLAIN, "photos"],
    "mnist/t10k-images-idx3-ubyte": [*EXPLAIN, "mnist", "--data-dir", "mnist", "--split", "test"],
    "mnist/t10k-labels-idx1-ubyte.gz": [*EXPLAIN, "mnist", "--data-dir", "mnist", "--split", "test"],
    "labels.npy": [*EXPLAIN, "x.npy", "--labels", "labels.npy"],
    "weights.pt": [*OPEN_NET, "weights.pt"],
    "weights.safetensors": [*OPEN_NET, "weights.safetensors"],
    "script.pt": ["explain", "script.pt", "--trust", "--data", "x.npy"],
    "program.pt2": ["explain", "program.pt2", "--trust", "--data", "x.npy"],
    "encoder.onnx": ["explain", "--encoder", "encoder.onnx", "--data", "x.npy"],
    "model.keras": ["explain", "--encoder", "model.keras", "--data", "x.npy"],
    "history.csv": [*CURVES, "history.csv"],
    "settings.toml": [*DRAW, "figures", "--config", "settings.toml"],
    "figures/manifest.json": [*DRAW, "figures"],
    "figures/timings.json": [*DRAW, "figures"],
    "run/config.json": ["explain", "run"],
    "run/weights.safetensors": ["explain", "run"],
    "run/history.csv": [*CURVES, "run"],
    "run/checkpoint.safetensors": ["train", "--resume", "run", "--epochs", "3"],
    "codes.npz": ["plot", "latent_scatter", "--data", "codes.npz", "--codes", "--out", "codes.png", "--dpi", "30"],
}

COMMON = ("x.npz", "table.csv", "pictures/a/0.png", "weights.pt", "run/config.json", "run/checkpoint.safetensors")
"""The files that `make test` damages."""


def flip(rng, data):
    """Change one to eight bytes."""
    changed = bytearray(data)
    for place in rng.choices(range(len(data)), k=rng.randint(1, 8)):
        changed[place] = rng.randrange(256)
    return bytes(changed)


def cut(rng, data):
    return data[: rng.randrange(len(data))]


def remove(rng, data):
    start = rng.randrange(len(data))
    return data[:start] + data[start + rng.randint(1, 64) :]


def insert(rng, data):
    start = rng.randrange(len(data) + 1)
    return data[:start] + rng.randbytes(rng.randint(1, 64)) + data[start:]


def fill(rng, data):
    """Overwrite a part of the file with one byte."""
    start, size = rng.randrange(len(data)), rng.randint(1, 512)
    return data[:start] + bytes([rng.choice((0, 255, 32, 57))]) * len(data[start : start + size]) + data[start + size :]


def damage_header(rng, data):
    """Change bytes among the first, where formats have their sizes."""
    n_bytes = min(len(data), 256)
    return flip(rng, data[:n_bytes]) + data[n_bytes:]


def change_number(rng, data):
    """Replace a digit by a number or a word that a reader may not expect."""
    digits = [place for place, byte in enumerate(data[:4096]) if chr(byte).isdigit()]
    if not digits:
        return flip(rng, data)
    words = (b"-1", b"99999999999999999999", b"1e999", b"NaN", b"null", b'"x"', b"[[[[", b"true", b"{}", b"\xff", b"")
    place = rng.choice(digits)
    return data[:place] + rng.choice(words) + data[place + 1 :]


DAMAGES = (flip, cut, remove, insert, fill, damage_header, change_number)


def make_idx(array):
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes() + array.astype(np.uint8).tobytes()


@pytest.fixture(scope="module")
def whole_files(run, tmp_path_factory):
    """A folder with an undamaged file of each format."""
    import gzip

    folder = tmp_path_factory.mktemp("whole")
    rng = np.random.default_rng(0)
    x, labels = rng.random((20, 8), dtype=np.float32), np.arange(20) % 3
    (folder / "net.py").write_text(SOURCE)
    np.savez_compressed(folder / "x.npz", x=x, y=labels)
    np.savez_compressed(folder / "codes.npz", mean=x[:, :2], std=x[:, 2:4])
    np.save(folder / "x.npy", x)
    np.save(folder / "labels.npy", labels)
    names = [f"column {k}" for k in range(8)]
    rows = [",".join([*names, "class"]), *(",".join([*map(str, row), f"c{k % 3}"]) for k, row in enumerate(x))]
    (folder / "table.csv").write_text("\n".join(rows) + "\n")
    for name in ("pictures/a/0.png", "pictures/b/1.png", "photos/0.jpg", "photos/1.jpg"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (16, 16, 3), np.uint8)).save(folder / name)
    (folder / "mnist").mkdir()
    (folder / "mnist" / "t10k-images-idx3-ubyte").write_bytes(make_idx(rng.integers(0, 255, (20, 8, 8))))
    (folder / "mnist" / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(make_idx(labels)))
    _write_models(folder)
    (folder / "history.csv").write_text("epoch,train_loss,test_loss\n1,3.5,3.6\n2,3.1,3.4\n3,2.9,3.3\n")
    (folder / "settings.toml").write_text("[latent_scatter]\ndims = [0, 1]\nalpha = 0.5\nseed = 3\n")
    shutil.copytree(run, folder / "run")
    vaeviz.export_figures(folder / "figures", encoder=lambda x: x[:, :2], x=x, plots=["latent_scatter"], dpi=30)
    _write_tables(folder, x, names)
    return folder


def _write_models(folder):
    """Write weights and models of the formats of torch, and of the libraries that are installed."""
    from safetensors.torch import save_file

    scope = {}
    exec(SOURCE, scope)
    net, x = scope["Net"]().eval(), torch.rand(20, 8)
    torch.save(net.state_dict(), folder / "weights.pt")
    save_file(net.state_dict(), folder / "weights.safetensors")
    torch.jit.trace(net.encoder, x).save(folder / "script.pt")
    torch.export.save(torch.export.export(net.encoder, (x,)), folder / "program.pt2")
    if find_spec("onnxscript") and find_spec("onnxruntime"):
        torch.onnx.export(net.encoder, (x,), folder / "encoder.onnx", dynamo=False)
    if find_spec("keras"):
        import keras

        keras.Sequential([keras.Input((8,)), keras.layers.Dense(2)]).save(folder / "model.keras")


def _write_tables(folder, x, names):
    """Write tables of the formats whose libraries are installed."""
    import pandas as pd

    if find_spec("pyarrow"):
        pd.DataFrame(x, columns=names).to_parquet(folder / "table.parquet")
    if find_spec("anndata"):
        import anndata

        anndata.AnnData(x).write_h5ad(folder / "cells.h5ad")


FAILED = {"explain": "\n  problem ", "export": "✗", "analyze": "✗"}  # what a command prints if it ends with code 1


def check(done, command):
    """Check that a command worked, or explained in one short line or in its table why it did not."""
    assert done.code in (0, 1, 2), f"exit code {done.code}: {done.err[-500:]}"
    assert "Traceback" not in done.err + done.out and "--traceback" not in done.err, done.err[-500:]
    if done.code == 1:
        assert FAILED.get(command, "no such code") in done.out, (done.out + done.err)[-500:]
    if done.code == 2:
        lines = done.err.strip().splitlines()
        assert lines and lines[-1].startswith("Error: "), done.err[-500:]
        assert len(lines) <= 4 and max(map(len, lines)) < 1500, done.err[:2000]
    assert not set("\0\x1b\x07") & set(done.err), "The terminal gets control characters."


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in COMMON else [pytest.mark.slow]) for name in COMMANDS]
)
def test_a_damaged_file_is_opened_or_explained(name, whole_files, tmp_path, run_command, try_all, rng, rounds):
    if not (whole_files / name).exists():
        pytest.skip("a library is not installed")
    data = (whole_files / name).read_bytes()

    def attempt(damaged, place):
        shutil.copytree(whole_files, place)
        (place / name).write_bytes(damaged)
        done = run_command(*COMMANDS[name], folder=place, memory=MEMORY)
        check(done, COMMANDS[name][0])
        shutil.rmtree(place)

    def attempts():
        if rounds > 1:
            yield "undamaged", lambda: attempt(data, tmp_path / "0")
        for k in range(1, N_DAMAGES * rounds + 1):
            damage = rng.choice(DAMAGES)
            damaged = damage(rng, data)
            if zipfile.is_zipfile(whole_files / name) and rng.random() < 0.7:
                damaged = _damage_member(rng, whole_files / name, damage)
            yield f"{damage.__name__} {k}", lambda damaged=damaged, k=k: attempt(damaged, tmp_path / str(k))

    try_all(attempts())


def _damage_member(rng, path, damage):
    """Return a zip archive in which one file is damaged, with the checksum of the damaged file."""
    import io

    written = io.BytesIO()
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(written, "w") as archive:
        members = [entry for entry in whole.infolist() if entry.file_size]
        victim = rng.choice(members).filename
        for entry in whole.infolist():
            data = whole.read(entry)
            archive.writestr(entry.filename, damage(rng, data) if entry.filename == victim else data)
    return written.getvalue()
