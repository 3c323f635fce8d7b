"""Open a folder of Hugging Face transformers, whose library renames weights when it saves and loads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vaeviz.errors import InputError, warn_user
from vaeviz.model.adapters._detect import unreadable
from vaeviz.model.weights.names import PARTIAL_FIX, WeightDifferences, WeightMismatch


def load_transformers_folder(model_class: Any, folder: Path, *, strict: bool) -> Any:
    """Make a model of transformers with the weights of a folder.

    Parameters
    ----------
    model_class : type
        A subclass of ``PreTrainedModel``.
    folder : Path
        The folder, with ``config.json`` and weights as safetensors.
    strict : bool
        Raise an error unless the folder has exactly the weights of the model. If false, at least one must fit.

    Returns
    -------
    PreTrainedModel
        The model, in eval mode.

    Raises
    ------
    WeightMismatch
        If the weights do not fit.
    InputError
        If the folder cannot be read, or has no safetensors.
    """
    if not any(folder.glob("*.safetensors")):
        fix = "Save the model again with save_pretrained, which writes safetensors."
        raise InputError(f"{folder} has no safetensors.", got=str(folder), expected="model.safetensors", fix=fix)
    try:
        model, report = model_class.from_pretrained(
            str(folder),
            local_files_only=True,
            use_safetensors=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,
            attn_implementation="eager",  # config.json could name a repository, whose code would be downloaded and run
        )
    except Exception as error:
        raise unreadable(folder, "transformers", error) from error
    differences = WeightDifferences(
        tuple(sorted(report["missing_keys"])),
        tuple(sorted(report["unexpected_keys"])),
        {name: (tuple(got), tuple(wanted)) for name, got, wanted in sorted(report["mismatched_keys"])},
    )
    message = f"{folder} does not fit {model_class.__name__}."
    nothing_fits = set(model.state_dict()) <= {*differences.missing, *differences.wrong_shape}
    if differences and (strict or nothing_fits):
        raise WeightMismatch(message, differences, fix="" if nothing_fits else PARTIAL_FIX)
    if differences:
        warn_user(UserWarning(f"{message} {differences} What is missing keeps its initial values."))
    return model.eval()
