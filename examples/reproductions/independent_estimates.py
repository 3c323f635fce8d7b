"""Compute every estimate of vaeviz in a second, independent way, for the codes of a trained VAE.

    vaeviz train mlp --data mnist --latent-dim 10 --binarize true --epochs 10 --out runs/mnist-10
    python examples/reproductions/independent_estimates.py runs/mnist-10

The second computation uses another library (torch.distributions, scikit-learn, SciPy), quadrature, a loop over the
definition, or Monte Carlo with other random numbers. If both use the same numbers, the difference is due to rounding
and has no standard error. If either draws samples, the standard error is that of the difference.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy import integrate, optimize, spatial, stats
from sklearn import linear_model, manifold, metrics, model_selection, neighbors
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal, kl_divergence

import vaeviz
from vaeviz.analysis.aggregate_posterior import aggregate_quantiles, log_aggregate_and_marginals
from vaeviz.analysis.class_structure import class_structure, principal_components
from vaeviz.analysis.disentanglement import (
    dci_scores,
    discretize,
    explained_shares,
    feature_importances,
    information_gap,
    mutual_information,
)
from vaeviz.analysis.estimates import standard_error
from vaeviz.analysis.factors import as_factors
from vaeviz.analysis.importance_bound import importance_bound
from vaeviz.analysis.map_quality import map_quality
from vaeviz.analysis.reconstruction import roc
from vaeviz.analysis.similarity import linear_cka, neighbor_overlap, procrustes
from vaeviz.model.posterior import Posterior

N_CODES = 2000  # codes drawn from q(z)
CHUNK_SIZE = 100  # codes scored at once
N_POINTS = 1000  # for quantities whose cost is quadratic in the number of points, or higher


@dataclass
class Row:
    """One quantity, computed twice."""

    quantity: str
    second_way: str
    ours: float
    theirs: float
    error: float | None = None  # standard error of the difference; None if it is due to rounding
    largest: float | None = None  # largest difference, if the quantity is an array and the numbers are means

    def __str__(self) -> str:
        difference = abs(self.ours - self.theirs) if self.largest is None else self.largest
        error = "" if self.error is None else f"{self.error:.2g}"
        numbers = f"{self.ours:.6g} | {self.theirs:.6g} | {difference:.1e} | {error}"
        return f"| {self.quantity} | {numbers} | {self.second_way} |"


def array_row(quantity: str, second_way: str, ours: np.ndarray, theirs: np.ndarray) -> Row:
    """Return the row of arrays that must agree element by element: their means, and the largest difference."""
    largest = float(np.abs(np.asarray(ours) - np.asarray(theirs)).max())
    return Row(quantity, second_way, float(np.mean(ours)), float(np.mean(theirs)), largest=largest)


def mixture(posterior: Posterior, dim: int | None = None) -> MixtureSameFamily:
    """Return q(z), or q(z_j) of one dimension, as a torch distribution in float64."""
    mean, std = (torch.from_numpy(part).double() for part in (posterior.mean, posterior.std))
    parts = Independent(Normal(mean, std), 1) if dim is None else Normal(mean[:, dim], std[:, dim])
    return MixtureSameFamily(Categorical(logits=torch.zeros(len(mean)).double()), parts)


def log_prob(distribution: MixtureSameFamily, z: torch.Tensor) -> torch.Tensor:
    """Return the log-density of each code, computed in chunks."""
    return torch.cat([distribution.log_prob(piece) for piece in z.split(CHUNK_SIZE)])


def draw_codes(posterior: Posterior, seed: int) -> torch.Tensor:
    """Draw codes from q(z), each from another row, with torch's random numbers."""
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randperm(len(posterior), generator=generator)[:N_CODES]
    mean, std = (torch.from_numpy(part).double()[rows] for part in (posterior.mean, posterior.std))
    return mean + std * torch.randn(mean.shape, generator=generator, dtype=torch.float64)


