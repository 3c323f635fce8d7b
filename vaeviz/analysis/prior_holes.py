"""Holes: regions where the prior has mass and the aggregate posterior has almost none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from vaeviz.analysis.active_dimensions import most_active_dims
from vaeviz.analysis.aggregate_posterior import (
    MAX_POSTERIORS,
    analysis_rng,
    check_gaussian_posterior,
    log_aggregate,
    require_std,
    sample_codes,
    sample_rows,
    subsample_posteriors,
)
from vaeviz.analysis.estimates import N_ERRORS, Estimate
from vaeviz.analysis.shared_estimates import shared_estimate
from vaeviz.errors import InputError
from vaeviz.model.posterior import Posterior
from vaeviz.plugins.options import check_arguments
from vaeviz.plugins.short_repr import ShortRepr

if TYPE_CHECKING:
    import pandas as pd

N_RESAMPLES = 400  # of the bootstrap; its error of the standard error is then about 4 %
N_FOLDS = 5  # of the cross-validation
MIN_FOLD_CODES = 20  # in each set; fewer codes train no classifier
MAX_COMPARED_DIMS = 128  # the most active ones; among more, scores take minutes and find nothing
MAX_SCORES = 4_000_000_000  # triples of code, posterior and dimension; some ten seconds of one core
N_KNOTS = 6  # of the splines, at quantiles
SPLINE_STRENGTH = 0.005  # inverse penalty of the additive classifier; weak evidence in 64 dimensions is then kept
EMPTY_SHARES = {0.25: "quarter-empty", 0.5: "half-empty"}  # of the prior, planted to tell which holes would be seen
SHRINKAGE = 0.05  # of the covariances of the quadratic classifier towards the identity


@dataclass(frozen=True, eq=False, repr=False)
class HoleScores(ShortRepr):
    """Scores that are low where q(z) is lower than the prior, and the share of the prior with low ones.

    Attributes
    ----------
    name : {"density", "additive classifier", "quadratic classifier"}
        The score: ln q(z), or a classifier's log-ratio of q(z) and the prior, in nats.
    own : ndarray, shape (S,)
        Scores of samples of q, each held out: without its own component, or from training.
    prior : ndarray, shape (M,)
        Scores of samples of the prior.
    threshold : float
        Quantile of `own` below which a sample is in a hole.
    mass : Estimate
        Share of the prior below the threshold.
    """

    name: Literal["density", "additive classifier", "quadratic classifier"]
    own: np.ndarray
    prior: np.ndarray
    threshold: float
    mass: Estimate


@dataclass(frozen=True, eq=False, repr=False)
class Holes(ShortRepr):
    """Share of the prior where q(z) is lower than at almost all of its own samples.

    Attributes
    ----------
    scores : tuple of HoleScores
        Results by each score; that with the largest mass decides.
    codes : ndarray, shape (M, D)
        The samples of the prior.
    level : float
        Quantile of q's own scores that bounds a hole; the mass if q(z) is the prior.
    tolerance : float
        Largest mass for which the prior counts as covered.
    visible_share : float
        Smallest empty share of the prior, of 0.25 and 0.5, that would be flagged for as many codes and posteriors of
        the same spread; 1 if neither would.
    n_posteriors : int
        Number of posteriors in the mixture q(z) of which the density was computed.
    density_dims : tuple of int
        Dimensions in which ln q(z) was computed, the most active ones.
    classified_dims : tuple of int
        Dimensions that the classifiers compared, as many of the most active ones as the number of codes allows.
    """

    scores: tuple[HoleScores, ...]
    codes: np.ndarray
    level: float
    tolerance: float
    visible_share: float
    n_posteriors: int
    density_dims: tuple[int, ...]
    classified_dims: tuple[int, ...]

    @property
    def decisive(self) -> HoleScores:
        """The result with the largest mass."""
        return max(self.scores, key=lambda scores: scores.mass.value)

    @property
    def mass(self) -> Estimate:
        """Share of the prior in holes."""
        return self.decisive.mass

    @property
    def threshold(self) -> float:
        """Score that bounds a hole."""
        return self.decisive.threshold

    @property
    def own(self) -> np.ndarray:
        """Scores of samples of q, shape (S,)."""
        return self.decisive.own

    @property
    def prior(self) -> np.ndarray:
        """Scores of samples of the prior, shape (M,)."""
        return self.decisive.prior

    @property
    def in_hole(self) -> np.ndarray:
        """Whether each sample of the prior is in a hole, shape (M,)."""
        return np.asarray(self.prior < self.threshold)

    @property
    def flagged(self) -> bool:
        """Whether the mass exceeds the tolerance by more than two standard errors."""
        return self.mass.value - N_ERRORS * self.mass.standard_error > self.tolerance

    @property
    def unseen(self) -> str:
        """Name of the emptiest prior that would not be flagged, "quarter-empty" or "half-empty"; empty if all would."""
        missed = [name for share, name in EMPTY_SHARES.items() if share < self.visible_share]
        return missed[-1] if missed else ""

    @property
    def covered(self) -> bool:
        """Whether the mass is within the tolerance by two standard errors, and a quarter-empty prior would be seen."""
        return not self.unseen and self.mass.value + N_ERRORS * self.mass.standard_error <= self.tolerance

    def to_frame(self) -> pd.DataFrame:
        """Return a table with one row per sample of the prior.

        Returns
        -------
        pandas.DataFrame
            Columns ``z1``, ``z2``, … (the code), the score by each of `scores`, and ``in_hole``.
        """
        import pandas as pd

        codes = {f"z{dim + 1}": column for dim, column in enumerate(self.codes.T)}
        scores = {scores.name.replace(" ", "_"): scores.prior for scores in self.scores}
        return pd.DataFrame({**codes, **scores, "in_hole": self.in_hole})


def find_holes(
    posterior: Posterior,
    *,
    n_codes: int = 2000,
    level: float = 0.01,
    tolerance: float = 0.05,
    max_points: int | None = MAX_POSTERIORS,
    seed: int = 0,
) -> Holes:
    """Measure the share of the prior where the aggregate posterior has almost no mass.

    Parameters
    ----------
    posterior : Posterior
        Gaussian posteriors of N samples with a known prior.
    n_codes : int, default: 2000
        Number of samples of the prior, and largest number of samples of q(z) (from different rows). All are scored
        under the whole mixture.
    level : float, default: 0.01
        Quantile of q's own scores that bounds a hole.
    tolerance : float, default: 0.05
        Largest mass for which the prior counts as covered, one prior sample in twenty.
    max_points : int or None, default: 100000
        Largest number of posteriors in the mixture q(z), chosen at random; None for all. There are fewer if that many
        would take minutes: 4e9 triples of code, posterior and dimension are scored, so 7,812 posteriors for the default
        number of codes in 128 dimensions. `Holes.n_posteriors` says how many there were.
    seed : int, default: 0
        Seed of all random choices.

    Returns
    -------
    Holes
        The mass with its standard error, and all scores.

    Raises
    ------
    NotApplicable
        If the posteriors are not Gaussian, fewer than two, or without a known prior.
    InputError
        If `level` or `tolerance` is not a share.

    Notes
    -----
    A hole is where a score falls below its `level` quantile at q's own samples. There are three scores:

    1. ln q(z) under the mixture, leave-one-out for q's own samples. With its own component every sample seems
       typical, and the quantile calls most of a high-dimensional prior a hole, even for a perfect model. It finds
       holes of any shape in few dimensions. In many, all distances are alike and it finds nothing; where q(z) is far
       from the prior or has distant outliers, its threshold is low.
    2. The log-ratio of a logistic regression between codes and samples of the prior on splines of each coordinate and
       of the norm, for samples it was not trained on (a classifier two-sample test). It finds missing half-spaces,
       strips and shells.
    3. The same of a quadratic discriminant, which finds dependent dimensions.

    The density is that of the 128 most active dimensions, and the classifiers compare at most half as many dimensions
    as there are codes: a dimension whose posterior is the prior has no hole.

    In 2,000 codes of 2, 20 and 64 dimensions, a half-empty prior (along a random direction, σ = 0.1) has a mass of 45,
    38 and 20 %, and a quarter-empty one of 22, 13 and 5 %. `visible_share` says which would be flagged: codes of such
    priors with the same spread are drawn and scored in the same way. The standard error is by bootstrap over both sets
    of scores, including the uncertainty of the threshold.

    References
    ----------
    Rosca, Lakshminarayanan & Mohamed 2018, "Distribution Matching in Variational Inference", arXiv:1802.06847, use
    prior samples of low q(z).
    Lopez-Paz & Oquab 2017, "Revisiting classifier two-sample tests", ICLR, arXiv:1610.06545.

    Examples
    --------
    No code is in the upper half of the first of 20 dimensions:

    >>> mean = np.random.default_rng(0).standard_normal((1000, 20))
    >>> mean[:, 0] = -np.abs(mean[:, 0])
    >>> found = find_holes(Posterior(mean, np.full(mean.shape, 0.1), "normal"), n_codes=500)
    >>> found.flagged, found.decisive.name
    (True, 'additive classifier')
    """
    check_arguments(find_holes, locals())
    posterior = subsample_posteriors(check_gaussian_posterior(posterior), max_points, seed)
    if not 0 < level < 1 or not 0 <= tolerance < 1:
        raise InputError(
            f"level = {level:g} and tolerance = {tolerance:g} are not both shares between 0 and 1.",
            got=f"level = {level:g}, tolerance = {tolerance:g}",
            expected="0 < level < 1 and 0 <= tolerance < 1",
        )
    n_dims, n_least = min(posterior.size, MAX_COMPARED_DIMS), max(n_codes, 2)
    posterior = subsample_posteriors(posterior, max(n_least, MAX_SCORES // (2 * n_least * n_dims)), seed)
    return _score_holes(posterior, n_codes=n_codes, level=level, tolerance=tolerance, seed=seed)


@shared_estimate
def _score_holes(posterior: Posterior, *, n_codes: int, level: float, tolerance: float, seed: int) -> Holes:
    """Draw codes from q(z) and from the prior, and compare their scores."""
    rng, n_dims = analysis_rng(seed), min(posterior.size, MAX_COMPARED_DIMS)
    rows = sample_rows(posterior, n_codes, rng)
    drawn, codes = sample_codes(posterior, rows, rng), rng.standard_normal((n_codes, posterior.size))
    density_dims = most_active_dims(posterior, n_dims)
    marginal = Posterior(posterior.mean[:, density_dims], require_std(posterior)[:, density_dims], "normal")
    own = log_aggregate(drawn[:, density_dims], marginal, left_out=rows)
    prior = log_aggregate(codes[:, density_dims], marginal)
    dims = most_active_dims(posterior, min(n_dims, min(len(drawn), n_codes) // 2))
    std, compared = require_std(posterior)[rows][:, dims].astype(np.float64), codes[:, dims]
    by_classifiers = _classifier_scores(drawn[:, dims], compared, level, rng)
    found = (_hole_scores("density", own, prior, level, rng), *by_classifiers)

    def is_visible(share: float) -> bool:
        planted = _classifier_scores(_partial_codes(std, share, rng), compared, level, rng)
        return any(scores.mass.value - N_ERRORS * scores.mass.standard_error > tolerance for scores in planted)

    visible_share = next((share for share in EMPTY_SHARES if is_visible(share)), 1.0)
    return Holes(found, codes, level, tolerance, visible_share, len(posterior), density_dims, dims)


def _hole_scores(name: Any, own: np.ndarray, prior: np.ndarray, level: float, rng: np.random.Generator) -> HoleScores:
    threshold = float(np.quantile(own, level))
    mass = Estimate(float((prior < threshold).mean()), _bootstrap_error(own, prior, level, rng))
    return HoleScores(name, own, prior, threshold, mass)


def _classifier_scores(
    own: np.ndarray, prior: np.ndarray, level: float, rng: np.random.Generator
) -> Iterator[HoleScores]:
    """Yield the scores of two classifiers of codes and samples of the prior; none for too few codes."""
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    if min(len(own), len(prior)) < N_FOLDS * MIN_FOLD_CODES:
        return
    points, is_own = np.concatenate([own, prior]), np.arange(len(own) + len(prior)) < len(own)
    folds = StratifiedKFold(N_FOLDS, shuffle=True, random_state=int(rng.integers(1 << 31)))
    for name, classifier in (("additive classifier", _additive()), ("quadratic classifier", _quadratic())):
        scores = cross_val_predict(classifier, points, is_own, cv=folds, method="decision_function")
        yield _hole_scores(name, scores[is_own], scores[~is_own], level, rng)


def _additive() -> Any:
    """Return a logistic regression on splines of each coordinate and of the norm."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, SplineTransformer, StandardScaler

    return make_pipeline(
        FunctionTransformer(_append_norm),
        SplineTransformer(n_knots=N_KNOTS, degree=2, knots="quantile", extrapolation="linear"),
        StandardScaler(),
        LogisticRegression(C=SPLINE_STRENGTH, max_iter=200),
    )


