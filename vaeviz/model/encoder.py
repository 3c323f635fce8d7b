"""An encoder: a callable that maps samples to codes, and what is declared about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, ClassVar

import numpy as np

from vaeviz.data.channels import channels_first_shape, is_channels_first
from vaeviz.data.huggingface import is_huggingface_dataset, label_columns
from vaeviz.data.out_of_core import block_columns
from vaeviz.data.sample_kind import column_names, column_renames
from vaeviz.data.value_ranges import expand_unit_range
from vaeviz.errors import Fix, InputError, advise
from vaeviz.model.output_names import parse_returns
from vaeviz.model.part import ModelPart
from vaeviz.model.posterior import Posterior
from vaeviz.model.whole_model import WholeModel
from vaeviz.plugins.signature import hide_private_parameters


@hide_private_parameters
@dataclass(frozen=True, eq=False, repr=False)
class Encoder(ModelPart):
    """A callable that maps samples to codes, and what is declared about it. None means undeclared.

    Parameters
    ----------
    fn : callable
        Receives a batch of samples, shape ``(n, *input_shape)``, and a condition, shape ``(n, ...)``, if there is one.
        Returns means of shape ``(n, D)``, ``(mean, log_var)``, ``(mean, log_var, z)``, a mapping of names to these, or
        a distribution. Anything else that `vaeviz.open` accepts serves as well.
    layout : {"channels_first", "channels_last"}, optional
        Channel order that fn expects for images.
    value_range : tuple of float, optional
        Range that fn expects, e.g. ``(-1, 1)``. Data in [0, 1] are rescaled to it, and other data are an error.
    prior : {"normal", "other"}, optional
        ``"normal"`` if the model assumes p(z) = N(0, I), ``"other"`` if its prior is another one, e.g. learned.
    batch_size : int, optional
        Number of samples per call. By default as many as hold about a million values.
    pad : bool, optional
        True if fn accepts exactly `batch_size` samples. The last batch is padded, and the padding is removed again.
    conditions : array_like or mapping, optional
        Values that the condition of a conditional model may take: ``range(10)``, names that mean their positions, or
        names with the number or vector that fn receives, ``{"cat": [1, 0], "dog": [0, 1]}``.
    condition : array_like, optional
        A condition that fn receives with every sample, see `vaeviz.condition_on`.
    name : str, optional
        Name in messages. By default that of fn.
    returns : str, optional
        Names of the outputs in their order: ``mean``, one of ``log_var``, ``var``, ``std`` or ``log_std``, and any
        other name for the rest, e.g. ``"z,mean,log_var"``.
    input_shape : tuple of int, optional
        Shape of one sample as fn expects it. ``(-1,)`` for flat samples.
    preprocess : callable, optional
        Receives each batch of samples before everything else, and returns one row for each.
    unpack : callable, optional
        For an `x` that holds more than samples, such as an AnnData: maps ``(x, condition)`` to both as arrays.

    Raises
    ------
    InputError
        If a declaration means nothing.

    Examples
    --------
    >>> import numpy as np
    >>> import vaeviz
    >>> encoder = vaeviz.Encoder(lambda x: (x[:, :2], x[:, 2:]), returns="mean,std")
    >>> vaeviz.encode(encoder, np.ones((5, 4))).std.shape
    (5, 2)
    """

    _: KW_ONLY
    returns: str | None = None
    input_shape: tuple[int, ...] | None = None
    preprocess: Callable[..., Any] | None = None
    unpack: Callable[[Any, Any], tuple[Any, Any]] | None = None
    _cached: tuple[Any, Posterior] | None = field(default=None, repr=False)
    """Samples and their posterior, see `vaeviz.cache_encoding`."""
    _cached_modules: tuple[Any, ...] | None = field(default=None, repr=False)
    """The torch modules that ran for this posterior."""
    _cached_checksum: int = field(default=0, repr=False)
    """Checksum of their parameters at that time, see `vaeviz.model.parameter_checksum`."""
    _whole: WholeModel | None = field(default=None, repr=False)
    """The decoder of the same model and the model's own reconstruction, which show how outputs are to be read."""
    _feature_names: tuple[Any, ...] | None = field(default=None, repr=False)
    """Names of the columns that fn expects, in this order."""

    role: ClassVar[str] = "encoder"
    input_name: ClassVar[str] = "x"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.returns is not None:
            parse_returns(self.returns)
        if self.preprocess is not None and not callable(self.preprocess):
            got = type(self.preprocess).__name__
            raise InputError(f"preprocess is of type {got}, expected a function of samples.", got=got)

    def unpack_samples(self, x: Any, condition: Any) -> tuple[Any, Any]:
        """Return samples and condition of an `x` that may hold both.

        Parameters
        ----------
        x : Any
            Samples, or what `unpack` reads.
        condition : Any
            The condition that was given with it.

        Returns
        -------
        x : array_like, shape (N, ...)
            The samples.
        condition : array_like, shape (N, ...), or None
            Their conditions.

        Raises
        ------
        InputError
            If a table has other columns than fn was fitted on, or has them in another order.
        """
        self.check_columns(x)
        return (x, condition) if self.unpack is None else self.unpack(x, condition)

    def check_columns(self, x: Any) -> None:
        """Raise if samples have other columns than fn was fitted on.

        Parameters
        ----------
        x : array_like, shape (N, ...), or None
            Samples. Only those with names of columns are checked.

        Raises
        ------
        InputError
            If a table has other columns, or has them in another order.
        """
        names = column_names(self._feature_names)
        columns = column_names(None, x) if names else ()
        if columns and columns != names:
            raise _columns_error(x, columns, names)

    def prepare_batch(self, batch: np.ndarray) -> np.ndarray:
        """Return samples preprocessed, in the range that fn expects, as float32.

        Parameters
        ----------
        batch : ndarray, shape (n, ...)
            The samples.

        Returns
        -------
        ndarray of float32, shape (n, ...)
            The samples for fn, apart from their layout.

        Raises
        ------
        InputError
            If `preprocess` loses rows, or a range is declared and the samples are not in [0, 1].
        """
        if self.preprocess is not None:
            n_rows, batch = len(batch), np.asarray(self.preprocess(batch))
            if batch.ndim == 0 or len(batch) != n_rows:
                raise InputError(
                    f"preprocess of encoder {self.name} returned shape {batch.shape} for {n_rows} samples.",
                    got=str(batch.shape),
                    expected=f"({n_rows}, ...)",
                    fix="Return one row per sample.",
                )
        batch = np.ascontiguousarray(batch, dtype=np.float32)
        return batch if self.value_range is None else expand_unit_range(batch, self.value_range, self.name)

    def declared_shape(self, shape: tuple[int, ...]) -> tuple[int, ...] | None:
        """Return the declared shape of one sample for fn.

        Parameters
        ----------
        shape : tuple of int
            Shape of one sample in the data.

        Returns
        -------
        tuple of int or None
            The shape. None if neither `input_shape` nor `layout` is declared.
        """
        if self.input_shape is not None:
            return self.input_shape
        if self.layout == "channels_first":
            return shape if is_channels_first(shape) else channels_first_shape(shape)
        if self.layout == "channels_last":
            last = (*shape[1:], shape[0]) if is_channels_first(shape) else shape
            return (*last, 1) if len(last) == 2 else last
        return None

    def wrong_shape_error(self, shape: tuple[int, ...], expected: tuple[int, ...]) -> InputError:
        """Return the error for samples of a shape that does not fit.

        Parameters
        ----------
        shape : tuple of int
            Shape of one sample in the data.
        expected : tuple of int
            Shape of one sample for fn.

        Returns
        -------
        InputError
            The error to raise.
        """
        return InputError(
            f"It takes samples of shape {expected}, but x has samples of shape {shape}.",
            got=str(shape),
            expected=str(expected),
            fix=advise(
                ("If that shape is declared wrongly", Fix("Write vaeviz.Encoder(fn).", "Leave out --input-shape.")),
                ("If the model has it", Fix(f"Pass samples of shape {expected}.")),
            ),
        )


def _columns_error(x: Any, columns: tuple[str, ...], names: tuple[str, ...]) -> InputError:
    """Return the error for other columns, or another order of them, than a model was fitted on."""
    missing = [name for name in names if name not in columns]
    in_blocks = block_columns(x) is not None
    if missing:
        message = (
            f"x lacks {len(missing)} of the {len(names)} columns that the model was fitted on, e.g. {missing[0]!r}."
        )
        same = f"x.rename_columns({column_renames(columns, names)})" if in_blocks else "x.to_numpy()"
        fix = f"Pass {same} if its columns are in the same order."
        if len(columns) != len(names):
            fix = "Pass x with all columns in model.feature_names_in_, where model is the estimator."
    else:
        message = "x has other columns than the model was fitted on, or has them in another order."
        labels = "".join(f", {name!r}" for name in label_columns(x)) if is_huggingface_dataset(x) else ""
        selection = (
            f".select_columns([*model.feature_names_in_{labels}])" if in_blocks else "[list(model.feature_names_in_)]"
        )
        fix = f"Pass x{selection}, where model is the estimator."
    return InputError(message, got=f"{len(columns)} columns", expected=f"{len(names)} columns in their order", fix=fix)
