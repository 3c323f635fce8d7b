"""Do latent dimensions stand for known factors? Four published scores, each beside its value at independence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from vaeviz.analysis.jackknife import jackknife_error
from vaeviz.errors import InputError, NotApplicable
from vaeviz.model.posterior import Posterior

SHUFFLES = 5  # random pairings of codes and factors, for the scores at independence
FEWEST = 40  # samples; a quarter of them are held out for DCI's informativeness
GROUPS = 5  # of the jackknife
TREES = 50
VOTES, SHARING = 800, 64  # of the FactorVAE score: votes, and samples that share a factor in each


@dataclass(frozen=True)
class Score:
    """A score with its standard error, and its mean value where codes and factors are independent."""

    name: str
    value: float
    error: float
    null: float


@dataclass(frozen=True, eq=False)
class Disentanglement:
    """The scores of codes (N, D) against factors (N, K).

    information: (D, K) mutual information of a dimension and a factor as a share of the factor's entropy, NaN for a
    dimension that was masked. importance: (D, K) of a dimension for predicting a factor, likewise.
    active: (D,) whether a dimension took part. scores: MIG, SAP, DCI and FactorVAE.
    """

    information: np.ndarray
    importance: np.ndarray
    active: np.ndarray
    scores: tuple[Score, ...]


def disentanglement(
    codes: np.ndarray, factors: np.ndarray, active: np.ndarray | None = None, *, bins: int = 20, seed: int = 0
) -> Disentanglement:
    """MIG, SAP, DCI disentanglement, completeness and informativeness, and the FactorVAE score.

    codes: (N, D). factors: (N, K) numbers. active: (D,) mask of the dimensions to look at; constant ones are left
    out anyway. bins: of equal width, for the codes and for factors of more values than that.
    """
    if bins < 2:
        raise InputError(f"bins = {bins}: expected 2 or more")
    codes, factors = np.asarray(codes, dtype=np.float64), check_factors(factors, len(codes))
    if len(codes) < FEWEST:
        raise NotApplicable(f"scores of {len(codes)} samples would be noise; they need {FEWEST} or more")
    active = (np.ptp(codes, axis=0) > 0) & (True if active is None else np.asarray(active, dtype=bool))
    if not active.any():
        raise NotApplicable("no dimension carries information, there is nothing to hold against the factors")
    kept = codes[:, active]
    binned, values = (np.stack([discretize(c, bins) for c in part.T], axis=1) for part in (kept, factors))
    rng = np.random.default_rng(seed)
    shuffles = [rng.permutation(len(factors)) for _ in range(SHUFFLES)]

    def mig_and_sap(rows: np.ndarray, paired: np.ndarray) -> np.ndarray:
        return np.array(
            [
                information_gap(mutual_information(binned[rows], values[paired])),
                information_gap(squared_correlation(kept[rows], factors[paired])),
            ]
        )

    def dci(rows: np.ndarray, paired: np.ndarray) -> np.ndarray:
        weights, predicted = feature_importances(kept[rows], factors[paired], seed=seed)
        return np.array([*dci_scores(weights), predicted.mean()])

    pairings = {("MIG", "SAP"): mig_and_sap, ("DCI disent.", "DCI compl.", "DCI inform."): dci}
    scores = [score for names, of in pairings.items() for score in _scored(names, of, len(codes), shuffles, seed)]
    scores.append(_factor_vae(kept, values, shuffles, seed))
    return Disentanglement(
        _spread(mutual_information(binned, values), active),
        _spread(feature_importances(kept, factors, seed=seed)[0], active),
        active,
        tuple(scores),
    )


def codes_for_scores(posterior: Posterior, estimator: Literal["means", "samples"], seed: int) -> np.ndarray:
    """The posterior means (N, D), or one posterior sample for each x."""
    if estimator == "means":
        return posterior.mean.astype(np.float64)
    if posterior.std is None:
        raise NotApplicable(f"{posterior.why_no_spread}; or use estimator='means'")
    return posterior.mean + posterior.std * np.random.default_rng(seed).standard_normal(posterior.mean.shape)


def check_factors(factors: np.ndarray, total: int) -> np.ndarray:
    """`factors` as numbers (N, K), each of two or more values; else `InputError` or `NotApplicable`."""
    factors = np.asarray(factors)
    factors = factors[:, None] if factors.ndim == 1 else factors
    if factors.ndim != 2 or factors.dtype.kind not in "fiub" or len(factors) != total:
        raise InputError(f"factors: got {factors.dtype} of shape {factors.shape}, expected numbers ({total}, K)")
    factors = factors.astype(np.float64)
    if not np.isfinite(factors).all():
        raise InputError("factors: got NaN or infinite values")
    constant = np.flatnonzero(np.ptp(factors, axis=0) == 0)
    if len(constant):
        raise NotApplicable(f"factor {constant[0]} has one value only, nothing can stand for it")
    return factors


def discretize(values: np.ndarray, bins: int) -> np.ndarray:
    """Values (N,) as codes from 0: each distinct value its own if there are at most `bins`, else equal widths."""
    distinct, codes = np.unique(values, return_inverse=True)
    if len(distinct) <= bins:
        return codes
    edges = np.linspace(distinct[0], distinct[-1], bins + 1)[1:-1]
    return np.digitize(values, edges)


def mutual_information(binned: np.ndarray, values: np.ndarray) -> np.ndarray:
    """I(z_j; v_k) / H(v_k) from discrete codes (N, D) and factors (N, K): (D, K), from 0 to 1."""
    from sklearn.metrics import mutual_info_score

    shared = np.array([[mutual_info_score(z, v) for v in values.T] for z in binned.T])
    return shared / np.array([mutual_info_score(v, v) for v in values.T])


def squared_correlation(codes: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """R² of a linear regression of each factor on each dimension alone, (D, K)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        both = np.corrcoef(codes, factors, rowvar=False)[: codes.shape[1], codes.shape[1] :]
    return np.nan_to_num(both) ** 2


