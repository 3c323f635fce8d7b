"""The weights of each epoch: what is kept, and how it opens."""

import numpy as np
import pytest
import torch

import vaeviz
from vaeviz.errors import InputError
from vaeviz_models.runs.folder import open_run
from vaeviz_models.runs.train_run import train_run
from vaeviz_models.training.config import TrainConfig


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A run of two epochs that kept them."""
    run = tmp_path_factory.mktemp("runs") / "kept"
    config = TrainConfig(epochs=2, device="cpu")
    train_run("mlp", "digits", run, model_options={"hidden": (16,)}, config=config, keep_epochs=True)
    return run


def test_each_epoch_opens_with_its_own_weights(kept):
    files = sorted((kept / "epochs").iterdir())
    assert [path.name for path in files] == ["000000.safetensors", "000001.safetensors", "000002.safetensors"]
    x = vaeviz.load_data("digits").x[:5]
    means = [vaeviz.encode(vaeviz.open(path).encoder, x).mean for path in files]
    final = vaeviz.encode(open_run(kept)[0].encode, x).mean
    np.testing.assert_array_equal(means[2], final)
    assert not np.allclose(means[0], means[1])
    assert vaeviz.open(files[1]).name == "epoch 1"


def test_a_damaged_epoch_is_an_error(kept, tmp_path):
    import shutil

    run = shutil.copytree(kept, tmp_path / "copy")
    path = run / "epochs" / "000001.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError):
        vaeviz.open(path)


def test_weights_elsewhere_are_not_taken_for_an_epoch(tmp_path):
    from safetensors.torch import save_file

    path = tmp_path / "000001.safetensors"
    save_file({"weight": torch.zeros(2)}, path)
    with pytest.raises(InputError):
        vaeviz.open(path)
