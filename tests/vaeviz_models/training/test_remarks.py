"""Remarks on a collapse, a rising KL and a loss below 0, each exactly when it applies."""

import numpy as np
import pytest

from vaeviz_models.training.remarks import find_remarks


def history(log_likelihood, kl, beta=1.0):
    log_likelihood, kl = np.array(log_likelihood, float), np.array(kl, float)
    return {
        "epoch": list(range(1, len(kl) + 1)),
        "beta": list(np.broadcast_to(beta, kl.shape)),
        "train_elbo": list(log_likelihood - kl),
        "train_log_likelihood": list(log_likelihood),
        "train_kl": list(kl),
    }


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (history([-50, -40, -38, -37], [4, 5, 4.5, 4.4]), []),
        (history([-50, -49, -49, -49], [2.0, 0.04, 0.02, 0.01]), ["collapse"]),
        (history([-50, -49], [0.02, 0.01]), []),  # a training may begin there
        (history([-50, -49, -49, -48, -45], [0.04, 0.02, 0.01, 0.01, 0.03]), []),  # and rise again
        (history([-50, -45, -40, -36], [1, 2, 3, 4]), ["rising KL"]),
        (history([-50, -45, -40], [1, 2, 3]), []),
        (history([-50, -45, -40, -36], [1, 2, 3, 4], beta=[0.1, 0.2, 0.3, 0.4]), []),
        (history([-5, 2, 9, 8], [1, 1, 1, 1]), ["negative loss"]),
        (history([0.5], [1]), []),  # the loss is 0.5
    ],
)
def test_remarks_are_made_where_they_apply(rows, expected):
    assert list(find_remarks(rows)) == expected


def test_a_rising_kl_is_a_fault_only_if_the_objective_falls():
    fine = find_remarks(history([-50, -45, -40, -36], [1, 2, 3, 4]))["rising KL"].python
    fault = find_remarks(history([-36, -36, -36, -36], [1, 2, 3, 4]))["rising KL"]
    assert "fine" in fine
    assert "learning_rate" in fault.python
    assert "--learning-rate" in fault.command_line


def test_the_objective_is_weighted_by_beta():
    rows = history([-50, -49, -48, -47], [1, 2, 3, 4], beta=4.0)  # the ELBO stays, the objective falls
    assert "fine" not in find_remarks(rows)["rising KL"].python


def test_the_kl_is_not_judged_during_the_warmup():
    assert find_remarks(history([-50, -45, -40], [0.01, 0.01, 0.01]), warmup=5) == {}


def test_a_model_without_kl_has_remarks_on_its_loss_alone():
    rows = {"epoch": [1, 2], "beta": [1.0, 1.0], "train_log_likelihood": [-1.0, 3.0]}
    assert list(find_remarks(rows)) == ["negative loss"]
