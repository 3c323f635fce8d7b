"""Numbers too small for full precision are flushed to 0 by `vaeviz train`, and by nothing else."""

import torch

from vaeviz_models import fit, mlp
from vaeviz_models.commands import train


def flushes():
    return (torch.tensor([1e-40]) * 1).item() == 0


def test_the_command_flushes_while_it_trains(vaeviz, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(train, "train_run", lambda *args, **settings: seen.append(flushes()))
    vaeviz("train", "mlp", "--data", "digits", "--out", tmp_path / "run")
    assert seen == [torch.set_flush_denormal(False)]  # True where the processor can
    assert not flushes()


def test_fit_leaves_arithmetic_as_it_is(noise_images):
    seen = []
    fit(
        mlp((5, 4), hidden=(4,)),
        noise_images,
        epochs=1,
        device="cpu",
        progress=False,
        after_epoch=lambda state: seen.append(flushes()),
    )
    assert seen == [False]
