"""How vaeviz opens our models and run folders: through the same door as a stranger's."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from vaeviz.errors import InputError
from vaeviz.model import Decoder, Encoder, Model


def vaeviz_models(model: Any) -> Model | None:
    """A VAE or plain autoencoder of this package, or the folder of a run that trained one."""
    if isinstance(model, (str, Path)):
        return _run(Path(model))
    if any(kind.__module__.partition(".")[0] == "vaeviz_models" for kind in type(model).__mro__) and hasattr(
        model, "terms"
    ):
        return _model(model, type(model).__name__)
    return None


def _run(path: Path) -> Model | None:
    if not (path / "config.json").is_file():
        return None
    from vaeviz_models.runs import open_run, read_history

    model, config = open_run(path)
    opened = _model(model, path.name)
    history = {}
    with suppress(InputError):
        history["history"] = read_history(path)
    return replace(opened, inputs={**opened.inputs, **history}, data=config["data"])


def _model(model: Any, name: str) -> Model:
    shape = tuple(model.decoder.sample_shape)
    encoder = Encoder(
        model.encode,
        returns="mean,log_var" if model.prior else "mean",
        input_shape=shape,
        prior=model.prior,
        name=f"{name}.encoder",
    )
    decoder = Decoder(
        model.decode,
        output="values",
        latent_shape=(model.latent_dim,),
        sample_shape=shape,
        prior=model.prior,
        name=f"{name}.decoder",
    )
    return Model(encoder, decoder, _likelihood(model, shape), name=name)


def _likelihood(model: Any, shape: tuple[int, ...]) -> dict:
    """ln p(x | z) of a VAE, (N,), evaluated on its own device; a plain autoencoder has no bound that needs it."""
    if not model.prior:
        return {}

    def likelihood(x: Any, z: Any) -> Any:
        return model.log_likelihood(x.reshape(-1, *shape), z)

    return {"likelihood": likelihood}
