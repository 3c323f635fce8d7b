"""Published scores of disentanglement: whether latent dimensions correspond to known factors."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from vaeviz.analysis.aggregate_posterior import require_std
from vaeviz.analysis.estimates import Estimate, Score
from vaeviz.analysis.factors import MIN_KNOWN, Factor, as_factors
from vaeviz.analysis.jackknife import jackknife_error
from vaeviz.analysis.subsampling import subsample_rows
from vaeviz.data.batches import PROGRESS_DELAY
from vaeviz.data.out_of_core import take_rows
from vaeviz.errors import InputError, NotApplicable
from vaeviz.model.posterior import Posterior
from vaeviz.plugins.short_repr import ShortRepr

if TYPE_CHECKING:
    import pandas as pd

MAX_SCORED_POINTS = 100_000  # bounds memory; standard errors are below 0.01 long before
MAX_SCORED_DIMS = 64  # those that vary most; forests of more dimensions take minutes
N_SHUFFLES = 5  # random pairings of codes and factors, for the scores at independence
N_GROUPS = 10  # of the jackknife of MIG and SAP
N_FOREST_GROUPS = 5  # of that of DCI; the noise of forests counts more with more groups
DCI_NAMES = ("DCI disent.", "DCI compl.", "DCI inform.")
N_TREES = 50
MIN_LEAF = 5  # samples in a leaf of a tree; smaller leaves fit noise
N_VOTES = 800  # of the FactorVAE score
MAX_VOTE_SAMPLES = 64  # samples that share a factor in each vote


@dataclass(frozen=True, eq=False, repr=False)
class Disentanglement(ShortRepr):
    """Scores of codes (N, D) against factors (N, K).

    Attributes
    ----------
    information : ndarray, shape (D, K)
        Mutual information of a dimension and a factor above that of shuffled factors, as a share of the largest
        possible; NaN for a dimension that is not active and a factor that is not scored.
    importance : ndarray, shape (D, K)
        Importance of a dimension for predicting a factor; NaN as above.
    active : ndarray of bool, shape (D,)
        Whether a dimension was scored.
    scored : ndarray of bool, shape (K,)
        Whether a factor was scored: it is known for at least 40 samples and not constant.
    nominal : ndarray of bool, shape (K,)
        Whether the values of a factor were treated as classes without an order.
    n_values : ndarray of int, shape (K,)
        Number of values or bins of a factor.
    n_bins : int
        Number of bins of a code.
    n_samples : int
        Number of samples that were scored.
    scores : tuple of Score
        MIG, SAP, three scores of DCI, and FactorVAE.
    """

    information: np.ndarray
    importance: np.ndarray
    active: np.ndarray
    scored: np.ndarray
    nominal: np.ndarray
    n_values: np.ndarray
    n_bins: int
    n_samples: int
    scores: tuple[Score, ...]

    @property
    def convention(self) -> str:
        """How codes and factors were made discrete, on which MIG depends."""
        return f"codes in {self.n_bins} bins of equal width, factors in {', '.join(map(str, self.n_values))} values"

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
    codes: np.ndarray,
    factors: Any,
    active: np.ndarray | None = None,
    *,
    n_bins: int = 20,
    nominal: Collection[int] | None = None,
    max_points: int | None = MAX_SCORED_POINTS,
    seed: int = 0,
) -> Disentanglement:
    """Score how well latent dimensions correspond to known factors.

    Parameters
    ----------
    codes : ndarray, shape (N, D)
        Codes, which may be memory-mapped.
    factors : array_like or DataFrame, shape (N, K), or sequence of Factor
        Factors: numbers or classes, see `vaeviz.analysis.factors.as_factors`. Samples with a missing value are left
        out for that factor alone.
    active : ndarray of bool, shape (D,), optional
        Dimensions to score, see `active_dimensions`; by default all. Constant ones are never scored. If there are more
        than 64, those that vary most are.
    n_bins : int, default: 20
        Bins of equal width for codes, and of equal mass for factors with fewer than five samples per value.
    nominal : collection of int, optional
        Indices of the factors whose values have no order; by default they are inferred.
    max_points : int or None, default: 100,000
        Largest number of samples to score. More are subsampled at random; None keeps all.
    seed : int, default: 0
        Seed of the subsample, shuffles, trees, votes and held-out samples.

    Returns
    -------
    Disentanglement
        Scores with standard errors, each with its value for shuffled factors.

    Raises
    ------
    InputError
        If the factors are not N rows, or `n_bins` is below 2.
    NotApplicable
        If there are fewer than 40 samples, no active dimension, or no factor that can be scored.

    Notes
    -----
    MIG and SAP compare the two dimensions with the highest mutual information, or R², for each factor. DCI
    disentanglement, completeness and informativeness use the importances of random forests. FactorVAE predicts
    which factor was fixed from the dimension that varies least. Standard errors are by the jackknife over samples.
    No score depends on the names of classes: a forest predicts a column of 0 and 1 for each, and R² is the share of
    a code's variance between them.

    No score knows periods. MIG and FactorVAE compare the values of a factor for equality only, so that a period makes
    no difference. SAP and DCI take a number as it is, so that orientations of 1° and 359° are far apart: declare such a
    factor as nominal, as published scores treat every factor (Locatello et al. 2019).

    The matrix `information` is adjusted for chance, (I − I₀) / (H(v) − I₀), where I₀ is the mutual information of
    shuffled factors, so that it is about 0 for unrelated ones. MIG is that of Chen et al., without this adjustment.

    References
    ----------
    Chen et al. 2018, "Isolating sources of disentanglement", arXiv:1802.04942.
    Kumar, Sattigeri & Balakrishnan 2018, "Variational inference of disentangled latent concepts", arXiv:1711.00848.
    Eastwood & Williams 2018, "A framework for the quantitative evaluation of disentangled representations", ICLR.
    Kim & Mnih 2018, "Disentangling by factorising", arXiv:1802.05983.
    Locatello et al. 2019, "Challenging common assumptions in the unsupervised learning of disentangled
    representations", arXiv:1811.12359.

    Examples
    --------
    >>> factors = np.random.default_rng(0).integers(4, size=(400, 2))
    >>> found = disentanglement(factors[:, ::-1], factors)
    >>> found.information.round(1).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    from tqdm import tqdm

    if not (isinstance(factors, Sequence) and all(isinstance(factor, Factor) for factor in factors)):
        factors = as_factors(factors, len(codes), nominal=nominal)
    rows = subsample_rows(max_points, len(codes), seed)
    factors, codes = [factor[rows] for factor in factors], take_rows(np.asanyarray(codes), rows).astype(np.float64)
    active, scored = _check_scorable(codes, factors, active, n_bins)
    kept, known = codes[:, active], [factor for factor, is_scored in zip(factors, scored) if is_scored]
    binned = np.stack([discretize(column, n_bins) for column in kept.T], axis=1)
    values = np.stack([factor.discretize(n_bins) for factor in known], axis=1)
    shuffles = [np.random.default_rng((seed, turn)).permutation(len(codes)) for turn in range(N_SHUFFLES)]

    statistics = _statistics(kept, known, binned, values, seed)
    n_computed = sum(1 + n_groups + N_SHUFFLES for _, _, n_groups in statistics)
    scores: list[Score] = []
    with tqdm(total=n_computed, desc="scoring factors", delay=PROGRESS_DELAY, leave=False, disable=None) as bar:
        for names, statistic, n_groups in statistics:
            scores += _jackknife_scores(names, statistic, len(codes), n_groups, shuffles, seed, bar.update)
    chance = np.mean([mutual_information(binned, values[shuffled]) for shuffled in shuffles], axis=0)
    information = np.maximum((mutual_information(binned, values) - chance) / (1 - chance), 0)
    return Disentanglement(
        information=_with_unscored(information, active, scored),
        importance=_with_unscored(feature_importances(kept, known, seed=seed)[0], active, scored),
        active=active,
        scored=scored,
        nominal=np.array([factor.is_nominal for factor in factors]),
        n_values=np.array([len(np.unique(factor.discretize(n_bins)[factor.known])) for factor in factors]),
        n_bins=n_bins,
        n_samples=len(codes),
        scores=tuple(scores),
    )


