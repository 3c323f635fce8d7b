"""``analyze``: is this latent space healthy? Every finding that applies, with its number, threshold and source."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

from vaeviz.data.dataset import Dataset
from vaeviz.errors import GuessWarning, InputError, UnknownName
from vaeviz.health.check import Check, CheckResult
from vaeviz.health.checks.classes import classes
from vaeviz.health.checks.collapsed import collapsed
from vaeviz.health.checks.holes import holes
from vaeviz.health.checks.ignored import ignored
from vaeviz.health.checks.information import information
from vaeviz.health.checks.likelihood import likelihood
from vaeviz.health.checks.marginals import marginals
from vaeviz.health.checks.mismatch import mismatch
from vaeviz.health.checks.neighbors import neighbors
from vaeviz.health.checks.reconstruction import reconstruction
from vaeviz.health.checks.spread import spread
from vaeviz.health.report import Report
from vaeviz.model.collect_inputs import collect_inputs, with_cached_codes
from vaeviz.model.provenance import describe_inputs, package_versions
from vaeviz.plugins.diagnostics import capture_warnings
from vaeviz.plugins.options import validate_settings

CHECKS: dict[str, Check] = {
    question.name: question
    for question in (
        collapsed,
        ignored,
        marginals,
        mismatch,
        holes,
        information,
        likelihood,
        spread,
        reconstruction,
        classes,
        neighbors,
    )
}
"""Every question by name, in the order of a report: the code, the prior, the nats, the data."""


def analyze(
    model: Any = None,
    data: Any = None,
    *,
    findings: Iterable[str] | None = None,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    seed: int = 0,
    title: str = "",
    **inputs: Any,
) -> Report:
    """Answer every question about a latent space that its model and data allow: ``print(vaeviz.analyze(model, x))``.

    model: anything that `vaeviz.open` opens. data: a `Dataset`, or samples x (N, ...). inputs: by name (``encoder=``,
    ``decoder=``, ``x=``, ``labels=``, ``condition=``, ``likelihood=``), and win over both.
    findings: names, or None for all. settings: options by finding, e.g. ``{"holes": {"max_mass": 0.1}}``.
    seed: for each finding that has a seed and no setting of its own.

    A question that cannot be answered is "not applicable" for a reason, and one whose measuring fails is "failed";
    neither keeps the rest from being answered. Raises `InputError` for unknown names and options, and where the model
    or the data cannot be used at all.
    """
    names = check_names(findings)
    settings = check_settings(settings or {}, names)
    _check_inputs(inputs)
    if data is not None and not isinstance(data, Dataset):
        inputs, data = {"x": data, **inputs}, None
    with capture_warnings() as texts:
        given = with_cached_codes(collect_inputs(model, data, inputs))
        found = run_checks(given, settings, names=names, seed=seed)
    for text in texts:
        warnings.warn(text, GuessWarning, stacklevel=2)
    return Report(found, seed, title, describe_inputs(given), package_versions(), tuple(texts))


def run_checks(
    inputs: Mapping[str, Any],
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    names: Iterable[str] = tuple(CHECKS),
    seed: int = 0,
) -> tuple[CheckResult, ...]:
    """The findings of those names, from inputs whose x is encoded; with a progress bar where they take long."""
    from tqdm import tqdm

    findings = []
    with tqdm(list(names), desc="analyzing", unit="finding", delay=2, leave=False, disable=None) as bar:
        for name in bar:
            bar.set_postfix_str(name)
            findings.append(CHECKS[name].answered(inputs, {"seed": seed} | dict((settings or {}).get(name, {}))))
    return tuple(findings)


def check_names(findings: Iterable[str] | None) -> list[str]:
    """The names of the findings asked for, all of them for None, in the order of a report."""
    names = set(CHECKS if findings is None else [findings] if isinstance(findings, str) else findings)
    for name in sorted(names):
        if name not in CHECKS:
            raise UnknownName("finding", name, CHECKS)
    if not names:
        raise InputError("no finding was asked for")
    return [name for name in CHECKS if name in names]


def check_settings(settings: Mapping[str, Mapping[str, Any]], names: list[str]) -> dict[str, dict[str, Any]]:
    """Options by finding, validated as the options of plots are."""
    checked = {}
    for name, options in settings.items():
        if name not in CHECKS:
            raise UnknownName("finding", name, CHECKS)
        if name not in names:
            raise InputError(f"{name} has settings, but is not among the findings asked for: {', '.join(names)}")
        checked[name] = validate_settings(CHECKS[name].function, options, owner=name)
    return checked


def _check_inputs(inputs: Mapping[str, Any]) -> None:
    known = {name for question in CHECKS.values() for name in question.required + question.optional}
    for name in inputs:
        if name not in known:
            raise UnknownName("input", name, known)
