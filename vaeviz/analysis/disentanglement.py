"""Published scores of disentanglement: whether latent dimensions correspond to known factors."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from vaeviz.analysis.aggregate_posterior import require_std
from vaeviz.analysis.estimates import Estimate, Score
from vaeviz.analysis.jackknife import jackknife_error
from vaeviz.errors import InputError, NotApplicable
from vaeviz.model.posterior import Posterior

if TYPE_CHECKING:
    import pandas as pd

N_SHUFFLES = 5  # random pairings of codes and factors, for the scores at independence
MIN_SAMPLES = 40  # a quarter of them are held out for DCI informativeness
N_GROUPS = 5  # of the jackknife
N_TREES = 50
N_VOTES = 800  # of the FactorVAE score
MAX_VOTE_SAMPLES = 64  # samples that share a factor in each vote


@dataclass(frozen=True, eq=False)
class Disentanglement:
    """Scores of codes (N, D) against factors (N, K).

    Attributes
    ----------
    information : ndarray, shape (D, K)
        Mutual information of a dimension and a factor, as a share of the factor's entropy; NaN for a dimension that
        is not active.
    importance : ndarray, shape (D, K)
        Importance of a dimension for predicting a factor; NaN for a dimension that is not active.
    active : ndarray of bool, shape (D,)
        Whether a dimension was scored.
    scores : tuple of Score
        MIG, SAP, three scores of DCI, and FactorVAE.
    """

    information: np.ndarray
    importance: np.ndarray
    active: np.ndarray
    scores: tuple[Score, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return a table with one row per score.

        Returns
        -------
        pandas.DataFrame
            Columns ``name``, ``value``, ``standard_error`` and ``null``.
        """
        import pandas as pd

        return pd.DataFrame(self.scores)[["name", "value", "standard_error", "null"]]


def disentanglement(
    codes: np.ndarray, factors: np.ndarray, active: np.ndarray | None = None, *, n_bins: int = 20, seed: int = 0
) -> Disentanglement:
    """Score how well latent dimensions correspond to known factors.

    Parameters
    ----------
    codes : ndarray, shape (N, D)
        Codes.
    factors : ndarray, shape (N, K)
        Factors, as numbers.
    active : ndarray of bool, shape (D,), optional
        Dimensions to score, see `active_dimensions`; by default all. Constant ones are never scored.
    n_bins : int, default: 20
        Bins of equal width, for codes and for factors with more values than that.
    seed : int, default: 0
        Seed of shuffles, trees, votes and held-out samples.

    Returns
    -------
    Disentanglement
        Scores with standard errors, each with its value for shuffled factors.

    Raises
    ------
    InputError
        If the factors are not N rows of finite numbers, or `n_bins` is below 2.
    NotApplicable
        If there are fewer than 40 samples, no active dimension, or a constant factor.

    Notes
    -----
    MIG and SAP compare the two dimensions with the highest mutual information, or R², for each factor. DCI
    disentanglement, completeness and informativeness use the importances of boosted trees. FactorVAE predicts which
    factor was fixed from the dimension that varies least.

    References
    ----------
    Chen et al. 2018, "Isolating sources of disentanglement", arXiv:1802.04942.
    Kumar, Sattigeri & Balakrishnan 2018, "Variational inference of disentangled latent concepts", arXiv:1711.00848.
    Eastwood & Williams 2018, "A framework for the quantitative evaluation of disentangled representations", ICLR.
    Kim & Mnih 2018, "Disentangling by factorising", arXiv:1802.05983.
    """
    if n_bins < 2:
        raise InputError(
            f"n_bins = {n_bins}, but at least 2 bins are needed.", got=f"n_bins = {n_bins}", expected="2 or more"
        )
    codes, factors = np.asarray(codes, dtype=np.float64), check_factors(factors, len(codes))
    if len(codes) < MIN_SAMPLES:
        raise NotApplicable(f"Scores of {len(codes)} samples would be noise; they need at least {MIN_SAMPLES}.")
    active = (np.ptp(codes, axis=0) > 0) & (True if active is None else np.asarray(active, dtype=bool))
    if not active.any():
        raise NotApplicable("No latent dimension is active, so there is nothing to compare with the factors.")
    kept = codes[:, active]
    binned, values = (np.stack([discretize(column, n_bins) for column in part.T], axis=1) for part in (kept, factors))
    rng = np.random.default_rng(seed)
    shuffles = [rng.permutation(len(factors)) for _ in range(N_SHUFFLES)]

    def mig_and_sap(rows: np.ndarray, paired: np.ndarray) -> np.ndarray:
        information = mutual_information(binned[rows], values[paired])
        return np.array(
            [information_gap(information), information_gap(squared_correlation(kept[rows], factors[paired]))]
        )

    def dci(rows: np.ndarray, paired: np.ndarray) -> np.ndarray:
        weights, predicted = feature_importances(kept[rows], factors[paired], seed=seed)
        return np.array([*dci_scores(weights), predicted.mean()])

    scores = [
        *_jackknife_scores(("MIG", "SAP"), mig_and_sap, len(codes), shuffles, seed),
        *_jackknife_scores(("DCI disent.", "DCI compl.", "DCI inform."), dci, len(codes), shuffles, seed),
        _factor_vae_score(kept, values, shuffles, seed),
    ]
    return Disentanglement(
        _with_inactive_rows(mutual_information(binned, values), active),
        _with_inactive_rows(feature_importances(kept, factors, seed=seed)[0], active),
        active,
        tuple(scores),
    )


