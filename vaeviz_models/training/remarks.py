"""Remarks on numbers of a training that raise questions: a collapse, a rising KL, and a loss below 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vaeviz.errors import Fix

COLLAPSED_KL = 0.05  # nats per sample; an encoder that tells two classes apart needs ln 2 = 0.69
N_EPOCHS = 3  # in a row, that are not an accident; the KL of a training that goes well may begin near 0


def find_remarks(history: Mapping[str, Sequence[float]], *, warmup: int = 0) -> dict[str, Fix]:
    """Return remarks on the last epoch of a training.

    Parameters
    ----------
    history : mapping of str to sequence of float
        The history, as `fit` returns it.
    warmup : int, default 0
        Epochs over which the weight of the KL rises. The KL causes remarks only after them.

    Returns
    -------
    dict of str to Fix
        Remarks by subject: ``"collapse"``, ``"rising KL"``, ``"negative loss"``.

    Examples
    --------
    >>> list(find_remarks({"beta": [1] * 4, "train_log_likelihood": [-8] * 4, "train_kl": [0.5, 0.04, 0.02, 0.01]}))
    ['collapse']
    """
    found: dict[str, Fix] = {}
    log_likelihood = list(history["train_log_likelihood"])
    kl = list(history.get("train_kl", ()))
    beta = list(history["beta"])
    objective = [a - b * c for a, b, c in zip(log_likelihood, beta, kl)] if kl else log_likelihood
    if objective[-1] > 0:
        found["negative loss"] = Fix(
            "The loss is below 0. This is fine: p(x | z) is a density, which exceeds 1 where its standard deviation is "
            "small. Compare the loss only with models of the same data and the same likelihood."
        )
    if not kl or len(kl) <= warmup:
        return found
    is_low = len(kl) - warmup > N_EPOCHS and max(kl[-N_EPOCHS:]) <= COLLAPSED_KL
    if is_low and kl[-1] <= kl[-2] and beta[-1] > 0:
        found["collapse"] = Fix(
            f"The KL is {kl[-1]:.2g} nats: the codes say at most that much about a sample, so the decoder ignores them "
            f"(posterior collapse). Try a smaller beta, a warmup, or a smaller decoder.",
            f"The KL is {kl[-1]:.2g} nats: the codes say at most that much about a sample, so the decoder ignores them "
            f"(posterior collapse). Try e.g. --beta {beta[-1] / 4:g}, --warmup {max(10, 2 * warmup)}, or a smaller "
            "decoder.",
        )
    last = slice(-N_EPOCHS - 1, None)
    is_rising = len(kl) - warmup > N_EPOCHS and all(a < b for a, b in zip(kl[last], kl[last][1:]))
    if is_rising and len(set(beta[last])) == 1:
        found["rising KL"] = _remark_on_rise(kl[last], log_likelihood[last], objective[last])
    return found


def _remark_on_rise(kl: list[float], log_likelihood: list[float], objective: list[float]) -> Fix:
    """Return the remark on a KL that rose, which is a fault only if the objective fell."""
    rise = f"The KL rose from {kl[0]:.3g} to {kl[-1]:.3g} nats in {len(kl) - 1} epochs"
    if objective[-1] >= objective[0]:
        gained = log_likelihood[-1] - log_likelihood[0]
        return Fix(
            f"{rise}. This is fine: the codes say more about a sample, and the log-likelihood rose by {gained:.3g} "
            "nats in return."
        )
    lost = objective[0] - objective[-1]
    return Fix(
        f"{rise}, and the objective fell by {lost:.3g} nats. Try a smaller learning_rate, or a larger beta.",
        f"{rise}, and the objective fell by {lost:.3g} nats. Try a smaller --learning-rate, or a larger --beta.",
    )
