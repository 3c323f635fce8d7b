"""Samples beside those of a plot, as `other_x`."""

from __future__ import annotations

from typing import Any

import numpy as np

from vaeviz.data.sample_kind import check_same_columns
from vaeviz.errors import Fix, GuessWarning, NotApplicable, warn_user
from vaeviz.model.encode import encode_others
from vaeviz.model.opening import as_encoder
from vaeviz.model.posterior import Posterior

OTHER_MARKS: dict[str, Any] = {"ls": "", "marker": "x", "ms": 3, "mew": 0.6, "color": "0.1", "zorder": 3}


def missing_condition(encoder: Any) -> NotApplicable | None:
    """Return why an encoder cannot encode other samples: they have no condition.

    Parameters
    ----------
    encoder : callable, model or Posterior
        The encoder.

    Returns
    -------
    NotApplicable or None
        None if it needs no condition.
    """
    if isinstance(encoder, Posterior) or not (part := as_encoder(encoder)).is_conditional:
        return None
    value = next(iter(part.known_conditions or ()), 0)
    return NotApplicable(
        "The encoder is conditional, but the samples of other_x have no condition.",
        fix=Fix(
            f"Pass vaeviz.condition_on(vaeviz.Encoder(encoder), {value!r}) and "
            f"vaeviz.condition_on(decoder, {value!r}) to fix one.",
            "Add --condition with one value for all samples.",
        ),
    )


def other_means(encoder: Any, other_x: Any, x: Any) -> np.ndarray | None:
    """Return the posterior means of other samples. None without them, and with a warning if they need a condition.

    Parameters
    ----------
    encoder : callable or model
        The encoder.
    other_x : array_like, shape (M, ...), optional
        The samples.
    x : array_like, shape (N, ...)
        Those of the plot, whose columns they have.

    Returns
    -------
    ndarray, shape (M, D), or None
        Their means.
    """
    if other_x is None:
        return None
    check_same_columns(x, other_x)
    reason = missing_condition(encoder)
    if reason is not None:
        warn_user(GuessWarning(f"{reason.message} They are left out.", fix=reason.fix))
        return None
    return encode_others(encoder, other_x).mean