def codes_for_scores(posterior: Posterior, estimator: Literal["means", "samples"], seed: int) -> np.ndarray:
    """Return the codes that scores are computed from.

    Parameters
    ----------
    posterior : Posterior
        Posteriors of N samples.
    estimator : {"means", "samples"}
        Posterior means, or one posterior sample for each x.
    seed : int
        Seed of the samples.

    Returns
    -------
    ndarray, shape (N, D)
        Codes, float64.

    Raises
    ------
    NotApplicable
        If samples are requested of an encoder that is not Gaussian.
    """
    mean = posterior.mean.astype(np.float64)
    if estimator == "means":
        return mean
    return np.asarray(mean + require_std(posterior) * np.random.default_rng(seed).standard_normal(mean.shape))


def check_factors(factors: np.ndarray, total: int) -> np.ndarray:
    """Return factors as a matrix of finite numbers.

    Parameters
    ----------
    factors : array_like, shape (N,) or (N, K)
        Factors.
    total : int
        Number of samples, N.

    Returns
    -------
    ndarray, shape (N, K)
        Factors, float64.

    Raises
    ------
    InputError
        If the factors are not N rows of finite numbers.
    NotApplicable
        If a factor has only one value.
    """
    factors = np.asarray(factors)
    factors = factors[:, None] if factors.ndim == 1 else factors
    if factors.ndim != 2 or factors.dtype.kind not in "fiub" or len(factors) != total:
        raise InputError(
            f"factors has shape {factors.shape} and type {factors.dtype}, but {total} rows of numbers are needed.",
            got=f"{factors.dtype} of shape {factors.shape}",
            expected=f"numbers of shape ({total}, K)",
        )
    factors = factors.astype(np.float64)
    if not np.isfinite(factors).all():
        raise InputError(
            "factors has NaN or infinite values, but scores need finite numbers.",
            got="NaN or infinite factors",
            expected="finite numbers",
            fix="Leave out samples with missing factors.",
        )
    constant = np.flatnonzero(np.ptp(factors, axis=0) == 0)
    if len(constant):
        raise NotApplicable(
            f"Factor {constant[0]} has a single value, so no dimension can correspond to it.", fix="Leave it out."
        )
    return factors


