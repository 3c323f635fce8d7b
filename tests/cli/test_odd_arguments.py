"""Arguments that nothing can have are wrong usage: exit code 2 and one line, without control characters."""

from __future__ import annotations

import os

import numpy as np
import pytest

LONG, NUL, ESCAPE = "n" * 300, "a\0b", "a\x1b[31m"
DRAW = ["plot", "latent_scatter"]
CASES = {
    "MODEL": [*DRAW, "{odd}", "--data", "digits"],
    "data": [*DRAW, "--encoder", "odd_model:encode", "--data", "{odd}"],
    "data file": [*DRAW, "--encoder", "odd_model:encode", "--data", "{odd}.csv"],
    "data folder": [*DRAW, "--data", "mnist", "--data-dir", "{odd}"],
    "labels": [*DRAW, "--data", "x.npy", "--labels", "{odd}.npy"],
    "factors": [*DRAW, "--data", "digits", "--factors", "{odd}.npy"],
    "history": [*DRAW, "--data", "digits", "--history", "{odd}"],
    "runs": [*DRAW, "--data", "digits", "--runs", "{odd}"],
    "weights": [*DRAW, "odd_model:encode", "--weights", "{odd}"],
    "script": [*DRAW, "--data", "digits", "--with", "{odd}.py"],
    "input": [*DRAW, "--data", "digits", "--input", "{odd}"],
    "config": ["export", "--data", "digits", "--out", "out", "--config", "{odd}"],
    "plots": ["export", "--data", "digits", "--out", "out", "--plots", "{odd}"],
    "style": ["export", "--data", "digits", "--out", "out", "--style", "{odd}"],
    "format": ["export", "--data", "digits", "--out", "out", "--format", "{odd}"],
    "settings": ["export", "--data", "digits", "--out", "out", "--set", "{odd}"],
    "checks": ["analyze", "--data", "digits", "--checks", "{odd}"],
    "run": ["info", "{odd}"],
    "resumed run": ["train", "--resume", "{odd}"],
    "training data": ["train", "mlp", "--data", "{odd}", "--out", "out"],
    "network": ["train", "{odd}"],
    "plot": ["plot", "{odd}"],
    "command": ["{odd}"],
    "option": ["list", "--{odd}"],
}


@pytest.mark.parametrize("odd", [LONG, NUL, ESCAPE], ids=["long", "NUL", "escape"])
@pytest.mark.parametrize("args", CASES.values(), ids=CASES)
def test_an_odd_argument_is_one_line(args, odd, run_main, make_module):
    folder = make_module("odd_model", "def encode(x): return x.reshape(len(x), -1)[:, :2]")
    np.save(folder / "x.npy", np.zeros((3, 2)))
    before = set(os.listdir(folder))
    done = run_main(*(arg.replace("{odd}", odd) for arg in args))
    assert (done.code, done.err.count("\n")) == (2, 1), done.err
    assert not {"\0", "\x1b"} & set(done.err)
    assert set(os.listdir(folder)) - before <= {"__pycache__"}
