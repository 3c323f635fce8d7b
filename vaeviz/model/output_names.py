"""Interpret the names of an encoder's outputs, returned or declared."""

from __future__ import annotations

import difflib
import functools
import re

from vaeviz.errors import Fix, InputError, declare

SPREAD_KINDS = ("log_var", "var", "std", "log_std")

_ENDINGS = {  # of names without punctuation, the longest first
    "log_var": ("logvar", "logvariance", "logcovariance", "logsigma2", "logsigmasq", "logsigmasquared"),
    "log_std": ("logstd", "logstddev", "logscale"),
    "var": ("variance", "var", "sigma2", "sigmasq", "sigmasquared", "qzv"),
    "std": ("stddev", "std", "scale", "sigma"),
    "mean": ("mean", "mu", "loc", "qzm", "embedding"),
}
_UNCLEAR_ENDINGS = ("logsigma",)  # ln σ or ln σ²
_PREFIXES = ("qz", "q", "z", "latent", "posterior", "encoder", "enc")  # that may lack a separator
_OTHER_BEGINNINGS = ("x_", "px_", "p_", "recon", "prior", "dec")  # of what is not q(z | x)
_CODE_NAMES = ("latent", "latents", "z", "code", "codes", "embeddings", "pooler_output", "last_hidden_state")


@functools.lru_cache(maxsize=1000)  # every call of an encoder asks for the same few names
def kind_of_name(name: str) -> str | None:
    """Return what a name says about an output.

    Parameters
    ----------
    name : str
        The name, e.g. ``"z_logvar"``.

    Returns
    -------
    {"mean", "log_var", "var", "std", "log_std"} or None
        What it is. None if the name does not say it.

    Examples
    --------
    >>> kind_of_name("encoder_logvar"), kind_of_name("qz_m"), kind_of_name("features")
    ('log_var', 'mean', None)
    """
    words = re.split(r"[^a-z0-9]+", name.lower())
    words = words[:-1] if len(words) > 1 and words[-1] in ("z", "q") else words  # "mu_z"
    ends = ["".join(words[first:]) for first in range(len(words))]
    if is_of_data(name) or any(end.endswith(_UNCLEAR_ENDINGS) for end in ends):
        return None
    for prefix in _PREFIXES:
        ends.append(ends[0].removeprefix(prefix))
    return next((kind for kind, endings in _ENDINGS.items() if any(end in endings for end in ends)), None)


def log_spread_in(name: str) -> str | None:
    """Return which logarithm of a spread a name in the code of an encoder mentions.

    Parameters
    ----------
    name : str
        The name of a variable or a layer, e.g. ``"conv_logstd"``.

    Returns
    -------
    {"log_var", "log_std"} or None
        The kind. ln sigma counts as log_std. None if it mentions neither, or means samples or a prior.

    Examples
    --------
    >>> log_spread_in("log_std_layer"), log_spread_in("fc_logvar"), log_spread_in("fc_mu")
    ('log_std', 'log_var', None)
    """
    if is_of_data(name.lstrip("_")):
        return None
    plain = _without_punctuation(name)
    endings = {"log_var": _ENDINGS["log_var"], "log_std": (*_ENDINGS["log_std"], *_UNCLEAR_ENDINGS)}
    return next((kind for kind, known in endings.items() if any(ending in plain for ending in known)), None)


def code_name(names: list[str]) -> str | None:
    """Return the name that holds the codes of an encoder that names no mean.

    Parameters
    ----------
    names : list of str
        The names of all outputs.

    Returns
    -------
    str or None
        One of them, or None.
    """
    return next((name for known in _CODE_NAMES for name in names if name.lower() == known), None)


def main_name(names: list[str]) -> str:
    """Return the name that most likely means the posterior, of several that say the same.

    Parameters
    ----------
    names : list of str
        The names, e.g. ``["h_mean", "z_mean"]``.

    Returns
    -------
    str
        A name without a prefix, else one that begins with z or q, else the first.
    """
    plain = {ending for endings in _ENDINGS.values() for ending in endings}
    return min(names, key=lambda name: (_without_punctuation(name) not in plain, name[:1].lower() not in ("z", "q")))


def is_of_data(name: str) -> bool:
    """Return True if a name means samples or a prior rather than the posterior.

    Parameters
    ----------
    name : str
        The name.

    Returns
    -------
    bool
        The answer.
    """
    return name.lower() in ("x", "px", "p") or name.lower().startswith(_OTHER_BEGINNINGS)


def sounds_like_a_spread(name: str) -> bool:
    """Return True if a name means a spread of an unknown kind.

    Parameters
    ----------
    name : str
        The name.

    Returns
    -------
    bool
        The answer. False if the kind is known.
    """
    if kind_of_name(name) is not None or is_of_data(name):
        return False
    return any(part in name.lower() for part in ("sigma", "std", "var", "scale"))


def names_other_spread(name: str) -> bool:
    """Return True if a name means a spread that is not one number per dimension, or is the inverse of one.

    Parameters
    ----------
    name : str
        The name.

    Returns
    -------
    bool
        True for names such as ``log_precision``, ``scale_tril`` and ``covariance``.
    """
    if kind_of_name(name) is not None or is_of_data(name):
        return False
    return any(word.startswith(("prec", "tril", "chol", "cov")) for word in re.split(r"[^a-z]+", name.lower()))


def parse_returns(returns: str) -> list[str]:
    """Return the outputs that a declaration names.

    Parameters
    ----------
    returns : str
        Names of the outputs in their order, e.g. ``"mean,std"`` or ``"z,mu,logvar"``.

    Returns
    -------
    list of str
        ``"mean"`` and the kinds of spread by one name each, and the other names as they are.

    Raises
    ------
    InputError
        If it does not name one mean and at most one spread, or a name is misspelled.

    Examples
    --------
    >>> parse_returns("z,mu,std")
    ['z', 'mean', 'std']
    """
    given = [name.strip() for name in returns.split(",")]
    names = [kind_of_name(name) or name for name in given]
    known = ", ".join(SPREAD_KINDS)
    unclear = next((name for name in names if sounds_like_a_spread(name) or _is_misspelled(name)), None)
    if unclear is not None:
        raise InputError(
            f"returns={returns!r} names {unclear!r}, which is neither mean nor a known kind of spread.",
            got=unclear,
            expected=f"mean, {known}",
            fix=Fix(f"Name it mean or one of {known}. Name it other to leave it out."),
        )
    spreads = [name for name in names if name in SPREAD_KINDS]
    if names.count("mean") != 1 or len(spreads) > 1:
        raise InputError(
            f"returns={returns!r} must name `mean` once and at most one of {known}.",
            got=returns,
            expected=f"mean, and at most one of {known}",
            fix=declare("Encoder", returns="mean,log_var"),
        )
    return names


def _is_misspelled(name: str) -> bool:
    """Return True if a name is almost that of a mean or a spread."""
    plain = _without_punctuation(name)
    known = [ending for endings in _ENDINGS.values() for ending in endings]
    if plain in known or len(plain) < 3:
        return False
    return bool(difflib.get_close_matches(plain, known, n=1, cutoff=0.8)) or sorted(plain) in map(sorted, known)


def _without_punctuation(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