def discretize(values: np.ndarray, n_bins: int) -> np.ndarray:
    """Replace values by the indices of bins.

    Parameters
    ----------
    values : ndarray, shape (N,)
        Values.
    n_bins : int
        Number of bins.

    Returns
    -------
    ndarray of int, shape (N,)
        Indices from 0: one for each distinct value if there are at most `n_bins`, else bins of equal width.
    """
    distinct, codes = np.unique(values, return_inverse=True)
    if len(distinct) <= n_bins:
        return codes
    edges = np.linspace(distinct[0], distinct[-1], n_bins + 1)[1:-1]
    return np.asarray(np.digitize(values, edges))


def mutual_information(binned: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Compute the normalized mutual information of latent dimensions and factors.

    Parameters
    ----------
    binned : ndarray of int, shape (N, D)
        Discrete codes.
    values : ndarray of int, shape (N, K)
        Discrete factors.

    Returns
    -------
    ndarray, shape (D, K)
        I(z_j; v_k) / H(v_k), from 0 to 1.
    """
    from sklearn.metrics import mutual_info_score

    shared = np.array([[mutual_info_score(z, v) for v in values.T] for z in binned.T])
    return np.asarray(shared / np.array([mutual_info_score(v, v) for v in values.T]))


def squared_correlation(codes: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Compute R² of a linear regression of each factor on each latent dimension alone.

    Parameters
    ----------
    codes : ndarray, shape (N, D)
        Codes.
    factors : ndarray, shape (N, K)
        Factors.

    Returns
    -------
    ndarray, shape (D, K)
        R², 0 for a constant dimension.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        both = np.corrcoef(codes, factors, rowvar=False)[: codes.shape[1], codes.shape[1] :]
    return np.asarray(np.nan_to_num(both) ** 2)


def information_gap(matrix: np.ndarray) -> float:
    """Return the mean gap between the best and the second-best dimension of each factor.

    Parameters
    ----------
    matrix : ndarray, shape (D, K)
        Normalized mutual information gives the MIG (Chen et al. 2018, eq. 6), R² the SAP score (Kumar et al. 2018,
        section 3).

    Returns
    -------
    float
        The gap; a single dimension is compared with 0.

    Examples
    --------
    >>> information_gap(np.eye(3))
    1.0
    """
    padded = np.vstack([matrix, np.zeros((1, matrix.shape[1]))])
    ordered = np.sort(padded, axis=0)
    return float((ordered[-1] - ordered[-2]).mean())


def feature_importances(codes: np.ndarray, factors: np.ndarray, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Predict each factor by boosted trees.

    Parameters
    ----------
    codes : ndarray, shape (N, D)
        Codes.
    factors : ndarray, shape (N, K)
        Factors.
    seed : int, default: 0
        Seed of the trees and of the quarter of the samples that is held out.

    Returns
    -------
    importance : ndarray, shape (D, K)
        Importance of each dimension.
    predicted : ndarray, shape (K,)
        R² on held-out samples, at least 0.
    """
    from sklearn.ensemble import GradientBoostingRegressor

    held = np.random.default_rng(seed).permutation(len(codes)) % 4 == 0
    weights, predicted = [], []
    for factor in factors.T:
        trees = GradientBoostingRegressor(n_estimators=N_TREES, random_state=seed).fit(codes[~held], factor[~held])
        weights.append(np.maximum(trees.feature_importances_, 0))  # rounding can give −1e-18
        predicted.append(max(trees.score(codes[held], factor[held]), 0.0))
    return np.stack(weights, axis=1), np.array(predicted)


def dci_scores(importance: np.ndarray) -> tuple[float, float]:
    """Compute DCI disentanglement and completeness (Eastwood & Williams 2018).

    Parameters
    ----------
    importance : ndarray, shape (D, K)
        Importance of each dimension for each factor.

    Returns
    -------
    disentanglement : float
        Mean of 1 − H_K(row), weighted by the importance of the dimension, from 0 to 1.
    completeness : float
        Mean of 1 − H_D(column), weighted by the importance of the factor, from 0 to 1.

    Notes
    -----
    H_K is the entropy to base K of a row that is normalized to sum to 1, H_D that of a column to base D.

    Examples
    --------
    >>> dci_scores(np.eye(3))
    (1.0, 1.0)
    """
    importance = np.asarray(importance, dtype=np.float64)
    if importance.sum() == 0:
        return 0.0, 0.0
    return _mean_purity(importance), _mean_purity(importance.T)


def factor_vae_score(codes: np.ndarray, values: np.ndarray, *, seed: int = 0) -> Estimate:
    """Compute the accuracy of predicting the fixed factor from the least varying dimension.

    Parameters
    ----------
    codes : ndarray, shape (N, D)
        Codes, none constant.
    values : ndarray of int, shape (N, K)
        Discrete factors.
    seed : int, default: 0
        Seed of the votes.

    Returns
    -------
    Estimate
        Accuracy of the majority vote.

    Raises
    ------
    NotApplicable
        If no two samples share a value of some factor.

    Notes
    -----
    The majority vote of Kim & Mnih 2018, section 3.2, is learned from one half of the votes and scored on the other.
    Samples that share a value of a factor are taken from the data.
    """
    rng = np.random.default_rng(seed)
    scaled = codes / codes.std(axis=0)
    votes = np.zeros((2, codes.shape[1], values.shape[1]))
    groups = [[np.flatnonzero(v == value) for value in np.unique(v)] for v in values.T]
    groups = [[rows for rows in shared if len(rows) > 1] for shared in groups]
    if not all(groups):
        raise NotApplicable("No two samples share a value of some factor.", fix="Use fewer bins.")
    for vote in range(N_VOTES):
        factor = int(rng.integers(values.shape[1]))
        shared = groups[factor][rng.integers(len(groups[factor]))]
        rows = rng.choice(shared, min(MAX_VOTE_SAMPLES, len(shared)), replace=False)
        votes[vote % 2, scaled[rows].var(axis=0).argmin(), factor] += 1
    learned = votes[0].argmax(axis=1)
    n_scored = votes[1].sum()
    accuracy = float(votes[1][np.arange(codes.shape[1]), learned].sum() / n_scored)
    return Estimate(accuracy, math.sqrt(accuracy * (1 - accuracy) / n_scored))


def _jackknife_scores(
    names: tuple[str, ...],
    statistic: Callable[[np.ndarray, np.ndarray], np.ndarray],
    n_samples: int,
    shuffles: list[np.ndarray],
    seed: int,
) -> list[Score]:
    """Return scores of `statistic(rows of codes, rows of factors)`, one for each name."""
    every = np.arange(n_samples)
    values = statistic(every, every)
    errors = jackknife_error(lambda rows: statistic(rows, rows), n_samples, n_groups=N_GROUPS, seed=seed)
    nulls = np.mean([statistic(every, shuffled) for shuffled in shuffles], axis=0)
    numbers = zip(names, values, errors, nulls)
    return [Score(float(value), float(error), float(null), name) for name, value, error, null in numbers]


def _factor_vae_score(codes: np.ndarray, values: np.ndarray, shuffles: list[np.ndarray], seed: int) -> Score:
    found = factor_vae_score(codes, values, seed=seed)
    null = np.mean([factor_vae_score(codes, values[shuffled], seed=seed).value for shuffled in shuffles])
    return Score(found.value, found.standard_error, float(null), "FactorVAE")


def _mean_purity(weights: np.ndarray) -> float:
    """Return the mean of 1 − normalized entropy of each row, weighted by the row's share of the total."""
    from scipy.stats import entropy

    if weights.shape[1] == 1:
        return 1.0
    rows = weights[weights.sum(axis=1) > 0]
    purity = 1 - entropy(rows, axis=1) / np.log(weights.shape[1])
    return float((purity * rows.sum(axis=1)).sum() / weights.sum())


def _with_inactive_rows(matrix: np.ndarray, active: np.ndarray) -> np.ndarray:
    """Return the matrix with rows of NaN for inactive dimensions, shape (D, K)."""
    whole = np.full((len(active), matrix.shape[1]), np.nan)
    whole[active] = matrix
    return whole
