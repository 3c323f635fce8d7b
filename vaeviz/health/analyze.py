"""``analyze``: run every health check that applies, each with its number, threshold and source."""

from __future__ import annotations

import importlib
import pkgutil
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

from vaeviz.data.dataset import Dataset
from vaeviz.errors import Fix, InputError, UnknownName
from vaeviz.health import checks as checks_package
from vaeviz.health.check import Check, CheckResult
from vaeviz.health.report import Report
from vaeviz.model.collect_inputs import collect_inputs, with_cached_codes
from vaeviz.model.provenance import describe_inputs, package_versions
from vaeviz.plugins.diagnostics import capture_warnings
from vaeviz.plugins.options import check_arguments, check_names, check_settings, validate_settings

REPORT_ORDER = (
    *("collapsed", "ignored"),  # dimensions
    *("marginals", "mismatch", "holes", "information"),  # prior
    *("likelihood", "spread"),  # likelihood
    *("reconstruction", "classes", "neighbors"),  # data
)
"""Names of checks in the order of a report; other checks follow in alphabetical order."""


def find_checks() -> dict[str, Check]:
    """Import all checks: each public file of ``vaeviz/health/checks`` has one of the file's name.

    Returns
    -------
    dict of str to Check
        The checks by name, in the order of a report.

    Raises
    ------
    TypeError
        If a file has no check of its name.
    """
    names = [file.name for file in pkgutil.iter_modules(checks_package.__path__) if not file.name.startswith("_")]
    in_order = [name for name in REPORT_ORDER if name in names] + sorted({*names} - {*REPORT_ORDER})
    return {name: _import_check(name) for name in in_order}


def _import_check(name: str) -> Check:
    module = importlib.import_module(f"{checks_package.__name__}.{name}")
    check = getattr(module, name, None)
    if not isinstance(check, Check):
        raise TypeError(f"{module.__file__} has no check {name}. Put @health_check(...) above a function {name}.")
    return check


CHECKS = find_checks()
"""All checks by name, in the order of a report."""


def analyze(
    model: Any = None,
    data: Any = None,
    *,
    checks: str | Iterable[str] | None = None,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    seed: int = 0,
    title: str = "",
    **inputs: Any,
) -> Report:
    """Check whether a latent space is healthy.

    Parameters
    ----------
    model : object, optional
        Anything that `vaeviz.open` opens.
    data : Dataset or array_like, optional
        A data set, or samples x, shape (N, ...).
    checks : str or iterable of str, optional
        Names of the checks to run; None for all.
    settings : mapping, optional
        Options by check, for example ``{"holes": {"max_mass": 0.1}}``.
    seed : int, default 0
        Seed of each check that has one, unless `settings` sets it.
    title : str, default ""
        Title of the report.
    **inputs
        Inputs by name: ``encoder=``, ``decoder=``, ``x=``, ``labels=``, ``condition=``, ``likelihood=``. They win over
        those of the model and the data. The likelihood is a function or a name that `vaeviz.decoder_likelihood` knows,
        such as ``"bernoulli"``.

    Returns
    -------
    Report
        One result per check. A check that does not apply is "not applicable", one that raises an error is "failed".

    Raises
    ------
    InputError
        For unknown checks and options, and if the model or the data cannot be used at all.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).standard_normal((200, 3))
    >>> report = analyze(encoder=lambda x: (x[:, :2], np.zeros((len(x), 2)) - 9), x=x, checks=["collapsed"])
    >>> report["collapsed"].status
    'healthy'
    """
    check_arguments(analyze, locals())
    names = select_checks(checks)
    settings = validate_check_settings(check_settings(settings), names)
    _check_input_names(inputs)
    if data is not None and not isinstance(data, Dataset):
        inputs, data = {"x": data, **inputs}, None
    with capture_warnings() as found:
        collected = with_cached_codes(_check_samples_are_given(collect_inputs(model, data, inputs)))
        results = run_checks(collected, settings, names=names, seed=seed)
    for warning in found:
        warnings.warn(warning, stacklevel=2)
    described = describe_inputs(collected)
    return Report(results, seed, title, described, package_versions(), tuple(map(str, found)))


def _check_samples_are_given(inputs: dict[str, Any]) -> dict[str, Any]:
    """Return collected inputs, or raise if an encoder comes without samples."""
    if "encoder" in inputs and "x" not in inputs:
        raise InputError(
            "analyze received an encoder, but no samples.",
            got="no x",
            expected="x",
            fix=Fix("Write vaeviz.analyze(model, x).", "Add --data NAME."),
        )
    return inputs


def run_checks(
    inputs: Mapping[str, Any],
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    names: Iterable[str] = tuple(CHECKS),
    seed: int = 0,
) -> tuple[CheckResult, ...]:
    """Run checks, with a progress bar if that takes long.

    Parameters
    ----------
    inputs : mapping
        Inputs by name, with the codes of x cached.
    settings : mapping, optional
        Options by check.
    names : iterable of str, optional
        Names of the checks; all by default.
    seed : int, default 0
        Seed of each check that has one, unless `settings` sets it.

    Returns
    -------
    tuple of CheckResult
        The results, in the order of `names`.
    """
    from tqdm import tqdm

    results = []
    with tqdm(list(names), desc="analyzing", unit="check", delay=2, leave=False, disable=None) as bar:
        for name in bar:
            bar.set_postfix_str(name)
            results.append(CHECKS[name].run(inputs, {"seed": seed, **(settings or {}).get(name, {})}))
    return tuple(results)


def select_checks(checks: str | Iterable[str] | None) -> list[str]:
    """Return the names of checks in the order of a report.

    Parameters
    ----------
    checks : str or iterable of str, optional
        Names of checks; None for all.

    Returns
    -------
    list of str
        The names, each once.

    Raises
    ------
    UnknownName
        If there is no such check.
    InputError
        If `checks` is empty.
    """
    names = set(CHECKS if checks is None else check_names("checks", checks))
    for name in sorted(names):
        if name not in CHECKS:
            raise UnknownName("check", name, CHECKS)
    if not names:
        raise InputError(
            "checks is empty.",
            got="no check",
            expected="names of checks",
            fix=Fix("Name a check, or pass None for all.", "Name a check, or leave out --checks for all."),
        )
    return [name for name in CHECKS if name in names]


def validate_check_settings(settings: Mapping[str, Mapping[str, Any]], names: list[str]) -> dict[str, dict[str, Any]]:
    """Validate options by check.

    Parameters
    ----------
    settings : mapping
        Options by check.
    names : list of str
        The checks to run.

    Returns
    -------
    dict
        Validated options by check.

    Raises
    ------
    InputError
        For unknown checks and options, for invalid values, and for options of a check that is not run.
    """
    checked = {}
    for name, options in settings.items():
        if name not in CHECKS:
            raise UnknownName("check", name, CHECKS)
        if name not in names:
            raise InputError(
                f"settings has options of {name}, but the checks to run are {', '.join(names)}.",
                got=name,
                fix=Fix(
                    f"Add {name} to checks, or remove its options from settings.",
                    f"Add {name} to --checks, or remove its --set.",
                ),
            )
        checked[name] = validate_settings(CHECKS[name].function, options, owner=name)
    return checked


def _check_input_names(names: Iterable[str]) -> None:
    known = {name for check in CHECKS.values() for name in check.required + check.optional}
    for name in names:
        if name not in known:
            raise UnknownName("input", name, known)
