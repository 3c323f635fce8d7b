"""Doctored files: each leaves a mark if its code runs, and none does without trust."""

import io
import json
import pickle
import zipfile

import numpy as np
import pytest

import vaeviz
from vaeviz.errors import InputError
from vaeviz.model.opening import open_with_adapter
from vaeviz.model.weights.load import load_weights

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

TRUST = "vaeviz.open(path, trust=True)"


def rewritten(source, target, change):
    """Copy a zip file in which `change(name, data)` gives each member's new bytes."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return target


def torch_pickle(value):
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


class Writes(nn.Module):
    """A module whose TorchScript writes a file when it runs."""

    def __init__(self, path: str):
        super().__init__()
        self.path = path

    def forward(self, x):
        torch.save(x, self.path)
        return x


def pt2_with_a_pickle(folder, path, leaves):
    exported = torch.export.export(nn.Linear(2, 64), (torch.zeros(4, 2),))
    torch.export.save(exported, folder / "sound.pt2")
    return rewritten(
        folder / "sound.pt2",
        folder / "model.pt2",
        lambda name, data: torch_pickle(leaves) if "sample_inputs/model.pt" in name else data,
    )


def pt2_with_an_expression(folder, path, leaves):
    dynamic = ({0: torch.export.Dim("n")},)
    exported = torch.export.export(nn.Linear(2, 64), (torch.zeros(4, 2),), dynamic_shapes=dynamic)
    torch.export.save(exported, folder / "sound.pt2")
    code = f"__import__('builtins').open({str(path)!r}, 'w')"

    def change(name, data):
        if not name.endswith("models/model.json"):
            return data
        return json.dumps(
            json.loads(data, object_hook=lambda part: part | {"expr_str": code} if "expr_str" in part else part)
        )

    return rewritten(folder / "sound.pt2", folder / "model.pt2", change)


def torch_script_that_writes(folder, path, leaves):
    torch.jit.script(Writes(str(path))).save(folder / "model.pt")
    return folder / "model.pt"


def torch_script_with_a_pickle(folder, path, leaves):
    torch.jit.script(nn.Linear(2, 2)).save(folder / "sound.pt")
    return rewritten(
        folder / "sound.pt",
        folder / "model.pt",
        lambda name, data: pickle.dumps(leaves, protocol=2) if name.endswith("constants.pkl") else data,
    )


def pickle_of_torch(folder, path, leaves):
    (folder / "model.pt").write_bytes(torch_pickle(leaves))
    return folder / "model.pt"


def bare_pickle(folder, path, leaves):
    (folder / "model.pth").write_bytes(pickle.dumps(leaves))
    return folder / "model.pth"


def diffusers_folder(folder, path, leaves):
    (folder / "config.json").write_text(json.dumps({"_class_name": "AutoencoderKL"}))
    (folder / "diffusion_pytorch_model.bin").write_bytes(torch_pickle(leaves))
    return folder


def pythae_folder(folder, path, leaves):
    (folder / "model_config.json").write_text(json.dumps({"name": "VAEConfig", "uses_default_encoder": False}))
    (folder / "model.pt").write_bytes(torch_pickle({"model_state_dict": {}}))
    (folder / "encoder.pkl").write_bytes(pickle.dumps(leaves))
    return folder


def pythae_weights(folder, path, leaves):
    (folder / "model_config.json").write_text(json.dumps({"name": "VAEConfig"}))
    (folder / "model.pt").write_bytes(torch_pickle({"model_state_dict": leaves}))
    return folder


def keras_file(folder, config):
    with zipfile.ZipFile(folder / "model.keras", "w") as archive:
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("metadata.json", "{}")
        archive.writestr("model.weights.h5", b"")
    return folder / "model.keras"


def keras_lambda(folder, path, leaves):
    return keras_file(folder, {"module": "keras.layers", "class_name": "Lambda", "config": {"function": "..."}})


def keras_wrapped_module(folder, path, leaves):
    return keras_file(folder, {"module": "keras.layers", "class_name": "TorchModuleWrapper", "config": {}})


def keras_foreign_module(folder, path, leaves):
    (folder / "leaves_a_mark.py").write_text(f"open({str(path)!r}, 'w')\nclass Dense: pass\n")
    return keras_file(folder, {"module": "leaves_a_mark", "class_name": "Dense", "config": {}})


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    "make",
    [
        pt2_with_a_pickle,
        pt2_with_an_expression,
        torch_script_that_writes,
        torch_script_with_a_pickle,
        pickle_of_torch,
        bare_pickle,
        diffusers_folder,
        pythae_folder,
        pythae_weights,
        keras_lambda,
        keras_wrapped_module,
        keras_foreign_module,
    ],
)
def test_a_file_that_can_run_code_needs_trust_and_leaves_no_mark(make, mark, tmp_path, monkeypatch):
    path, leaves = mark
    monkeypatch.syspath_prepend(tmp_path)
    folder = tmp_path / "model"
    folder.mkdir()
    doctored = make(folder, path, leaves)
    path.unlink(missing_ok=True)
    with pytest.raises(InputError) as caught:
        vaeviz.encode(doctored, np.zeros((2, 2), np.float32))
    assert TRUST in caught.value.fix.python
    assert "--trust" in caught.value.for_command_line()
    assert not path.exists()


def test_a_program_that_is_trusted_is_opened(tmp_path):
    exported = torch.export.export(nn.Linear(2, 64).eval(), (torch.zeros(4, 2),))
    torch.export.save(exported, tmp_path / "model.pt2")
    assert vaeviz.open(tmp_path / "model.pt2", trust=True).decoder is not None


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_torchscript_that_is_trusted_is_opened(tmp_path):
    torch.jit.script(nn.Sequential(nn.Flatten(), nn.Linear(4, 2))).save(tmp_path / "model.pt")
    encoder = open_with_adapter(tmp_path / "model.pt", trust=True)[1].encoder  # an encoder or a decoder, says `open`
    assert vaeviz.encode(encoder, np.ones((3, 4), np.float32)).size == 2


def test_a_state_dict_as_a_model_names_the_way_to_load_it(tmp_path):
    torch.save(nn.Linear(2, 2).state_dict(), tmp_path / "weights.pt")
    with pytest.raises(InputError) as caught:
        vaeviz.open(tmp_path / "weights.pt")
    assert "--weights" in caught.value.for_command_line()


def test_weights_that_run_code_are_refused(mark, tmp_path):
    path, leaves = mark
    (tmp_path / "weights.pt").write_bytes(torch_pickle({"weight": leaves}))
    with pytest.raises(InputError) as caught:
        load_weights(nn.Linear(2, 2), tmp_path / "weights.pt")
    assert "state_dict" in caught.value.fix.python
    assert not path.exists()


def test_safetensors_need_no_trust(tmp_path):
    from safetensors.torch import save_file

    module = nn.Linear(2, 2)
    save_file(module.state_dict(), tmp_path / "weights.safetensors")
    loaded = load_weights(nn.Linear(2, 2), tmp_path / "weights.safetensors")
    assert torch.equal(loaded.weight, module.weight)


def test_a_keras_file_with_an_unknown_class_names_it(tmp_path):
    keras = pytest.importorskip("keras")
    x = keras.Input((2,))

    @keras.saving.register_keras_serializable(package="gone")
    class Known(keras.layers.Layer):
        def call(self, inputs):
            return inputs

    keras.Model(x, Known()(x)).save(tmp_path / "model.keras")
    keras.saving.get_custom_objects().pop("gone>Known")
    with pytest.raises(InputError) as caught:
        vaeviz.open(tmp_path / "model.keras")
    assert caught.value.got == "gone>Known"


def test_a_real_keras_lambda_leaves_no_mark(mark, tmp_path):
    keras = pytest.importorskip("keras")
    path, _ = mark
    x = keras.Input((2,))
    code = eval(f"lambda t: (open({str(path)!r}, 'w'), t)[1]")
    keras.Model(x, keras.layers.Lambda(code, output_shape=(2,))(x)).save(tmp_path / "model.keras")
    path.unlink(missing_ok=True)
    with pytest.raises(InputError) as caught:
        vaeviz.open(tmp_path / "model.keras")
    assert TRUST in caught.value.fix.python
    assert not path.exists()


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_arrays_of_objects_are_refused(suffix, mark, tmp_path):
    path, leaves = mark
    array = np.array([leaves, leaves], dtype=object)
    if suffix == ".npy":
        np.save(tmp_path / "data.npy", array, allow_pickle=True)
    else:
        np.savez(tmp_path / "data.npz", x=array)
    path.unlink(missing_ok=True)
    with pytest.raises(InputError):
        vaeviz.load_data(str(tmp_path / f"data{suffix}"))
    assert not path.exists()
