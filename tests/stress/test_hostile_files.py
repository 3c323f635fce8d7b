"""Files that are made to harm: they end with exit code 2 and one line, in bounded memory, and run no code."""

from __future__ import annotations

import gzip
import io
import json
import os
import pickle
import shutil
import struct
import zipfile
import zlib
from functools import partial
from pathlib import Path

import numpy as np
import pytest

MEMORY = 1 << 30  # bytes beyond what the imports take
N_CASES = 2  # of each test, in one round
MAY_WORK = ("columns", "names beyond the folder")  # cases that are unusual but not wrong
EXPLAIN = ["explain", "--encoder", "net:encode", "--data"]
HUGE = 10**12


def npy_header(shape, dtype="<f4", version=1):
    """Return the header of an .npy file."""
    text = repr({"descr": dtype, "fortran_order": False, "shape": shape}).encode() + b"\n"
    size = struct.pack("<H" if version == 1 else "<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + size + text


def idx_header(*shape, kind=8):
    return bytes([0, 0, kind, len(shape)]) + struct.pack(f">{len(shape)}I", *shape)


def zip_file(**members):
    """Return a compressed zip archive."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return written.getvalue()


def safetensors(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def png(width, height):
    """Return a picture file that claims a size."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


class Mark:
    """An object that leaves a file where it is unpickled."""

    def __reduce__(self):
        return (Path("mark").touch, ())


ZEROS = bytes(300 << 20)
NPY_BOMB = npy_header((HUGE, 8))
DATA_FILES = {  # large files are made by functions, where they are used
    "a.npy": {
        "more values than the file": NPY_BOMB,
        "more axes than NumPy has": npy_header((1,) * 200),
        "negative shape": npy_header((-1, 8)),
        "shape beyond integers": npy_header((2**63, 2**63)),
        "brackets": npy_header(()).replace(b"()", b"(" * 8000),
        "giant header": b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**31 - 1),
        "objects": npy_header((3,), "|O") + pickle.dumps([Mark()]),
        "pickle": pickle.dumps(Mark()),
        "records": npy_header((2,), [("x", "<f4"), ("y", "<f4")]) + bytes(16),
        "texts": npy_header((2,), "<U1000000000"),
        "no values": npy_header((0, 8)),
    },
    "a.npz": {
        "bomb": lambda: zip_file(**{"x.npy": npy_header((len(ZEROS) // 32, 8)) + ZEROS}),
        "more values than the file": zip_file(**{"x.npy": NPY_BOMB}),
        "objects": zip_file(**{"x.npy": npy_header((3,), "|O") + pickle.dumps([Mark()])}),
        "names beyond the folder": zip_file(**{"../../x.npy": npy_header((2, 8)) + bytes(64)}),
        "no arrays": zip_file(),
    },
    "mnist/train-images-idx3-ubyte": {
        "more values than the file": idx_header(2**31, 2**15, 2**15),
        "size that wraps": idx_header(2**16, 2**16, 2**16, 2**16),
        "many axes": bytes([0, 0, 8, 200]) + struct.pack(">200I", *[1] * 200),
        "unknown type": idx_header(2, 8, 8, kind=99) + bytes(128),
        "no samples": idx_header(0, 8, 8),
    },
    "mnist/train-images-idx3-ubyte.gz": {
        "bomb": lambda: gzip.compress(idx_header(60_000, 28, 28) + ZEROS, compresslevel=1),
        "no end": gzip.compress(idx_header(2, 8, 8) + bytes(128))[:-9],
    },
    "a.csv": {
        "columns": lambda: ",".join(f"c{k}" for k in range(100_000)).encode() + b"\n" + b"1," * 99_999 + b"1\n",
        "one giant field": lambda: b"a,b\n" + b"1" * (64 << 20) + b",2\n",
        "NUL": b"a,b\n\0,\0\n",
        "quotes": b'a,b\n"' + b'"",' * 10_000,
        "only a header": b"a,b,c\n",
        "not UTF-8": b"a,b\n\xff\xfe,\xff\n",
    },
    "pictures/a.png": {
        "gigapixels": png(2**31 - 1, 2**31 - 1),
        "a quarter of a gigapixel": png(16_384, 16_384),
        "no picture": b"\x89PNG\r\n\x1a\n",
        "text": b"<svg onload='x'/>",
    },
}
CONFIGS = {
    "wide network": lambda config: config["model"]["options"].update(hidden=[30_000, 30_000, 30_000]),
    "wide latent": lambda config: config["model"]["options"].update(latent_dim=10**9),
    "many layers": lambda config: config["model"]["options"].update(hidden=[2] * 200_000),
    "giant samples": lambda config: config["model"].update(sample_shape=[10**6, 10**6]),
    "negative": lambda config: config["model"]["options"].update(latent_dim=-1),
    "foreign model": lambda config: config["model"].update(name="evil:Model"),
    "foreign data": lambda config: config["data"].update(name="evil:data"),
    "path as data": lambda config: config["data"].update(name="/etc/passwd"),
    "texts for numbers": lambda config: config["model"]["options"].update(hidden=["a"]),
    "list for all": lambda config: config.update(model=[], data=[], training=[]),
}
WEIGHTS = {
    "giant header": struct.pack("<Q", 2**62) + b"{}",
    "brackets": safetensors(b"[" * 1_000_000),
    "more values than the file": safetensors({"x": {"dtype": "F32", "shape": [HUGE], "data_offsets": [0, 4 * HUGE]}}),
    "overlapping tensors": safetensors(
        {name: {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]} for name in "xy"}, bytes(4)
    ),
    "negative shape": safetensors({"x": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}, bytes(4)),
    "pickle": pickle.dumps(Mark()),
    "zip": zip_file(**{"archive/data.pkl": pickle.dumps(Mark())}),
}
TOML = {
    "brackets": b"a = " + b"[" * 200_000,
    "dots": b".".join([b"a"] * 100_000) + b" = 1",
    "integer": b"[latent_scatter]\nalpha = " + b"9" * 100_000,
    "NUL": b"[latent_scatter]\nalpha = \0",
    "other types": b"latent_scatter = 3\n",
}


@pytest.fixture
def place(tmp_path, run):
    """A folder with a run, an encoder, data, and a module that must not be imported."""
    folder = tmp_path / "place"
    folder.mkdir()
    (folder / "net.py").write_text("def encode(x):\n    return x.reshape(len(x), -1)[:, :2]\n")
    (folder / "evil.py").write_text("open('mark', 'w')\n")
    np.save(folder / "x.npy", np.random.default_rng(0).random((20, 8), dtype=np.float32))
    shutil.copytree(run, folder / "run")
    return folder


@pytest.fixture
def attack(place, run_command):
    """Write a file, run a command, check that it is refused without harm, and put back what was there."""

    def run_attack(name, data, *args, may_work=False):
        path = place / name
        before = path.read_bytes() if path.exists() else None
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data() if callable(data) else data)
        done = run_command(*args, folder=place, memory=MEMORY, seconds=60)
        path.unlink() if before is None else path.write_bytes(before)
        assert done.code == 2 or (may_work and done.code == 0), f"{done.code}: {done.err[-300:]}"
        assert len(done.err.splitlines()) <= 2 + 2 * may_work, done.err[-500:]
        assert len(done.err) < 1500, done.err[:1500]
        assert not (place / "mark").exists(), "It ran code."

    return run_attack


@pytest.fixture
def try_some(try_all, rng, rounds):
    """Run some of the cases in a short test, and all in a long one."""
    return lambda cases: try_all(rng.sample(cases, min(len(cases), N_CASES * rounds)))


def test_hostile_data_are_refused(attack, try_some):
    sources = {"mnist": ["mnist", "--data-dir", "mnist"], "pictures": ["pictures"]}
    try_some(
        [
            (
                f"{name}: {case}",
                partial(
                    attack, name, data, *EXPLAIN, *sources.get(Path(name).parts[0], [name]), may_work=case in MAY_WORK
                ),
            )
            for name, cases in DATA_FILES.items()
            for case, data in cases.items()
        ]
    )


def test_a_hostile_run_is_refused(attack, try_some, run):
    cases = [
        (f"weights: {case}", partial(attack, "run/weights.safetensors", data, "explain", "run"))
        for case, data in WEIGHTS.items()
    ]
    for case, change in CONFIGS.items():
        config = json.loads((run / "config.json").read_text())
        change(config)
        data = json.dumps(config).encode()
        for command in (["explain", "run"], ["train", "--resume", "run", "--epochs", "3"]):
            cases.append((f"{command[0]}: {case}", partial(attack, "run/config.json", data, *command)))
    try_some(cases)


def torch_archive(pickled, compression=zipfile.ZIP_STORED, **records):
    """Return an archive like those of torch.save."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", compression) as archive:
        archive.writestr("archive/data.pkl", pickled)
        for name, data in records.items():
            archive.writestr(f"archive/data/{name}", data)
    return written.getvalue()


def storage_of(n_values):
    """Return a pickle of a state dict whose weight declares a storage of a number of values."""
    number = pickle.dumps(n_values, protocol=2)[2:-1]
    storage = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0wX\x03\0\0\0cpu" + number + b"tQ"
    rebuild = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"K\0" + number + b"\x85K\x01\x85\x89NtR"
    return b"\x80\x02}X\x06\0\0\0weight" + rebuild + b"s."


CHECKPOINTS = {
    "bomb": lambda: torch_archive(b"\x80\x02}.", zipfile.ZIP_DEFLATED, w=ZEROS),
    "bomb of a pickle": lambda: torch_archive(b"\x80\x02" + ZEROS, zipfile.ZIP_DEFLATED),
    "giant storage": torch_archive(storage_of(HUGE), w=bytes(16)),
    "storage beyond its record": torch_archive(storage_of(1 << 26), w=bytes(16)),
    "memory index": torch_archive(b"\x80\x02Nr\xff\xff\xff\x7f0}."),
    "giant bytes": torch_archive(b"\x80\x04\x8e" + struct.pack("<Q", HUGE) + b"."),
    "code": torch_archive(pickle.dumps({"a": Mark()}, protocol=2)),
    "code of an old file": pickle.dumps(Mark()),
}


def test_hostile_checkpoints_are_refused(attack, try_some, place):
    source = "from torch import nn\nclass VAE(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    (place / "vae.py").write_text(source + "        self.encode, self.decode = nn.Linear(8, 2), nn.Linear(2, 8)\n")
    command = ["explain", "vae:VAE", "--data", "x.npy", "--weights", "w.ckpt"]
    try_some([(case, partial(attack, "w.ckpt", data, *command)) for case, data in CHECKPOINTS.items()])


def test_hostile_settings_are_refused(attack, try_some):
    draw = ("export", "--data", "x.npy", "--encoder", "net:encode", "--plots", "latent_scatter", "--out", "out")
    try_some([(case, partial(attack, "set.toml", data, *draw, "--config", "set.toml")) for case, data in TOML.items()])


SPECIAL_FILES = {
    "pipe": os.mkfifo,
    "link to itself": lambda path: path.symlink_to(path),
    "link to nothing": lambda path: path.symlink_to("nothing"),
    "device": lambda path: path.symlink_to("/dev/zero"),
    "empty": lambda path: path.write_bytes(b""),
    "folder": os.mkdir,
}


def test_pipes_folders_and_loops_are_refused(place, run_command, try_some):
    commands = {
        "x.npy": [*EXPLAIN, "x.npy"],
        "history.csv": ["plot", "training_curves", "--history", "history.csv"],
        "run/config.json": ["explain", "run"],
        "run/weights.safetensors": ["explain", "run"],
    }

    def attempt(name, make):
        path, kept = place / name, place / "kept"
        if path.exists():
            path.rename(kept)
        make(path)
        done = run_command(*commands[name], folder=place, memory=MEMORY, seconds=30)
        path.rmdir() if path.is_dir() else path.unlink()
        if kept.exists():
            kept.rename(path)
        assert done.code == 2, f"{done.code}: {done.err[-300:]}"
        assert len(done.err.splitlines()) <= 2, done.err[-500:]

    try_some(
        [
            (f"{name}: {kind}", partial(attempt, name, SPECIAL_FILES[kind]))
            for name in commands
            for kind in SPECIAL_FILES
        ]
    )
