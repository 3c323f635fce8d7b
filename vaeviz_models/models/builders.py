"""Registered model builders, and recipes from which a run builds its model again."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypedDict, TypeVar, cast

import torch
from torch import nn

from vaeviz.errors import InputError
from vaeviz.plugins import registry
from vaeviz.plugins.options import options_of, validate_settings
from vaeviz_models.models.class_labels import classes_of
from vaeviz_models.networks import check_sizes

P = ParamSpec("P")
M = TypeVar("M")


class Recipe(TypedDict):
    """How a model was built: the name of its builder, and what the builder received."""

    name: str
    sample_shape: list[int]
    options: dict[str, Any]


def register_model(builder: Callable[P, M]) -> Callable[P, M]:
    """Register a model builder under its own name, so that runs can build the model again.

    Parameters
    ----------
    builder : callable
        ``builder(sample_shape, *, option=default, ...) -> model``. Its options become options of ``vaeviz train``.
        A builder with an option `classes` makes a conditional model, which is trained with the labels as its
        condition.

    Returns
    -------
    callable
        The builder. Its models carry a `recipe`, which `save_run` writes.
    """
    name = builder.__name__.replace("_", "-")
    build_model = cast("Callable[..., Any]", builder)

    @functools.wraps(build_model)
    def build(sample_shape: Sequence[int], **options: Any) -> Any:
        return _build(name, build_model, sample_shape, options)

    registry.add("vaeviz.models", name, build)
    return cast("Callable[P, M]", build)


def build_from_recipe(recipe: Recipe) -> Any:
    """Build a model with fresh weights from its recipe.

    Parameters
    ----------
    recipe : Recipe
        As returned by `get_recipe`, or read from ``config.json``.

    Returns
    -------
    torch.nn.Module
        The model.

    Raises
    ------
    InputError
        If no such builder is registered, or if it does not accept the options.
    """
    return _build(recipe["name"], _find_builder(recipe["name"]), recipe["sample_shape"], recipe["options"])


def seeded(build: Callable[..., M], *args: Any, seed: int, **settings: Any) -> M:
    """Build a model whose first weights depend on the seed alone.

    Parameters
    ----------
    build : callable
        What builds the model, e.g. `mlp`.
    *args
        Positional arguments of `build`.
    seed : int
        Seed of the first weights. Torch's global random state is restored afterwards.
    **settings
        Keyword arguments of `build`.

    Returns
    -------
    torch.nn.Module
        What `build` returned.

    Examples
    --------
    >>> from vaeviz_models import mlp
    >>> one, other = (seeded(mlp, (8, 8), seed=0, latent_dim=3) for _ in range(2))
    >>> bool((one.decoder.out.weight == other.decoder.out.weight).all())
    True
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return build(*args, **settings)


def with_classes(name: str, options: dict[str, Any], labels: Any) -> dict[str, Any]:
    """Add the classes of the labels to the options of a conditional model.

    Parameters
    ----------
    name : str
        Name of a registered model.
    options : dict
        Options of its builder. Classes that are named there are kept.
    labels : array_like, shape (N,)
        Labels of the training data; needed only for a conditional model.

    Returns
    -------
    dict
        The options; unchanged for a model that is not conditional.
    """
    if options.get("classes") or "classes" not in options_of(_find_builder(name)):
        return options
    return options | {"classes": classes_of(labels)}


def get_recipe(model: nn.Module) -> Recipe:
    """Return the recipe from which a model can be built again.

    Parameters
    ----------
    model : torch.nn.Module
        A model from a registered builder.

    Returns
    -------
    Recipe
        Name, sample shape and options.

    Raises
    ------
    InputError
        If no registered builder made the model.
    """
    recipe: Recipe | None = getattr(model, "recipe", None)
    if recipe is None:
        raise InputError(
            f"This {type(model).__name__} does not come from a registered builder, so a run could not build it again.",
            expected="a model from a registered builder",
            fix="Build it in a function of the sample shape that is decorated with @vaeviz_models.register_model.",
        )
    return recipe


def _find_builder(name: str) -> Callable[..., Any]:
    return cast("Callable[..., Any]", registry.load("vaeviz.models", name))


def _build(name: str, builder: Callable[..., Any], sample_shape: Any, options: dict[str, Any]) -> Any:
    """Call a builder with arguments that fit its annotations, and give the model its recipe."""
    try:
        shape = tuple(map(operator.index, sample_shape))
    except TypeError:
        raise InputError(
            f"sample_shape is {sample_shape!r}, but must be a tuple of integers such as (28, 28).",
            got=repr(sample_shape),
            expected="integers",
            fix="Pass x.shape[1:].",
        ) from None
    check_sizes(sample_shape=shape)
    options = validate_settings(builder, options, owner=name)
    model = builder(shape, **options)
    defaults = {key: option.default for key, option in options_of(builder).items()}
    model.recipe = Recipe(name=name, sample_shape=list(shape), options=defaults | options)
    return model