def densities(posterior: Posterior) -> list[Row]:
    """Compare the aggregate posterior: its density, its marginals, its quantiles."""
    z = draw_codes(posterior, seed=1)[:200]
    ours, marginals = log_aggregate_and_marginals(z.numpy(), posterior)
    theirs = log_prob(mixture(posterior), z).numpy()
    along = [log_prob(mixture(posterior, dim), z[:, dim]).numpy() for dim in range(posterior.size)]

    def quantile(dim: int, level: float) -> float:
        mean, std = posterior.mean[:, dim].astype(float), posterior.std[:, dim].astype(float)
        return optimize.brentq(lambda value: stats.norm.cdf(value, mean, std).mean() - level, -20, 20)

    ends = [[quantile(dim, level) for dim in range(posterior.size)] for level in (0.025, 0.975)]
    torch_mixture = "`torch.distributions.MixtureSameFamily`"
    return [
        array_row("ln q(z), 200 codes", torch_mixture, ours, theirs),
        array_row("ln q(z_j), 200 codes", torch_mixture, marginals, np.stack(along, axis=1)),
        array_row(
            "2.5 and 97.5 % quantiles of q(z_j)",
            "`scipy.optimize.brentq` on the mixture's distribution function",
            aggregate_quantiles(posterior, (0.025, 0.975)),
            np.array(ends),
        ),
    ]


def divergences(posterior: Posterior) -> list[Row]:
    """Compare the KL of each posterior to the prior, and its mean."""
    mean, std = (torch.from_numpy(part).double() for part in (posterior.mean, posterior.std))
    sampled = posterior.mean + posterior.std * np.random.default_rng(5).standard_normal(posterior.mean.shape)
    log_ratio = stats.norm.logpdf(sampled, posterior.mean, posterior.std) - stats.norm.logpdf(sampled)
    return [
        array_row(
            "KL(q(z_j given x) to the prior)",
            "`torch.distributions.kl_divergence`",
            posterior.kl(),
            kl_divergence(Normal(mean, std), Normal(0.0, 1.0)).numpy(),
        ),
        Row(
            "mean KL, all samples",
            "Monte Carlo with `scipy.stats.norm`, one code each",
            float(posterior.kl().sum(axis=1).mean()),
            float(log_ratio.sum(axis=1).mean()),
            float(standard_error(log_ratio.sum(axis=1) - posterior.kl().sum(axis=1))),
        ),
    ]


def kl_parts(posterior: Posterior) -> list[Row]:
    """Compare mutual information and total correlation with torch's mixture on other codes."""
    found = vaeviz.elbo_terms(posterior, n_codes=N_CODES)
    z = draw_codes(posterior, seed=2)
    joint = log_prob(mixture(posterior), z)
    along = torch.stack([log_prob(mixture(posterior, dim), z[:, dim]) for dim in range(posterior.size)], dim=1)
    to_prior = (joint - Normal(0.0, 1.0).log_prob(z).sum(dim=1)).numpy()
    correlation = (joint - along.sum(dim=1)).numpy()
    mutual, total = found.mutual_information, found.total_correlation
    return [
        Row(
            "mutual information",
            "mean KL minus KL(q(z) to the prior), the latter by torch's mixture on other codes",
            mutual.value,
            float(posterior.kl().sum(axis=1).mean() - to_prior.mean()),
            float(np.hypot(mutual.standard_error, standard_error(to_prior))),
        ),
        Row(
            "total correlation",
            "torch's mixture on other codes",
            total.value,
            float(correlation.mean()),
            float(np.hypot(total.standard_error, standard_error(correlation))),
        ),
    ]


def marginal_divergences(posterior: Posterior) -> list[Row]:
    """Compare the KL of each marginal of q(z) to the prior with its integral."""
    kl_sum = vaeviz.elbo_terms(posterior, n_codes=N_CODES).dimension_kl_sum
    quadrature = np.array([marginal_kl(posterior, dim) for dim in range(posterior.size)])
    mismatch = vaeviz.prior_mismatch(posterior, n_codes=N_CODES, n_permutations=100)
    worst = int(np.argmax(np.abs(mismatch.marginal_kl - quadrature) / mismatch.marginal_kl_error))
    return [
        Row(
            "sum of the dimension-wise KL",
            "`scipy.integrate.quad` of each exact marginal",
            kl_sum.value,
            float(quadrature.sum()),
            kl_sum.standard_error,
        ),
        Row(
            f"KL of one marginal, the worst of {posterior.size}",
            "`scipy.integrate.quad`",
            float(mismatch.marginal_kl[worst]),
            float(quadrature[worst]),
            float(mismatch.marginal_kl_error[worst]),
        ),
    ]