def _statistics(
    codes: np.ndarray, factors: Sequence[Factor], binned: np.ndarray, values: np.ndarray, seed: int
) -> tuple[tuple[tuple[str, ...], Callable[[np.ndarray, np.ndarray], np.ndarray], int], ...]:
    """Return the names of scores, the function of rows and of their partners that computes them, and their groups."""

    def mig_and_sap(rows: np.ndarray, paired: np.ndarray) -> np.ndarray:
        information = mutual_information(binned[rows], values[paired])
        shares = explained_shares(codes[rows], [factor[paired] for factor in factors])
        return np.array([information_gap(information), information_gap(shares)])

    def dci(rows: np.ndarray, paired: np.ndarray) -> np.ndarray:
        weights, predicted = feature_importances(codes[rows], [factor[paired] for factor in factors], seed=seed)
        return np.array([*dci_scores(weights), predicted.mean()])

    def factor_vae(rows: np.ndarray, paired: np.ndarray) -> np.ndarray:
        return np.array([factor_vae_score(codes[rows], values[paired], seed=seed).value])

    return (
        (("MIG", "SAP"), mig_and_sap, N_GROUPS),
        (DCI_NAMES, dci, N_FOREST_GROUPS),
        (("FactorVAE",), factor_vae, N_GROUPS),
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
        Discrete factors, negative where a value is missing.

    Returns
    -------
    ndarray, shape (D, K)
        I(z_j; v_k) / H(v_k), from 0 to 1.
    """
    shares = np.zeros((binned.shape[1], values.shape[1]))
    for place, column in enumerate(values.T):
        known = np.flatnonzero(column >= 0)
        shares[:, place] = [_shared_entropy(code[known], column[known]) for code in binned.T]
    return shares


def _shared_entropy(code: np.ndarray, value: np.ndarray) -> float:
    """Return I(code; value) / H(value) of two arrays of indices."""
    from scipy.stats import entropy

    n_values = int(value.max()) + 1
    counts = np.bincount(code * n_values + value, minlength=(int(code.max()) + 1) * n_values).reshape(-1, n_values)
    of_value = entropy(counts.sum(axis=0))
    return float(max(entropy(counts.sum(axis=1)) + of_value - entropy(counts.ravel()), 0) / of_value)


def explained_shares(codes: np.ndarray, factors: Sequence[Factor]) -> np.ndarray:
    """Compute R² of a linear regression between each latent dimension alone and each factor.

    Parameters
    ----------
    codes : ndarray, shape (N, D)
        Codes.
    factors : sequence of Factor
        K factors.

    Returns
    -------
    ndarray, shape (D, K)
        Squared correlation with a number; for classes the share of a dimension's variance that is between them
        (Fisher's correlation ratio). 0 for a constant dimension.
    """
    shares = np.zeros((codes.shape[1], len(factors)))
    for place, factor in enumerate(factors):
        known = factor.known
        targets = factor.targets()[known].astype(np.float64)
        centered = codes[known] - codes[known].mean(axis=0)
        design = targets if factor.is_nominal else np.column_stack([np.ones(len(known)), targets])
        fitted = design @ np.linalg.lstsq(design, centered, rcond=None)[0]
        total = (centered**2).sum(axis=0)
        shares[:, place] = (fitted**2).sum(axis=0) / np.where(total > 0, total, 1)
    return shares


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


def feature_importances(
    codes: np.ndarray, factors: Sequence[Factor], *, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Predict each factor by a random forest.

    Parameters
    ----------
    codes : ndarray, shape (N, D)
        Codes.
    factors : sequence of Factor
        K factors.
    seed : int, default: 0
        Seed of the trees and of the quarter of the samples that is held out.

    Returns
    -------
    importance : ndarray, shape (D, K)
        Importance of each dimension: its share of the reduction of variance.
    predicted : ndarray, shape (K,)
        R² on held-out samples, at least 0; over all columns of 0 and 1 for classes.
    """
    from sklearn.ensemble import RandomForestRegressor

    held = np.random.default_rng(seed).permutation(len(codes)) % 4 == 0
    weights, predicted = [], []
    for factor in factors:
        known = factor.codes >= 0
        targets, train, test = factor.targets(), known & ~held, known & held
        forest = RandomForestRegressor(N_TREES, min_samples_leaf=MIN_LEAF, random_state=seed)
        forest.fit(codes[train], targets[train].squeeze(axis=1) if targets.shape[1] == 1 else targets[train])
        left = ((targets[test] - forest.predict(codes[test]).reshape(test.sum(), -1)) ** 2).sum()
        total = ((targets[test] - targets[test].mean(axis=0)) ** 2).sum()
        weights.append(forest.feature_importances_)
        predicted.append(max(1 - left / total, 0.0) if total > 0 else 0.0)
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
        Discrete factors, negative where a value is missing.
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
    groups = [[np.flatnonzero(v == value) for value in np.unique(v[v >= 0])] for v in values.T]
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
    n_groups: int,
    shuffles: list[np.ndarray],
    seed: int,
    report: Callable[[int], Any],
) -> list[Score]:
    """Return scores of `statistic(rows of codes, rows of factors)`, one for each name. `report` counts its calls."""

    def compute(rows: np.ndarray, paired: np.ndarray) -> np.ndarray:
        report(1)
        return statistic(rows, paired)

    every = np.arange(n_samples)
    values = compute(every, every)
    errors = jackknife_error(lambda rows: compute(rows, rows), n_samples, n_groups=n_groups, seed=seed)
    nulls = np.mean([compute(every, shuffled) for shuffled in shuffles], axis=0)
    numbers = zip(names, values, errors, nulls)
    return [Score(float(value), float(error), float(null), name) for name, value, error, null in numbers]


def _mean_purity(weights: np.ndarray) -> float:
    """Return the mean of 1 − normalized entropy of each row, weighted by the row's share of the total."""
    from scipy.stats import entropy

    if weights.shape[1] == 1:
        return 1.0
    rows = weights[weights.sum(axis=1) > 0]
    purity = 1 - entropy(rows, axis=1) / np.log(weights.shape[1])
    return float((purity * rows.sum(axis=1)).sum() / weights.sum())


def _check_scorable(
    codes: np.ndarray, factors: Sequence[Factor], active: np.ndarray | None, n_bins: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the dimensions (D,) and the factors (K,) that can be scored."""
    if n_bins < 2:
        raise InputError(
            f"n_bins = {n_bins}, but at least 2 bins are needed.", got=f"n_bins = {n_bins}", expected="2 or more"
        )
    if len(codes) < MIN_KNOWN:
        raise NotApplicable(f"Scores of {len(codes)} samples would be noise; they need at least {MIN_KNOWN}.")
    active = (np.ptp(codes, axis=0) > 0) & (True if active is None else np.asarray(active, dtype=bool))
    if not active.any():
        raise NotApplicable("No latent dimension is active, so there is nothing to compare with the factors.")
    scored = np.array([factor.can_be_scored for factor in factors])
    if not scored.any():
        raise NotApplicable(
            f"No factor is known for {MIN_KNOWN} samples with different values, so no dimension can correspond to one."
        )
    varied = np.flatnonzero(active)
    varied = varied[np.argsort(-codes[:, varied].var(axis=0), kind="stable")[:MAX_SCORED_DIMS]]
    return np.isin(np.arange(codes.shape[1]), varied), scored


def _with_unscored(matrix: np.ndarray, active: np.ndarray, scored: np.ndarray) -> np.ndarray:
    """Return the matrix with NaN for inactive dimensions and factors that are not scored, shape (D, K)."""
    whole = np.full((len(active), len(scored)), np.nan)
    whole[np.ix_(active, scored)] = matrix
    return whole
