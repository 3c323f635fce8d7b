"""Weights in the files of other programs are loaded into a model, or an error lists what does not fit."""

import argparse
import json
import warnings
from collections import defaultdict
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import vaeviz
from vaeviz.errors import GuessWarning, InputError
from vaeviz.model.weights.load import load_weights
from vaeviz.model.weights.names import WeightMismatch


class OwnDict(dict):
    """A dictionary of a class that files name."""


class Opaque:
    """An object of a class that files name."""

    def __init__(self):
        self.values = [1, 2]
        self.callback = print


HYPER_PARAMETERS = {
    "Namespace": argparse.Namespace(lr=1e-3, callback=len),
    "own class": Opaque(),
    "own dictionary": OwnDict(lr=1e-3, nested=OwnDict(a=[Opaque()])),
    "default dictionary": defaultdict(list, a=[1]),
    "a class": Opaque,
    "a set with objects": {Opaque(), 3},
    "NumPy": {"mean": np.arange(3.0), "seed": np.int64(3)},
    "simple namespace": SimpleNamespace(a=1),
    "keys that are objects": {Opaque(): 1},
}


@pytest.mark.parametrize("protocol", [2, 4, 5])
@pytest.mark.parametrize("extra", HYPER_PARAMETERS.values(), ids=HYPER_PARAMETERS)
def test_weights_are_found_beside_objects_of_any_class(extra, protocol, vae_class, trained, saved, check_same):
    path = saved({"hyper_parameters": extra, "state_dict": trained.state_dict()}, pickle_protocol=protocol)
    with warnings.catch_warnings():
        warnings.simplefilter("error", GuessWarning)
        check_same(load_weights(vae_class, path), trained)


WRAPPED = {
    "bare": lambda state: state,
    "state_dict": lambda state: {"state_dict": state},
    "model": lambda state: {"model": state, "optimizer": {"state": {0: {"exp_avg": torch.ones(3)}}}},
    "model_state_dict": lambda state: {"model_state_dict": state},
    "own dictionary": lambda state: OwnDict(model=state),
    "optimal_model": lambda state: {"optimal_model": state, "optim": {"state": {0: {"exp_avg": torch.ones(3)}}}},
    "a tuple": lambda state: (state, {"step": 3}),
    "module.": lambda state: {f"module.{name}": value for name, value in state.items()},
    "vae.": lambda state: {"state_dict": {f"vae.{name}": value for name, value in state.items()}},
    "_orig_mod.": lambda state: {f"model._orig_mod.{name}": value for name, value in state.items()},
    "ema": lambda state: {"model": {name: value + 1.0 for name, value in state.items()}, "ema": state},
}


@pytest.mark.filterwarnings("ignore::vaeviz.GuessWarning")
@pytest.mark.parametrize("wrap", WRAPPED.values(), ids=WRAPPED)
def test_weights_are_found_in_the_usual_containers(wrap, vae_class, trained, saved, check_same):
    check_same(load_weights(vae_class, saved(wrap(trained.state_dict()))), trained)


def test_tensors_of_types_without_a_storage_class_are_read(vae_class, trained, saved, check_same):
    state = trained.state_dict() | {"codes": torch.tensor([1, 2, 3], dtype=torch.uint16)}
    with pytest.warns(UserWarning, match="codes"):
        check_same(load_weights(vae_class, saved(state), strict=False), trained)


def test_a_module_that_was_pickled_whole_gives_its_weights(vae_class, trained, saved, check_same):
    check_same(load_weights(vae_class, saved(trained)), trained)


def test_a_checkpoint_with_a_whole_module_gives_its_weights(vae_class, trained, saved, check_same):
    with pytest.warns(GuessWarning, match=r"net\."):
        check_same(load_weights(vae_class, saved({"net": trained, "epoch": 3})), trained)


def test_a_prefix_can_be_chosen(vae_class, trained, saved, check_same):
    state = trained.state_dict()
    path = saved({"ema": {name: value + 1.0 for name, value in state.items()}, "model": state})
    with pytest.warns(GuessWarning) as caught:
        load_weights(vae_class, path)
    assert 'prefix="model."' in caught[0].message.fix.python
    assert "--weights-prefix" in caught[0].message.for_command_line()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_same(load_weights(vae_class, path, prefix="model."), trained)