def marginal_kl(posterior: Posterior, dim: int) -> float:
    """Return KL(q(z_j) || N(0, 1)) by quadrature."""
    mean, std = posterior.mean[:, dim].astype(float), posterior.std[:, dim].astype(float)

    def integrand(value: float) -> float:
        density = stats.norm.pdf(value, mean, std).mean()
        return density * (np.log(density) - stats.norm.logpdf(value)) if density > 0 else 0.0

    low, high = (mean - 10 * std).min(), (mean + 10 * std).max()
    return integrate.quad(integrand, low, high, limit=200, epsabs=1e-6)[0]


def holes(posterior: Posterior, repeats: int = 4) -> list[Row]:
    """Compare the prior mass where q(z) is low with its definition, computed with torch's random numbers."""
    found = vaeviz.find_holes(posterior, n_codes=N_CODES)
    mean, std = (torch.from_numpy(part).double() for part in (posterior.mean, posterior.std))
    masses = []
    for seed in range(repeats):
        generator = torch.Generator().manual_seed(100 + seed)
        rows = torch.randperm(len(mean), generator=generator)[:N_CODES]
        noise, prior = torch.randn(2, len(rows), posterior.size, generator=generator, dtype=torch.float64)
        own = []
        for piece in torch.arange(len(rows)).split(CHUNK_SIZE):
            z = mean[rows[piece]] + std[rows[piece]] * noise[piece]
            each = Independent(Normal(mean, std), 1).log_prob(z[:, None])
            each[torch.arange(len(piece)), rows[piece]] = -torch.inf
            own.append(torch.logsumexp(each, dim=1) - np.log(len(mean) - 1))
        threshold = torch.quantile(torch.cat(own), found.level)
        masses.append(float((log_prob(mixture(posterior), prior) < threshold).double().mean()))
    error = np.hypot(found.mass.standard_error, np.std(masses, ddof=1) / np.sqrt(repeats))
    how = f"leave-one-out quantile and prior mass by torch, {repeats} × {len(rows):,} other draws of each"
    return [Row("prior mass in holes", how, found.mass.value, float(np.mean(masses)), float(error))]


def kernels(posterior: Posterior) -> list[Row]:
    """Compare MMD² with two loops over its definition."""
    a, b = draw_codes(posterior, seed=3).numpy()[:150], np.random.default_rng(3).standard_normal((150, posterior.size))
    found = vaeviz.mmd_test(a, b, n_permutations=20)

    def mean_kernel(first: np.ndarray, second: np.ndarray, *, others: bool) -> float:
        values = [
            np.exp(-((u - v) ** 2).sum() / (2 * found.length**2))
            for i, u in enumerate(first)
            for j, v in enumerate(second)
            if not (others and i == j)
        ]
        return float(np.mean(values))

    theirs = mean_kernel(a, a, others=True) + mean_kernel(b, b, others=True) - 2 * mean_kernel(a, b, others=False)
    return [Row("MMD² of 150 codes and 150 prior samples", "a double loop", found.squared.value, theirs)]


def bounds(likelihood, x: np.ndarray, posterior: Posterior, decoder, *, images: int = 200, k: int = 100) -> list[Row]:
    """Compare the importance-weighted bound with one in plain torch, with new samples of z."""
    x, posterior = x[:images], posterior[:images]
    found = importance_bound(likelihood, x, posterior, n_draws=k, max_evaluations=None)
    q = Independent(Normal(*(torch.from_numpy(part).double() for part in (posterior.mean, posterior.std))), 1)
    prior = Independent(Normal(torch.zeros(posterior.size).double(), 1.0), 1)
    pixels = torch.from_numpy(x.reshape(len(x), -1)).double()
    repeats = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        for _ in range(5):
            z = q.sample((k,))
            p = vaeviz.decode(decoder, z.reshape(-1, posterior.size).numpy())
            p = torch.from_numpy(p).double().reshape(k, len(x), -1).clamp(1e-12, 1 - 1e-7)
            fit = (pixels * p.log() + (1 - pixels) * (1 - p).log()).sum(dim=2)
            repeats.append(torch.logsumexp(fit + prior.log_prob(z) - q.log_prob(z), dim=0) - np.log(k))
    each = torch.stack(repeats).numpy()
    theirs = each.mean(axis=1)
    between = np.sqrt((found.errors[:, -1] ** 2).sum()) / len(x)
    error = np.hypot(between, theirs.std(ddof=1) / np.sqrt(len(theirs)))
    how = "`torch.logsumexp` of log-densities by `torch.distributions`, 5 other draws"
    return [Row(f"L_{k} of {len(x)} images (nats)", how, float(found.mean[-1]), float(theirs.mean()), float(error))]


