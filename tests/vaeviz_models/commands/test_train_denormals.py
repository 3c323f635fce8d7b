"""Numbers too small for full precision are flushed to 0 by `vaeviz train`, and by nothing else."""

import torch

from vaeviz_models import fit, mlp
from vaeviz_models.runs import train_run


def flushes():
    return (torch.tensor([1e-40]) * 1).item() == 0


def test_the_command_flushes_while_training(vaeviz, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(train_run, "_fit_and_save", lambda *args: seen.append(flushes()))
    assert vaeviz("train", "mlp", "--data", "digits", "--out", tmp_path / "run").code == 0
    assert seen == [torch.set_flush_denormal(False)]  # True where the processor can
    assert not flushes()


def test_fit_does_not_change_arithmetic(noise_images):
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
