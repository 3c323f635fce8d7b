"""The posterior q(z | x) of a data set."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from vaeviz.data.arrays import as_array
from vaeviz.data.labels import check_labels
from vaeviz.data.out_of_core import is_out_of_core, iterate_rows
from vaeviz.errors import InputError
from vaeviz.plugins.html_table import html_table
from vaeviz.plugins.short_repr import ShortRepr
from vaeviz.plugins.signature import hide_private_parameters

if TYPE_CHECKING:
    import pandas as pd

MAX_HTML_ROWS = 16  # dimensions that a notebook shows


@hide_private_parameters
@dataclass(frozen=True, eq=False, repr=False)
class Posterior(ShortRepr):
    """Diagonal Gaussian posteriors q(z | x), one row per sample.

    Parameters
    ----------
    mean : array_like, shape (N, D)
        Posterior means. NumPy arrays, torch tensors and nested lists are converted to float32. A memory-mapped array of
        float32 stays on the disk.
    std : array_like, shape (N, D), optional
        Posterior standard deviations. None for a deterministic encoder.
    prior : {"normal"}, optional
        ``"normal"`` for p(z) = N(0, I). None if no prior is known.
    code_shape : tuple of int, default ()
        Shape of one code as the model uses it, e.g. ``(4, 8, 8)``. ``()`` means ``(D,)``.
    family : str, optional
        Name of q(z | x) if it is not a Gaussian with independent dimensions. Only its means are kept then.
    condition : array_like, shape (N, ...), optional
        What a conditional encoder received with each sample. Each code is decoded with it.

    Raises
    ------
    InputError
        If the arrays have other shapes, are not finite, or a standard deviation is negative.

    Examples
    --------
    >>> import numpy as np
    >>> from vaeviz import Posterior
    >>> posterior = Posterior(np.zeros((3, 2)), np.ones((3, 2)), prior="normal")
    >>> len(posterior), posterior.size
    (3, 2)
    >>> posterior.kl().sum()
    np.float64(0.0)
    """

    mean: np.ndarray
    std: np.ndarray | None = None
    prior: Literal["normal"] | None = None
    code_shape: tuple[int, ...] = ()
    family: str | None = None
    condition: Any = None
    _input_range: tuple[float, ...] | None = field(default=None, repr=False)
    """The value range that the encoder declares; ``()`` if it declares none. None if that is not known."""

    def __post_init__(self) -> None:
        mean = _float32(self.mean, "means")
        if mean.ndim != 2:
            raise InputError(
                f"The means of a Posterior have shape {mean.shape}, expected (N, D).",
                got=str(mean.shape),
                expected="(N, D)",
                fix="Pass one row per sample.",
            )
        object.__setattr__(self, "mean", mean)
        if self.std is None:
            return
        std = _float32(self.std, "standard deviations")
        if std.shape != mean.shape:
            raise InputError(
                f"The standard deviations of a Posterior have shape {std.shape}, but its means have {mean.shape}.",
                got=str(std.shape),
                expected=str(mean.shape),
            )
        smallest = min((block.min() for block in iterate_rows(std) if block.size), default=0.0)
        if smallest < 0:
            raise InputError(
                f"A Posterior received a negative standard deviation, {smallest:.3g}.",
                got=f"{smallest:.3g}",
                expected="0 or more",
                fix="Pass std=np.exp(0.5 * log_var) if these are log-variances.",
            )
        object.__setattr__(self, "std", std)

    def __len__(self) -> int:
        return len(self.mean)

    def __getitem__(self, rows: Any) -> Posterior:
        std = None if self.std is None else self.std[rows]
        return replace(self, mean=self.mean[rows], std=std, condition=self.condition_of(rows))

    def with_codes(self, codes: np.ndarray, rows: Any = None) -> Posterior:
        """Return other codes for the same decoder.

        Parameters
        ----------
        codes : ndarray, shape (M, D)
            The codes.
        rows : ndarray of int, shape (M,), optional
            The samples that the codes were made from, whose conditions they keep. None for codes made from none.

        Returns
        -------
        Posterior
            The codes as means, without standard deviations.
        """
        return Posterior(codes, code_shape=self.code_shape, condition=None if rows is None else self.condition_of(rows))

    def condition_of(self, rows: Any) -> Any:
        """Return the conditions of some samples.

        Parameters
        ----------
        rows : slice or ndarray
            The samples.

        Returns
        -------
        array_like or None
            Their conditions. None for an unconditional encoder.
        """
        return None if self.condition is None else self.condition[rows]

    @property
    def size(self) -> int:
        """Number of latent dimensions D."""
        return int(self.mean.shape[1])

    @property
    def is_deterministic(self) -> bool:
        """True if the encoder returns codes without a distribution."""
        return self.std is None and self.family is None

    @property
    def code_name(self) -> str:
        """Word for one row of `mean` in titles and labels."""
        return "code" if self.is_deterministic else "posterior mean"

    @property
    def why_no_spread(self) -> str:
        """Reason why `std` is None, and what would change that."""
        needed = "This needs Gaussians with independent dimensions, e.g. an encoder that returns (mean, log_var)."
        if self.family:
            return f"q(z|x) is a {self.family}, of which only the means are used. {needed}"
        return f"The encoder is deterministic and gives no spread of q(z|x). {needed}"

    def kl(self) -> np.ndarray | None:
        """Return the KL divergence of each latent dimension from the prior N(0, 1).

        Returns
        -------
        ndarray of float64, shape (N, D), or None
            KL(q(z_j | x) || N(0, 1)) in nats. None for a deterministic encoder.

        Examples
        --------
        >>> from vaeviz import Posterior
        >>> Posterior([[1.0]], [[1.0]]).kl()
        array([[0.5]])
        """
        if self.std is None:
            return None
        return gaussian_kl(self.mean.astype(np.float64), self.std.astype(np.float64) ** 2)

    def _average(self, function: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> np.ndarray:
        """Average a function of means and standard deviations over the samples, in one pass."""
        stds = itertools.repeat(np.empty(0)) if self.std is None else iterate_rows(self.std)
        blocks = zip(iterate_rows(self.mean), stds)
        sums = (function(mean.astype(np.float64), std.astype(np.float64)).sum(axis=0) for mean, std in blocks)
        return np.asarray(sum(sums) / max(1, len(self)))

    def _repr_html_(self) -> str:
        center = self._average(lambda mean, _: mean)
        columns = {"variance of the means": self._average(lambda mean, _: (mean - center) ** 2)}
        if self.std is not None:
            columns["mean standard deviation"] = self._average(lambda _, std: std)
        if self.std is not None and self.prior == "normal":
            columns = {"mean KL (nats)": self._average(lambda mean, std: gaussian_kl(mean, std**2))} | columns
        shown = min(self.size, MAX_HTML_ROWS)
        rows = [[f"z{j + 1}", *(f"{values[j]:.3g}" for values in columns.values())] for j in range(shown)]
        prior = "prior N(0, I)" if self.prior == "normal" else "no known prior"
        title = f"{len(self):,} {self.code_name}s, {self.size} latent dimension{'s' * (self.size != 1)}, {prior}"
        note = f"{self.size - shown} more dimensions are not shown." if self.size > shown else ""
        return html_table(title, ["dimension", *columns], rows, note)

    def to_frame(self, labels: Any = None) -> pd.DataFrame:
        """Return the posterior means as a table, for pandas and seaborn.

        Parameters
        ----------
        labels : array_like, shape (N,), optional
            One label per sample.

        Returns
        -------
        pandas.DataFrame
            Columns ``z1`` … ``zD`` and, with labels, ``label``. One row per sample.

        Examples
        --------
        >>> from vaeviz import Posterior
        >>> Posterior([[0.0, 1.0], [2.0, 3.0]]).to_frame(labels=["cat", "dog"])
            z1   z2 label
        0  0.0  1.0   cat
        1  2.0  3.0   dog
        """
        import pandas as pd

        frame = pd.DataFrame(self.mean, columns=[f"z{j + 1}" for j in range(self.size)])
        if labels is None:
            return frame
        values: Any = check_labels(labels, len(self))
        if not isinstance(values, np.ndarray):  # classes in an order, which a plain array would lose
            values = pd.Series(pd.Categorical(np.asarray(values), categories=list(values.categories)))
        return frame.assign(label=values)


def gaussian_kl(mean: np.ndarray, var: np.ndarray) -> np.ndarray:
    """Return the KL divergence of one-dimensional Gaussians from N(0, 1).

    Parameters
    ----------
    mean, var : ndarray of float64
        Means and variances, of shapes that can be broadcast.

    Returns
    -------
    ndarray of float64
        KL(N(mean, var) || N(0, 1)) in nats; infinite for a variance of 0.

    Notes
    -----
    ½ (μ² + σ² − 1 − ln σ²), Kingma & Welling (2013), appendix B.

    Examples
    --------
    >>> gaussian_kl(np.array([1.0]), np.array([1.0]))
    array([0.5])
    """
    with np.errstate(divide="ignore"):
        return np.asarray(0.5 * (mean**2 + var - 1 - np.log(var)))


def _float32(values: Any, what: str) -> np.ndarray:
    """Return values as float32; a memory-mapped array of that type stays on the disk."""
    array = as_array(values)
    with np.errstate(over="ignore"):
        array = array.astype(np.float32, copy=not is_out_of_core(array))
    if not all(np.isfinite(block).all() for block in iterate_rows(np.atleast_1d(array))):
        raise InputError(f"The {what} of a Posterior hold NaN or infinite values.", expected="finite values")
    return array
