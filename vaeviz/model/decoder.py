"""A decoder: a callable that maps codes to samples, and what is declared about it."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

import numpy as np

from vaeviz.model.part import ModelPart, Output


@dataclass(frozen=True, eq=False, repr=False)
class Decoder(ModelPart):
    """A callable that maps codes to samples, and what is declared about it. None means undeclared.

    Parameters
    ----------
    fn : callable
        Receives a batch of codes, shape ``(n, *latent_shape)``, and a condition, shape ``(n, ...)``, if there is one.
        Returns samples of shape ``(n, ...)``: the means of p(x | z), or logits. Anything else that `vaeviz.open`
        accepts serves as well.
    layout : {"channels_first", "channels_last"}, optional
        Channel order of the images that fn returns.
    value_range : tuple of float, optional
        Range of what fn returns for data in [0, 1], e.g. ``(-1, 1)`` after a tanh. Samples are rescaled to [0, 1].
    prior : {"normal", "other"}, optional
        ``"normal"`` if the model assumes p(z) = N(0, I), ``"other"`` if its prior is another one, e.g. learned.
    batch_size : int, optional
        Number of codes per call. By default as many as hold about a million values.
    pad : bool, optional
        True if fn accepts exactly `batch_size` codes. The last batch is padded, and the padding is removed again.
    conditions : array_like or mapping, optional
        Values that the condition of a conditional model may take, see `Encoder`.
    condition : array_like, optional
        A condition that fn receives with every code, see `vaeviz.condition_on`.
    name : str, optional
        Name in messages. By default that of fn.
    output : {"values", "logits"}, optional
        ``"logits"`` if a sigmoid is still to be applied, ``"values"`` if not.
    latent_shape : tuple of int, optional
        Shape of one code, ``(D,)`` or e.g. ``(4, 8, 8)``.
    sample_shape : tuple of int, optional
        Shape of one sample, e.g. ``(28, 28)`` where fn returns ``(n, 784)``.

    Raises
    ------
    InputError
        If a declaration means nothing.

    Examples
    --------
    >>> import numpy as np
    >>> import vaeviz
    >>> decoder = vaeviz.Decoder(lambda z: np.tanh(z.repeat(8, axis=1)), value_range=(-1, 1), sample_shape=(4, 4))
    >>> vaeviz.decode(decoder, np.zeros((5, 2))).shape
    (5, 4, 4)
    """

    _: KW_ONLY
    output: Output | None = None
    latent_shape: tuple[int, ...] | None = None
    sample_shape: tuple[int, ...] | None = None

    role: ClassVar[str] = "decoder"
    input_name: ClassVar[str] = "z"

    @property
    def latent_size(self) -> int | None:
        """Number of latent dimensions D. None if it is not declared."""
        return None if self.latent_shape is None else math.prod(self.latent_shape)

    def rescale(self, values: np.ndarray) -> np.ndarray:
        """Return samples after the declared sigmoid, and in [0, 1] if a range is declared.

        Parameters
        ----------
        values : ndarray of float32, shape (n, ...)
            What fn returned.

        Returns
        -------
        ndarray of float32, shape (n, ...)
            The samples.
        """
        if self.output == "logits":
            from scipy.special import expit

            values = expit(values)
        if self.value_range is not None:
            low, high = self.value_range
            values = (values - low) / (high - low)
        return values.astype(np.float32, copy=False)