def test_hyper_parameters_are_the_arguments_of_the_class(vae_class, saved, check_same):
    wide = vae_class(latent_dim=5)
    settings = {"latent_dim": 5, "lr": 1e-3, "unknown": Opaque()}
    check_same(load_weights(vae_class, saved({"hyper_parameters": settings, "state_dict": wide.state_dict()})), wide)


def test_an_argument_that_is_an_object_is_named_since_its_default_is_taken(trained, saved):
    class Activated(type(trained)):
        def __init__(self, latent_dim=2, activation=torch.tanh):
            super().__init__(latent_dim)

    path = saved({"hyper_parameters": {"activation": nn.ReLU(), "lr": Opaque()}, "state_dict": trained.state_dict()})
    with pytest.warns(GuessWarning, match="default activation,") as caught:
        load_weights(Activated, path)
    assert "Activated(activation=...)" in caught[0].message.fix.python
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_weights(partial(Activated, activation=torch.relu), path)


def test_arguments_in_config_json_may_be_nested(tmp_path, trained):
    class Nested(type(trained)):
        def __init__(self, blocks):
            super().__init__(blocks[0][0][0]["latent_dim"])

    save_file(trained.state_dict(), tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps({"blocks": [[[{"latent_dim": 2}]]]}))
    load_weights(Nested, tmp_path)


def test_extra_state_that_is_not_a_tensor_is_named(trained, saved):
    class Scaled(type(trained)):
        scale = 1.0

        def get_extra_state(self):
            return {"scale": self.scale}

        def set_extra_state(self, state):
            self.scale = state["scale"]

    with pytest.warns(UserWarning, match="_extra_state of Scaled keeps its initial value"):
        load_weights(Scaled, saved(Scaled().state_dict()))


def test_parts_with_state_dicts_of_their_own_are_one_model(vae_class, trained, saved, check_same):
    parts = {name: part.state_dict() for name, part in trained.named_children()}
    optimizer = torch.optim.Adam(trained.parameters())
    trained.decode(torch.ones(2, 2)).sum().backward()
    optimizer.step()
    check_same(load_weights(vae_class, saved({**parts, "optimizer": optimizer.state_dict()})), trained)


def test_a_partial_function_makes_the_model(vae_class, saved, check_same):
    wide = vae_class(latent_dim=5)
    check_same(load_weights(partial(vae_class, latent_dim=5), saved(wide.state_dict())), wide)


def test_an_argument_that_no_file_records_is_named(trained, saved):
    class NeedsSize(nn.Module):
        def __init__(self, hidden_size):
            super().__init__()

    with pytest.raises(InputError) as error:
        load_weights(NeedsSize, saved(trained.state_dict()))
    assert error.value.expected == "hidden_size"
    assert "hidden_size=..." in error.value.fix.python


def test_what_does_not_fit_is_listed(vae_class, saved):
    state = vae_class(latent_dim=5).state_dict()
    state["enc.0.weight"] = state.pop("encoder.0.weight")
    with pytest.raises(WeightMismatch) as error:
        load_weights(vae_class, saved(state))
    differences = error.value.differences
    assert differences.missing == ("encoder.0.weight",)
    assert differences.unexpected == ("enc.0.weight",)
    assert differences.nearest == {"encoder.0.weight": "enc.0.weight"}
    assert differences.wrong_shape["mean.weight"] == ((5, 8), (2, 8))
    assert "strict=False" in error.value.fix.python
    assert "--partial-weights" in error.value.for_command_line()


def test_partial_weights_are_loaded_and_the_rest_is_named(vae_class, trained, saved):
    state = trained.state_dict()
    del state["decoder.bias"]
    torch.manual_seed(2)
    with pytest.warns(UserWarning, match=r"decoder\.bias"):
        loaded = load_weights(vae_class, saved(state), strict=False)
    assert torch.equal(loaded.mean.weight, trained.mean.weight)
    assert not torch.equal(loaded.decoder.bias, trained.decoder.bias)
    assert not loaded.training


@pytest.mark.parametrize("strict", [True, False])
def test_weights_of_another_architecture_are_an_error(strict, vae_class, saved):
    path = saved(nn.Linear(3, 3).state_dict())
    with pytest.raises(WeightMismatch) as error:
        load_weights(vae_class, path, strict=strict)
    assert error.value.differences.unexpected == ("weight", "bias")