def _quadratic() -> Any:
    from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis

    return QuadraticDiscriminantAnalysis(reg_param=SHRINKAGE)


def _append_norm(points: np.ndarray) -> np.ndarray:
    return np.column_stack([points, np.linalg.norm(points, axis=1)])


def _partial_codes(std: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Return codes of posteriors with these standard deviations (S, D) that leave a share of the prior empty.

    The means lie below a quantile of the prior along a random direction, as far as the spread leaves room for it in
    each dimension.
    """
    from scipy.special import ndtr, ndtri

    std = np.minimum(std, 1)
    room = np.sqrt(1 - std**2)
    direction = rng.standard_normal(std.shape[1]) * room.mean(axis=0)
    direction /= max(np.linalg.norm(direction), np.finfo(float).tiny)
    centers = rng.standard_normal(std.shape)
    along = centers @ direction
    centers += (ndtri((1 - share) * ndtr(along)) - along)[:, None] * direction
    return np.asarray(room * centers + std * rng.standard_normal(std.shape))


def _bootstrap_error(own: np.ndarray, prior: np.ndarray, level: float, rng: np.random.Generator) -> float:
    """Return the standard deviation of the mass over resamples of both sets of scores.

    The sorted places of n resampled scores among n are the integer parts of n sorted uniform numbers times n. The
    quantile needs two neighbors of them, which have beta distributions, so that no resample is made.
    """
    n_own, n_prior = len(own), len(prior)
    lower, weight = divmod((n_own - 1) * level, 1)
    n_above = n_own - int(lower) - 1
    first = rng.beta(lower + 1, n_own - lower, N_RESAMPLES)
    second = first + (1 - first) * rng.beta(1, max(n_above, 1), N_RESAMPLES)
    ordered = np.sort(own)
    below, above = (ordered[np.minimum((n_own * place).astype(int), n_own - 1)] for place in (first, second))
    shares = np.searchsorted(np.sort(prior), below + weight * (above - below)) / n_prior
    masses = rng.binomial(n_prior, shares) / n_prior  # the same as resampling the prior's scores
    return float(np.std(masses, ddof=1))