def map_measures(z: np.ndarray) -> list[Row]:
    """Compare measures of a PCA map of the codes."""
    mapped = principal_components(z, 2)
    quality = map_quality(z, mapped, (10,))
    near, near_on_map = (spatial.KDTree(points).query(points, k=11)[1][:, 1:] for points in (z, mapped))
    return [
        Row(
            "trustworthiness of a PCA map, k = 10",
            "`sklearn.manifold.trustworthiness`",
            float(quality.mean("trustworthiness")[0]),
            float(manifold.trustworthiness(z, mapped, n_neighbors=10)),
        ),
        Row(
            "continuity of it",
            "the same with map and original exchanged",
            float(quality.mean("continuity")[0]),
            float(manifold.trustworthiness(mapped, z, n_neighbors=10)),
        ),
        Row(
            "neighbor recall of it",
            "`scipy.spatial.KDTree`",
            float(quality.mean("recall")[0]),
            float(np.mean([len(set(a) & set(b)) / 10 for a, b in zip(near, near_on_map)])),
        ),
    ]


def class_measures(z: np.ndarray, labels: np.ndarray) -> list[Row]:
    """Compare the accuracy of the nearest neighbor, and the silhouettes."""
    codes = np.unique(labels, return_inverse=True)[1]
    found = class_structure(z, codes, (1,))
    votes = model_selection.cross_val_predict(
        neighbors.KNeighborsClassifier(1), z, codes, cv=model_selection.LeaveOneOut()
    )
    distances = spatial.distance.cdist(z, z)
    to_classes = np.stack([distances[:, codes == c].sum(axis=1) for c in np.unique(codes)], axis=1)
    counts = np.bincount(codes)
    own = np.arange(len(codes)), codes
    inner = to_classes[own] / (counts[codes] - 1)
    to_classes = to_classes / counts
    to_classes[own] = np.inf
    silhouette = (to_classes.min(axis=1) - inner) / np.maximum(to_classes.min(axis=1), inner)
    return [
        Row(
            "leave-one-out accuracy of the nearest neighbor",
            "`sklearn.model_selection.LeaveOneOut`",
            float(found.accuracy[0]),
            float((votes == codes).mean()),
        ),
        array_row(
            "silhouettes, in order of size",
            "the definition, by `scipy.spatial.distance.cdist`",
            np.sort(found.silhouettes),
            np.sort(silhouette),
        ),
    ]


def alignments(z: np.ndarray, x: np.ndarray) -> list[Row]:
    """Compare measures of similarity between the codes and as many principal components of x."""
    other = principal_components(x, z.shape[1])
    centered = [part - part.mean(axis=0) for part in (z, other)]
    grams = [part @ part.T for part in centered]
    cka = (grams[0] * grams[1]).sum() / np.sqrt((grams[0] ** 2).sum() * (grams[1] ** 2).sum())
    near, near_other = (
        neighbors.kneighbors_graph(part, 10, include_self=False).toarray() for part in (z.astype(float), other)
    )
    return [
        Row("linear CKA to the PCA of x", "HSIC of the centered Gram matrices", linear_cka(z, other), float(cka)),
        Row(
            "Procrustes residual to it",
            "`scipy.spatial.procrustes`",
            procrustes(z, other).residual,
            float(spatial.procrustes(z.astype(float), other)[2]),
        ),
        array_row(
            "neighbors shared with it",
            "`sklearn.neighbors.kneighbors_graph`",
            neighbor_overlap(z, other, 10),
            (near * near_other).sum(axis=1) / 10,
        ),
    ]


