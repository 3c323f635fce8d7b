"""The posterior q(z | x) of a data set."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from vaeviz.errors import InputError


@dataclass(frozen=True, eq=False)
class Posterior:
    """Diagonal Gaussian posteriors q(z | x), one row a sample.

    mean: (N, D) posterior means.
    std: (N, D) posterior standard deviations, or None for a deterministic encoder.
    prior: "normal" for p(z) = N(0, I), or None where no prior is known.
    code_shape: the shape that one code has for the model, () when it is simply (D,).
    family: the name of q(z | x) where it is known to be no such Gaussian; of it there are the means alone.
    condition: (N, ...) what a conditional encoder was given beside each x, which is also what each code is decoded
        with; None for a plain one.
    """

    mean: np.ndarray
    std: np.ndarray | None = None
    prior: Literal["normal"] | None = None
    code_shape: tuple[int, ...] = ()
    family: str | None = None
    condition: Any = None

    def __post_init__(self) -> None:
        mean = np.asarray(self.mean, dtype=np.float32)
        if mean.ndim != 2:
            raise InputError(f"Posterior: got means of shape {mean.shape}, expected (N, D)")
        object.__setattr__(self, "mean", mean)
        if not np.isfinite(mean).all():
            raise InputError("Posterior: got means with NaN or infinite values")
        if self.std is None:
            return
        std = np.asarray(self.std, dtype=np.float32)
        if std.shape != mean.shape:
            raise InputError(f"Posterior: got std of shape {std.shape}, expected that of the means, {mean.shape}")
        if not np.isfinite(std).all():
            raise InputError("Posterior: got standard deviations with NaN or infinite values")
        if (std < 0).any():
            raise InputError(f"Posterior: got a negative standard deviation, {std.min():.3g}")
        object.__setattr__(self, "std", std)

    def __len__(self) -> int:
        return len(self.mean)

    def __getitem__(self, rows: Any) -> Posterior:
        """The posteriors of some samples (a slice, a mask, or indices)."""
        std = None if self.std is None else self.std[rows]
        return replace(self, mean=self.mean[rows], std=std, condition=self.condition_of(rows))

    def with_codes(self, codes: np.ndarray, rows: Any = None) -> Posterior:
        """Other codes (M, D) for the same decoder; those made of samples, `rows` (M,), keep their conditions."""
        return Posterior(codes, code_shape=self.code_shape, condition=None if rows is None else self.condition_of(rows))

    def condition_of(self, rows: Any) -> Any:
        """The conditions of some samples, None for a plain encoder's."""
        return None if self.condition is None else self.condition[rows]

    @property
    def size(self) -> int:
        """D, the number of latent dimensions."""
        return self.mean.shape[1]

    @property
    def is_deterministic(self) -> bool:
        """Whether the encoder gives codes, and no distribution of them."""
        return self.std is None and self.family is None

    @property
    def code_name(self) -> str:
        """What one of its `mean` is called."""
        return "code" if self.is_deterministic else "posterior mean"

    @property
    def why_no_spread(self) -> str:
        """What is missing where `std` is None, and what would do."""
        wanted = "this needs Gaussians with independent dimensions, e.g. an encoder returning (mean, log_var)"
        if self.family:
            return f"q(z|x) is a {self.family}, of which only the means are used: {wanted}"
        return f"the encoder is deterministic, it gives no spread q(z|x): {wanted}"

    def kl(self) -> np.ndarray | None:
        """KL(q(z_j | x) || N(0, 1)) in nats, (N, D), float64; None for a deterministic encoder.

        ½ (μ² + σ² − 1 − ln σ²), Kingma & Welling 2013, appendix B.
        """
        if self.std is None:
            return None
        mean, var = self.mean.astype(np.float64), self.std.astype(np.float64) ** 2
        with np.errstate(divide="ignore"):
            return 0.5 * (mean**2 + var - 1 - np.log(var))
