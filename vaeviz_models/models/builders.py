"""How a model was built, so that a run can build it again."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from torch import nn

from vaeviz.errors import InputError
from vaeviz.plugins import registry
from vaeviz.plugins.options import options_of, validate_settings
from vaeviz_models.models.class_labels import classes_of


def register_model(builder: Callable) -> Callable:
    """File a builder of models under its own name; what it builds remembers how, and can be saved by `save_run`.

    builder: ``builder(sample_shape, *, option=default, ...) -> model``; its options become those of ``vaeviz train``.
        One with an option `classes` builds a conditional model, which is trained with the labels as the condition.
    """
    name = builder.__name__.replace("_", "-")

    @functools.wraps(builder)
    def build(sample_shape: Sequence[int], **options: Any) -> nn.Module:
        options = {key: value.item() if isinstance(value, np.generic) else value for key, value in options.items()}
        return _remembering(builder(sample_shape, **options), name, builder, sample_shape, options)

    registry.add("vaeviz.models", name, build)
    return build


def build_from_recipe(recipe: dict[str, Any]) -> nn.Module:
    """The model that a recipe ``{"name", "sample_shape", "options"}`` describes, with fresh weights."""
    name, shape = recipe["name"], tuple(recipe["sample_shape"])
    builder = registry.load("vaeviz.models", name)
    options = validate_settings(builder, recipe["options"], owner=name)
    return _remembering(builder(shape, **options), name, builder, shape, options)


def with_classes(name: str, options: dict[str, Any], labels: Any) -> dict[str, Any]:
    """The options of a model, with the names of the classes of `labels` (N,) where it takes them and none are said."""
    if options.get("classes") or "classes" not in options_of(registry.load("vaeviz.models", name)):
        return options
    return options | {"classes": classes_of(labels)}


def get_recipe(model: nn.Module) -> dict[str, Any]:
    """How `model` was built; `InputError` if no registered builder built it."""
    recipe = getattr(model, "recipe", None)
    if recipe is None:
        raise InputError(
            f"this {type(model).__name__} was put together by hand, and a run could not build it again: "
            "put that into a function of the sample shape, under @vaeviz_models.register_model"
        )
    return recipe


def _remembering(
    model: nn.Module, name: str, builder: Callable, sample_shape: Sequence[int], options: dict[str, Any]
) -> nn.Module:
    defaults = {key: option.default for key, option in options_of(builder).items()}
    model.recipe = {"name": name, "sample_shape": [int(n) for n in sample_shape], "options": defaults | options}
    return model