def test_a_counter_of_batch_normalization_may_be_missing(vae_class, trained, saved):
    state = {name: value for name, value in trained.state_dict().items() if "num_batches" not in name}
    load_weights(vae_class, saved(state))


def test_tied_weights_may_be_saved_once(saved):
    def tied():
        module = nn.ModuleDict({"a": nn.Linear(3, 3, bias=False), "b": nn.Linear(3, 3, bias=False)})
        module["b"].weight = module["a"].weight
        return module

    expected = tied()
    loaded = load_weights(tied, saved({"a.weight": expected["a"].weight}))
    assert torch.equal(loaded["b"].weight, expected["a"].weight)


@pytest.mark.parametrize("options", [{}, {"_use_new_zipfile_serialization": False}], ids=["zip", "before 1.6"])
def test_old_and_new_files_of_torch_are_read(options, vae_class, trained, saved, check_same):
    check_same(load_weights(vae_class, saved(trained.state_dict(), **options)), trained)


def write_shards(folder, state, names):
    """Write tensors into two files and an index."""
    for k, name in enumerate(names):
        save_file(dict(list(state.items())[k::2]), folder / name)
    places = {key: names[k % 2] for k, key in enumerate(state)}
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": places}))
    return index


@pytest.mark.parametrize("as_folder", [True, False])
def test_sharded_safetensors_are_read(as_folder, vae_class, trained, tmp_path, check_same):
    index = write_shards(tmp_path, trained.state_dict(), ["model-1.safetensors", "model-2.safetensors"])
    check_same(load_weights(vae_class, tmp_path if as_folder else index), trained)


@pytest.mark.parametrize("name", ["../outside.safetensors", "/etc/passwd", "missing.safetensors"])
def test_shards_in_other_folders_are_refused(name, vae_class, trained, tmp_path):
    folder = tmp_path / "inside"
    folder.mkdir()
    save_file(trained.state_dict(), tmp_path / "outside.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": name}}))
    with pytest.raises(InputError) as error:
        load_weights(vae_class, folder)
    assert error.value.got == name


def test_a_folder_with_a_config_makes_its_class(vae_class, tmp_path, check_same):
    wide = vae_class(latent_dim=5)
    save_file(wide.state_dict(), tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps({"latent_dim": 5, "architectures": ["Foreign"]}))
    check_same(load_weights(vae_class, tmp_path), wide)


BAD = {
    "missing.pt": None,
    "empty.pt": b"",
    "text.pt": b"weights",
    "cut.safetensors": b"\x08\0\0\0\0\0\0\0{}",
    "model.safetensors.index.json": b'{"weight_map": 3}',
    "weights.index.json": b"[" * 5000,
}


@pytest.mark.parametrize("name", BAD)
def test_files_that_are_cut_or_foreign_are_errors(name, vae_class, tmp_path):
    if BAD[name] is not None:
        (tmp_path / name).write_bytes(BAD[name])
    with pytest.raises(InputError) as error:
        load_weights(vae_class, tmp_path / name)
    assert error.value.got


def test_a_cut_checkpoint_is_an_error(vae_class, trained, saved):
    path = saved(trained.state_dict())
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputError):
        load_weights(vae_class, path)


def test_weights_that_changed_on_disk_are_reported(vae_class, trained, saved):
    path = saved(trained.state_dict())
    content = bytearray(path.read_bytes())
    place = content.index(trained.mean.weight.detach().numpy().tobytes())
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.warns(UserWarning, match="checksum"):
        load_weights(vae_class, path)


def test_a_folder_with_several_files_needs_a_name(vae_class, trained, saved, tmp_path):
    saved(trained.state_dict(), "a.ckpt")
    load_weights(vae_class, tmp_path)
    saved(trained.state_dict(), "b.ckpt")
    with pytest.raises(InputError) as error:
        load_weights(vae_class, tmp_path)
    assert error.value.got == "a.ckpt, b.ckpt"


def test_loaded_models_are_drawn(vae_class, trained, saved):
    model = vaeviz.load_weights(vae_class, saved({"state_dict": trained.state_dict()}))
    x = np.random.default_rng(0).random((20, 6), dtype=np.float32)
    np.testing.assert_allclose(vaeviz.encode(model, x).mean, vaeviz.encode(trained, x).mean)