def factors(z: np.ndarray, known: dict[str, np.ndarray]) -> list[Row]:
    """Compare MIG, SAP and DCI with their definitions."""
    values = np.stack(list(known.values()), axis=1)
    binned = np.stack([discretize(column, 20) for column in z.T], axis=1)
    declared = as_factors(values, len(values), nominal=())
    held = np.stack([factor.discretize(20) for factor in declared], axis=1)
    shares = np.zeros((z.shape[1], values.shape[1]))
    for j, code in enumerate(binned.T):
        for k, factor in enumerate(held.T):
            table = np.histogram2d(code, factor, bins=(np.arange(21), np.arange(factor.max() + 2)))[0] / len(code)
            shares[j, k] = stats.entropy(table.sum(1)) + stats.entropy(table.sum(0)) - stats.entropy(table.ravel())
            shares[j, k] /= stats.entropy(table.sum(0))
    ordered = np.sort(shares, axis=0)
    fits = np.array(
        [
            [linear_model.LinearRegression().fit(z[:, [j]], v).score(z[:, [j]], v) for v in values.T]
            for j in range(z.shape[1])
        ]
    )
    best = np.sort(fits, axis=0)
    weights = feature_importances(z, declared)[0]
    rows = weights / weights.sum(axis=1, keepdims=True)
    purity = 1 - np.array([stats.entropy(row, base=weights.shape[1]) for row in rows])
    dci = (purity * weights.sum(axis=1)).sum() / weights.sum()
    names = ", ".join(known)
    return [
        Row(
            f"MIG for {names}",
            "entropies of `numpy.histogram2d`",
            information_gap(mutual_information(binned, held)),
            float((ordered[-1] - ordered[-2]).mean()),
        ),
        Row(
            "SAP",
            "`sklearn.linear_model.LinearRegression`",
            information_gap(explained_shares(z, declared)),
            float((best[-1] - best[-2]).mean()),
        ),
        Row("DCI disentanglement", "row entropies to base K, of the same trees", dci_scores(weights)[0], float(dci)),
    ]


def reconstructions(x: np.ndarray, decoder, posterior: Posterior) -> list[Row]:
    """Compare the area under the ROC of reconstruction errors: images against mirrored images, with the same codes."""
    decoded = vaeviz.decode(decoder, posterior.mean).reshape(len(x), -1)
    flat = x.reshape(len(x), -1)
    upright = ((flat - decoded) ** 2).mean(axis=1)
    mirrored = ((x[..., ::-1].reshape(len(x), -1) - decoded) ** 2).mean(axis=1)
    found = roc(upright, mirrored)
    truth = np.arange(2 * len(x)) >= len(x)
    theirs = float(metrics.roc_auc_score(truth, np.concatenate([upright, mirrored])))
    how = "`sklearn.metrics.roc_auc_score`"
    return [Row("area under the ROC of errors, mirrored images", how, found.area.value, theirs)]


def image_factors(x: np.ndarray, labels: np.ndarray | None) -> dict[str, np.ndarray]:
    """Return factors that are known without a model: ink, slant and width by moments, and the label."""
    rows, columns = np.mgrid[: x.shape[1], : x.shape[2]].astype(float)
    ink = x.sum(axis=(1, 2)).astype(float)
    down, across = ((x * grid).sum(axis=(1, 2)) / ink for grid in (rows, columns))
    spread = (x * (columns - across[:, None, None]) ** 2).sum(axis=(1, 2)) / ink
    tall = (x * (rows - down[:, None, None]) ** 2).sum(axis=(1, 2)) / ink
    lean = (x * (columns - across[:, None, None]) * (rows - down[:, None, None])).sum(axis=(1, 2)) / ink
    known = {"ink": ink, "slant": lean / tall, "width": np.sqrt(spread)}
    return known if labels is None else known | {"label": np.asarray(labels, float)}


def compare(run: Path, data_dir: str | None) -> list[Row]:
    """Return all rows for the run."""
    model = vaeviz.open(run)
    data = vaeviz.load_data(model.data["name"], split="test", data_dir=data_dir or model.data["data_dir"])
    posterior = vaeviz.encode(model.encoder, data.x)
    x, some = data.x[:N_POINTS], posterior[:N_POINTS]
    labels = None if data.labels is None else data.labels[:N_POINTS]
    print(f"\n{run.name}: {len(posterior):,} test samples of {data.name}, {posterior.size} latent dimensions")
    return [
        *densities(posterior),
        *divergences(posterior),
        *kl_parts(posterior),
        *marginal_divergences(posterior),
        *holes(posterior),
        *kernels(posterior),
        *bounds(model.inputs["likelihood"], x, some, model.decoder),
        *map_measures(some.mean),
        *([] if labels is None else class_measures(some.mean, labels)),
        *alignments(some.mean, x),
        *factors(some.mean.astype(float), image_factors(x, labels)),
        *reconstructions(x, model.decoder, some),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="run folder of a VAE that was trained on images")
    parser.add_argument("--data-dir", help="folder with the files of its data set")
    args = parser.parse_args()
    table = compare(args.run, args.data_dir)
    print("\n| quantity | vaeviz | second way | difference | its standard error | how |\n|---|---|---|---|---|---|")
    print(*table, sep="\n")