def information_gap(matrix: np.ndarray) -> float:
    """How far the best dimension of a factor lies above the second best, averaged over the factors.

    Of normalized information the MIG (Chen et al. 2018, eq. 6), of R² the SAP score (Kumar et al. 2018, section 3).
    """
    padded = np.vstack([matrix, np.zeros((1, matrix.shape[1]))])  # a single dimension has no rival
    ordered = np.sort(padded, axis=0)
    return float((ordered[-1] - ordered[-2]).mean())


def feature_importances(codes: np.ndarray, factors: np.ndarray, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(importance of each dimension (D, K), R² of each factor on held-out samples (K,)) by boosted trees.

    Fitted on three of four samples, scored on the rest. R² below 0 counts as 0.
    """
    from sklearn.ensemble import GradientBoostingRegressor

    held = np.random.default_rng(seed).permutation(len(codes)) % 4 == 0
    weights, predicted = [], []
    for factor in factors.T:
        trees = GradientBoostingRegressor(n_estimators=TREES, random_state=seed).fit(codes[~held], factor[~held])
        weights.append(np.maximum(trees.feature_importances_, 0))  # rounding can leave −1e-18
        predicted.append(max(trees.score(codes[held], factor[held]), 0.0))
    return np.stack(weights, axis=1), np.array(predicted)


def dci_scores(importance: np.ndarray) -> tuple[float, float]:
    """(disentanglement, completeness) of an importance matrix (D, K), from 0 to 1 (Eastwood & Williams 2018).

    Disentanglement: 1 − H_K(row), weighted by the importance of the dimension. Completeness: 1 − H_D(column), averaged
    over the factors, likewise weighted.
    """
    importance = np.asarray(importance, dtype=np.float64)
    if importance.sum() == 0:
        return 0.0, 0.0
    return _purity(importance), _purity(importance.T)


def factor_vae_score(codes: np.ndarray, values: np.ndarray, *, seed: int = 0) -> tuple[float, float]:
    """(accuracy, standard error) of telling which factor was held fixed by the least varying dimension.

    codes: (N, D). values: (N, K) discrete. Kim & Mnih 2018, section 3.2: a majority vote, here learned on one half
    of the votes and scored on the other. The samples that share a value come from the data at hand.
    """
    rng = np.random.default_rng(seed)
    scaled = codes / codes.std(axis=0)
    votes = np.zeros((2, codes.shape[1], values.shape[1]))
    groups = [[np.flatnonzero(v == value) for value in np.unique(v)] for v in values.T]
    groups = [[rows for rows in shared if len(rows) > 1] for shared in groups]
    if not all(groups):
        raise NotApplicable("no two samples share a value of some factor; use fewer bins")
    for vote in range(VOTES):
        factor = int(rng.integers(values.shape[1]))
        shared = groups[factor][rng.integers(len(groups[factor]))]
        rows = rng.choice(shared, min(SHARING, len(shared)), replace=False)
        votes[vote % 2, scaled[rows].var(axis=0).argmin(), factor] += 1
    learned = votes[0].argmax(axis=1)
    accuracy = votes[1][np.arange(codes.shape[1]), learned].sum() / votes[1].sum()
    return float(accuracy), float(np.sqrt(accuracy * (1 - accuracy) / votes[1].sum()))


def _scored(names: tuple[str, ...], of: Callable, total: int, shuffles: list[np.ndarray], seed: int) -> list[Score]:
    every = np.arange(total)
    values = of(every, every)
    errors = jackknife_error(lambda rows: of(rows, rows), total, groups=GROUPS, seed=seed)
    nulls = np.mean([of(every, shuffled) for shuffled in shuffles], axis=0)
    return [Score(name, *map(float, parts)) for name, *parts in zip(names, values, errors, nulls)]


def _factor_vae(codes: np.ndarray, values: np.ndarray, shuffles: list[np.ndarray], seed: int) -> Score:
    null = np.mean([factor_vae_score(codes, values[shuffled], seed=seed)[0] for shuffled in shuffles])
    return Score("FactorVAE", *factor_vae_score(codes, values, seed=seed), float(null))


def _purity(weights: np.ndarray) -> float:
    """1 − entropy of each row in units of its largest, weighted by the row's share of all."""
    from scipy.stats import entropy

    if weights.shape[1] == 1:
        return 1.0
    rows = weights[weights.sum(axis=1) > 0]
    purity = 1 - entropy(rows, axis=1) / np.log(weights.shape[1])
    return float((purity * rows.sum(axis=1)).sum() / weights.sum())


def _spread(matrix: np.ndarray, active: np.ndarray) -> np.ndarray:
    """The rows of a matrix at the active dimensions, NaN at the masked ones."""
    whole = np.full((len(active), matrix.shape[1]), np.nan)
    whole[active] = matrix
    return whole