@pytest.mark.adapters
def test_a_real_lightning_checkpoint_is_opened(vae_class, tmp_path, check_same):
    lightning = pytest.importorskip("lightning")

    class Lit(lightning.LightningModule):
        def __init__(self, config, latent_dim=2):
            super().__init__()
            self.save_hyperparameters()
            self.vae = vae_class(latent_dim)

        def training_step(self, batch, index):
            return self.vae.decode(self.vae.encode(batch)[0]).square().mean()

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters())

    quiet = dict(logger=False, enable_progress_bar=False, enable_model_summary=False, enable_checkpointing=False)
    trainer = lightning.Trainer(max_epochs=1, accelerator="cpu", default_root_dir=tmp_path, **quiet)
    module = Lit(argparse.Namespace(lr=1.0, callback=len), latent_dim=5)
    trainer.fit(module, torch.utils.data.DataLoader(torch.rand(8, 6), batch_size=4))
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    with pytest.warns(GuessWarning, match=r"state_dict\.vae\."):
        check_same(load_weights(vae_class, tmp_path / "last.ckpt"), module.vae)


@pytest.mark.adapters
def test_a_real_configuration_of_omegaconf_is_skipped(vae_class, trained, saved, check_same):
    omegaconf = pytest.importorskip("omegaconf")
    settings = omegaconf.OmegaConf.create({"model": {"latent_dim": 2, "sizes": [1, 2]}})
    check_same(
        load_weights(vae_class, saved({"hyper_parameters": settings, "state_dict": trained.state_dict()})), trained
    )


@pytest.mark.adapters
def test_a_folder_of_the_hub_mixin_is_opened(tmp_path, check_same):
    hub = pytest.importorskip("huggingface_hub")

    class HubVAE(nn.Module, hub.PyTorchModelHubMixin):
        def __init__(self, hidden: int, latent_dim: int = 2):
            super().__init__()
            self.net = nn.Linear(hidden, latent_dim)

    expected = HubVAE(7, latent_dim=3)
    expected.save_pretrained(tmp_path)
    check_same(load_weights(HubVAE, tmp_path), expected)


@pytest.mark.adapters
def test_a_folder_of_diffusers_is_opened(tmp_path, check_same):
    diffusers = pytest.importorskip("diffusers")
    blocks = {"down_block_types": ("DownEncoderBlock2D",), "up_block_types": ("UpDecoderBlock2D",)}
    expected = diffusers.AutoencoderKL(**blocks, block_out_channels=(8,), norm_num_groups=4, latent_channels=2)
    expected.save_pretrained(tmp_path)
    check_same(load_weights(diffusers.AutoencoderKL, tmp_path), expected)


@pytest.mark.adapters
def test_a_folder_of_transformers_is_opened(tmp_path, check_same):
    transformers = pytest.importorskip("transformers")
    config = transformers.ViTMAEConfig(
        hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8, image_size=16, patch_size=8,
        decoder_hidden_size=8, decoder_num_hidden_layers=1, decoder_num_attention_heads=2, decoder_intermediate_size=8,
    )  # fmt: skip
    expected = transformers.ViTMAEForPreTraining(config)
    expected.save_pretrained(tmp_path)
    check_same(load_weights(transformers.ViTMAEForPreTraining, tmp_path), expected)
    (tmp_path / "model.safetensors").unlink()
    expected.save_pretrained(tmp_path, max_shard_size="2KB")
    assert (tmp_path / "model.safetensors.index.json").exists()
    check_same(load_weights(transformers.ViTMAEForPreTraining, tmp_path), expected)
    settings = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "config.json").write_text(json.dumps(settings))
    save_file({"other": torch.zeros(1)}, tmp_path / "other" / "model.safetensors", {"format": "pt"})
    with pytest.raises(WeightMismatch):
        load_weights(transformers.ViTMAEForPreTraining, tmp_path / "other", strict=False)
    (tmp_path / "config.json").write_text(json.dumps(settings | {"attn_implementation": "someone/kernel"}))
    check_same(load_weights(transformers.ViTMAEForPreTraining, tmp_path), expected)
