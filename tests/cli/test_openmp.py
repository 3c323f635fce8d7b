"""OpenMP's threads of a command wait briefly and keep to the CPUs that the process may use."""

import os

import joblib
import pytest

from vaeviz.cli.openmp import BRIEF_WAITING, keep_to_allowed_cpus, shorten_waiting


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """No variable of OpenMP is set, and those that are set in a test are removed after it."""
    for name in list(os.environ):
        if name.startswith(("OMP_", "GOMP_", "KMP_")):
            monkeypatch.delenv(name)
    for name in (*BRIEF_WAITING, "OMP_NUM_THREADS"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def test_threads_wait_briefly():
    shorten_waiting()
    assert {name: os.environ[name] for name in BRIEF_WAITING} == BRIEF_WAITING


@pytest.mark.parametrize("name", ["OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"])
def test_what_the_user_has_set_is_kept(name, monkeypatch):
    monkeypatch.setenv(name, "7")
    shorten_waiting()
    assert {key: os.environ[key] for key in (*BRIEF_WAITING, name) if key in os.environ} == {name: "7"}


@pytest.mark.parametrize("n_cpus, n_allowed, expected", [(64, 2, "2"), (2, 2, None), (None, 2, None)])
def test_threads_keep_to_the_allowed_cpus(n_cpus, n_allowed, expected, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: n_cpus)
    monkeypatch.setattr(joblib, "cpu_count", lambda: n_allowed)
    keep_to_allowed_cpus()
    assert os.environ.get("OMP_NUM_THREADS") == expected


def test_a_number_of_threads_that_the_user_has_set_is_kept(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(joblib, "cpu_count", lambda: 2)
    keep_to_allowed_cpus()
    assert os.environ["OMP_NUM_THREADS"] == "8"
