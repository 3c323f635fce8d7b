"""The settings of a training: checked when they are made, and the same everywhere."""

import inspect
from dataclasses import FrozenInstanceError, fields
from typing import get_type_hints

import numpy as np
import pytest

from vaeviz.errors import InputError
from vaeviz.plugins.options import options_of
from vaeviz_models import TrainConfig, fit
from vaeviz_models.commands.train import HELP
from vaeviz_models.training.config import TrainSettings

NAMES = [field.name for field in fields(TrainConfig)]


@pytest.mark.parametrize(
    "settings",
    [
        {"epochs": 0},
        {"batch_size": 0},
        {"learning_rate": 0.0},
        {"learning_rate": float("nan")},
        {"learning_rate": float("inf")},
        {"beta": float("inf")},
        {"threads": 0},
        {"epsilon": 0.0},
        {"beta": -1.0},
        {"warmup": -1},
        {"holdout": 1.0},
        {"holdout": -0.1},
        {"patience": 0, "holdout": 0.1},
        {"seed": -1},
        {"seed": 2**63},
    ],
)
def test_a_setting_out_of_range_is_an_error(settings):
    name, value = next(iter(settings.items()))
    with pytest.raises(InputError, match=name) as error:
        TrainConfig(**settings)
    assert error.value.got == str(value)
    assert error.value.expected


@pytest.mark.parametrize(
    "settings",
    [
        {"epochs": 2.5},
        {"epochs": None},
        {"epochs": True},
        {"batch_size": "many"},
        {"learning_rate": "fast"},
        {"schedule": "cosine"},
        {"precision": "float16"},
        {"binarize": 1},
        {"seed": None},
        {"device": 0},
        {"threads": "all"},
    ],
    ids=str,
)
def test_a_setting_of_another_type_is_an_error(settings):
    name, value = next(iter(settings.items()))
    with pytest.raises(InputError, match=name) as error:
        TrainConfig(**settings)
    assert error.value.got == repr(value)
    assert error.value.expected


def test_numbers_of_numpy_are_numbers():
    config = TrainConfig(epochs=np.int64(3), beta=np.float32(0.5), threads=np.int64(2))
    assert (config.epochs, config.beta, config.threads) == (3, 0.5, 2)
    assert all(type(value) in (int, float) for value in (config.epochs, config.beta, config.threads))


def test_patience_needs_a_holdout():
    with pytest.raises(InputError) as error:
        TrainConfig(patience=3)
    assert "holdout=0.1" in error.value.fix.python
    assert "--holdout 0.1" in error.value.fix.command_line


def test_settings_do_not_change():
    with pytest.raises(FrozenInstanceError):
        TrainConfig().epochs = 3


def test_the_keywords_of_fit_are_the_fields():
    assert get_type_hints(TrainSettings) == get_type_hints(TrainConfig)
    assert inspect.signature(fit).parameters["settings"].kind is inspect.Parameter.VAR_KEYWORD


def test_the_options_of_the_command_are_the_fields():
    options = options_of(TrainConfig)
    assert list(options) == list(HELP) == NAMES
    assert {name: option.default for name, option in options.items()} == vars(TrainConfig())
