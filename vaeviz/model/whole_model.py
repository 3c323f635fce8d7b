"""Steps of a model between its encoder and its decoder, found by its own reconstruction of a few samples."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from vaeviz.data.arrays import as_array
from vaeviz.data.batches import one_line
from vaeviz.errors import Fix, GuessWarning, declare, warn_user
from vaeviz.model.calling import ForeignFunction, bind_eval_mode, positional_parameters, restored_random_state
from vaeviz.model.conditions import names_condition
from vaeviz.model.noise import fixed_noise
from vaeviz.model.output_tree import (
    find_samples,
    get_output,
    get_value,
    is_distribution,
    list_outputs,
    same_up_to_rounding,
)
from vaeviz.model.sample_batch import SampleBatch
from vaeviz.model.torch_probe import loaded_modules

if TYPE_CHECKING:
    from vaeviz.model.decoder import Decoder

STEP_NAMES = ("quantize", "quantizer", "vector_quantizer", "vq", "vq_layer", "_vq_vae", "to_latent", "project")
PRIOR_NAMES = ("prior", "p_z", "pz", "prior_z")

# The first is that of MONAI, where `decode` is the last part of it.
DECODER_NAMES = ("decode_forward", "decode", "decoder", "dec", "_decoder", "_dec")

MAX_COMPARED_SAMPLES = 8
MAX_COMPARED_VALUES = 100_000  # so that large images are compared one at a time

N_DRAWS = 16  # of a reconstruction whose noise cannot be fixed: their mean is known to a quarter of their scatter


@dataclass(frozen=True, eq=False)
class WholeModel:
    """The decoder of the same model, and the model's own way from samples to their reconstruction.

    Parameters
    ----------
    decoder : Decoder
        The decoder.
    reconstruct : callable, optional
        Receives what the encoder receives, and returns the reconstruction, alone or among other outputs. None if the
        model has no such function.
    steps : mapping of str to callable
        Functions that the model may apply to a code between encoder and decoder, by name: methods with the usual names,
        and the parts of a torch module.
    other_prior : str, optional
        Type of the prior that the model holds, unless it is known to be N(0, I).
    """

    decoder: Decoder
    reconstruct: Callable[..., Any] | None = None
    steps: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    other_prior: str | None = None


def whole_model(model: Any, decoder: Decoder) -> WholeModel:
    """Return the decoder of an opened object together with what the object itself does.

    Parameters
    ----------
    model : Any
        The object. If it can be called, that is its own reconstruction.
    decoder : Decoder
        Its decoder.

    Returns
    -------
    WholeModel
        Both.
    """
    reconstruct = model if callable(model) and not isinstance(model, type) else None
    steps = {name: step for name in STEP_NAMES if callable(step := getattr(model, name, None))}
    children = model.named_children() if hasattr(model, "named_children") else ()
    prior = next((found for name in PRIOR_NAMES if _is_prior(found := getattr(model, name, None))), None)
    other_prior = None if prior is None or _is_standard_normal(prior) else type(prior).__name__
    return WholeModel(decoder, reconstruct, steps | dict(children), other_prior)


def _is_prior(value: Any) -> bool:
    return not isinstance(value, type) and any(
        callable(getattr(value, name, None)) for name in ("sample", "log_prob", "parameters")
    )


def _is_standard_normal(prior: Any) -> bool:
    """Return True for distributions of torch, or of a library like it, that are N(0, I)."""
    base = getattr(prior, "base_dist", prior)
    mean, variance = get_value(base, "mean"), get_value(base, "variance")
    if type(base).__name__ not in ("Normal", "MultivariateNormal") or mean is None or variance is None:
        return type(base).__name__ == "StandardNormal"  # of nflows and normflows
    covariance = get_value(base, "covariance_matrix")
    is_independent = covariance is None or np.array_equal(as_array(covariance), np.eye(len(as_array(covariance))))
    return bool((as_array(mean) == 0).all() and (as_array(variance) == 1).all()) and is_independent


class ReconstructionProbe:
    """Decode the codes of a few samples, and compare with the model's own reconstruction of these samples.

    Random numbers that the model draws from normal distributions of torch and NumPy are replaced by one constant.

    Parameters
    ----------
    whole : WholeModel
        The model.
    encode : ForeignFunction
        Its encoder.
    batch : ndarray, shape (N, ...)
        Samples, arranged as the encoder receives them.
    conditions : list of ndarray, shape (N, ...)
        Their condition, if there is one.
    """

    def __init__(
        self, whole: WholeModel, encode: ForeignFunction, batch: np.ndarray, conditions: list[np.ndarray]
    ) -> None:
        size = math.prod(batch.shape[1:])
        self.n_rows = min(len(batch), max(1, min(MAX_COMPARED_SAMPLES, MAX_COMPARED_VALUES // size)))
        self.whole = whole
        self.encode = encode
        self.samples = batch[: self.n_rows]
        self.conditions = [condition[: self.n_rows] for condition in conditions]
        self._returned: dict[float, tuple[list[np.ndarray], ...]] = {}  # by noise, by two calls
        self._failure: Exception | None = None  # of the call of the model
        self._matched: list[np.ndarray] = []

    def accepts(self, codes: np.ndarray) -> bool:
        """Return True if the decoder decodes such codes.

        Parameters
        ----------
        codes : ndarray, shape (N, ...)
            The codes.

        Returns
        -------
        bool
            The answer.
        """
        return self._decode(codes) is not None

    def is_reconstruction(self, samples: np.ndarray) -> bool:
        """Return True if these are the reconstruction to which codes decoded.

        Parameters
        ----------
        samples : ndarray, shape (N, ...)
            One of the outputs.

        Returns
        -------
        bool
            The answer.
        """
        return any(same_up_to_rounding(own, self._flat(samples)) for own in self._matched)

    def reconstructs(self, codes: np.ndarray, noise: float = 0.0) -> bool:
        """Return True if the codes decode to the model's own reconstruction when it samples with this noise.

        Parameters
        ----------
        codes : ndarray, shape (N, ...)
            The codes.
        noise : float, default 0
            Every standard normal number that the model draws.

        Returns
        -------
        bool
            The answer. False if the model has no reconstruction of its own, or draws its noise elsewhere.
        """
        return self._match(codes, noise) is not None

    def draws_noise(self) -> bool:
        """Return True if the model's own reconstruction depends on noise that can be fixed.

        Returns
        -------
        bool
            The answer.
        """
        without, with_noise = self._own_reconstructions(0.0), self._own_reconstructions(1.0)
        return len(without) == len(with_noise) and not all(map(same_up_to_rounding, without, with_noise))

    def step_between(self, codes: np.ndarray) -> tuple[str, Callable[..., Any]] | None:
        """Return the function that the model applies to codes before it decodes them.

        Parameters
        ----------
        codes : ndarray, shape (N, ...)
            What the encoder returned, without a spread.

        Returns
        -------
        name : str
            Its name. None instead of both, unless decoding what the function returns is the model's own reconstruction,
            and decoding the codes is not.
        function : callable
            The function of whole codes, also if the model applies it to their tokens.
        """
        if not self._own_reconstructions() or self.reconstructs(codes):
            return None
        for name, step in self.whole.steps.items():
            functions: list[Callable[..., Any]] = [step, *_steps_of_tokens(step, codes.shape[1:])]
            for function in functions:
                try:
                    changed = apply_step(ForeignFunction(function), self._rows(codes))
                except Exception:
                    continue
                if self.reconstructs(changed):
                    return name, function
        return None

    def warn_of_difference(self, codes: np.ndarray) -> None:
        """Warn if the codes do not decode to the model's own reconstruction.

        Parameters
        ----------
        codes : ndarray, shape (N, ...)
            Means, or codes.
        """
        if self.whole.reconstruct is None:
            return
        if not self._own_reconstructions():
            self._warn_of_other_codes(codes)
            self._warn_of_unfixed_noise(codes)
            self._warn_of_failure(codes)
            return
        matched = self._match(codes)
        if matched == "as returned" or (matched == "after a sigmoid" and self.whole.decoder.output == "logits"):
            return
        if matched == "after a sigmoid":
            warn_user(
                GuessWarning(
                    f"decoder {self.whole.decoder.name} returns logits: the model itself applies a sigmoid.",
                    fix=declare("Decoder", output="logits"),
                )
            )
            return
        decoded = self._decode(codes)
        own = [one for one in self._own_reconstructions() if decoded is not None and one.shape == decoded.shape]
        if decoded is not None and own:
            self._warn_of_distance(codes, decoded, min(own, key=lambda one: float(np.abs(one - decoded).mean())))

    def _warn_of_distance(self, codes: np.ndarray, decoded: np.ndarray, own: np.ndarray) -> None:
        """Warn that the decoded codes are not the model's own reconstruction."""
        errors = [np.abs(one - self._flat(self.samples)).mean() for one in (decoded, own)]
        warn_user(
            GuessWarning(
                f"decode(encode(x)) differs from the model's own reconstruction by {np.abs(own - decoded).mean():.3g} "
                f"on average. Their mean absolute errors are {errors[0]:.3g} and {errors[1]:.3g} on {self.n_rows} "
                "samples: the model does more between its encoder and its decoder.",
                fix=self._decoder_fix(codes),
            )
        )

    def _warn_of_unfixed_noise(self, codes: np.ndarray) -> None:
        """Compare with the mean of several reconstructions, and warn if they differ or scatter too much to tell.

        The difference is that of the means of two distributions, so it must be below the scatter of single draws.
        """
        decoded = self._decode(codes)
        if decoded is None or not self._is_unsteady(decoded.shape[1]):
            return
        draws = zip(*self._call_whole(0.0, N_DRAWS))
        own = [np.stack(one) for one in draws if one[0].shape == decoded.shape]
        nearest = min(own, key=lambda one: float(np.abs(one.mean(axis=0) - decoded).mean()))
        mean = nearest.mean(axis=0)
        scatter = np.abs(nearest - mean).mean()
        if np.abs(mean - decoded).mean() > scatter:
            self._warn_of_distance(codes, decoded, mean)
        elif scatter > np.abs(mean - (mean.mean(axis=0) if self.n_rows > 1 else mean.mean())).mean():
            warn_user(
                GuessWarning(
                    "decode(encode(x)) could not be compared with the model's own reconstruction, which samples: it "
                    f"scatters by {scatter:.3g} on average, more than samples differ.",
                    fix="Draw the noise of the model with torch.randn or numpy.random.randn, which can be set to 0.",
                )
            )

    def _warn_of_other_codes(self, codes: np.ndarray) -> None:
        """Warn if the call of the model returns one array of codes, which are others."""
        expected = self._flat(codes)
        own = self._own_outputs(expected.shape[1])
        if len(own) != 1 or len(self._returned[0.0][0]) != 1 or same_up_to_rounding(own[0], expected):
            return
        warn_user(
            GuessWarning(
                f"The codes of the encoder differ by {np.abs(own[0] - expected).mean():.3g} on average from those that "
                "the model returns when it is called: the model does more than its encoder.",
                fix="Write vaeviz.Encoder(lambda x: fn(x)), where fn is the model.",
            )
        )

    def _warn_of_failure(self, codes: np.ndarray) -> None:
        """Warn if the call of the model failed, unless it has none, needs a condition, or is that of its decoder."""
        model, error = self.whole.reconstruct, self._failure
        if model is None or error is None or self._returned[0.0][0] or isinstance(error, NotImplementedError):
            return
        required = [name for name, is_required in (positional_parameters(model) or {}).items() if is_required]
        if not self.conditions and any(map(names_condition, required)):
            return
        decoded, called = self._decode(codes), self._decode(codes, model)
        if decoded is not None and called is not None and same_up_to_rounding(decoded, called):
            return
        warn_user(
            GuessWarning(
                "decode(encode(x)) could not be compared with the model's own reconstruction, because the call of the "
                f"model with x failed: {one_line(error)}",
                fix="Compare vaeviz.decode(model, vaeviz.encode(model, x)) with what the model returns for x.",
            )
        )

    def _decoder_fix(self, codes: np.ndarray) -> Fix:
        """Return how to write the decoder with the step that the model takes before, if that is found."""
        found = self.step_between(codes)
        model, fn = self.whole.reconstruct, self.whole.decoder.fn
        names = [name for name in DECODER_NAMES if getattr(model, name, None) == fn]
        if found is not None and names:
            step = self.whole.steps[found[0]]
            if self._decode(codes, lambda z: fn(step(z))) is not None:
                return Fix(f"Write vaeviz.Decoder(lambda z: fn.{names[0]}(fn.{found[0]}(z))), where fn is the model.")
        return Fix(
            "Pass as the encoder a function that does all that the model does to obtain z, and as the decoder one that "
            "does all that follows z."
        )

    def _own_reconstructions(self, noise: float = 0.0) -> list[np.ndarray]:
        """Return what may be the model's own reconstruction: flat arrays of the size of the samples."""
        flat = self._flat(self.samples)
        # NaN comes from a direction of zero noise, and the samples themselves may be returned as well
        own = self._own_outputs(flat.shape[1], noise)
        return [one for one in own if np.isfinite(one).all() and not np.array_equal(one, flat)]

    def _own_outputs(self, size: int, noise: float = 0.0) -> list[np.ndarray]:
        """Return the outputs of the model's call that have `size` values per sample, flat."""
        if noise not in self._returned:
            self._returned[noise] = self._call_whole(noise)
        pairs = [pair for pair in zip(*self._returned[noise]) if pair[0].shape[1] == size]
        is_steady = all(same_up_to_rounding(*pair) for pair in pairs)
        return [one for one, _ in pairs] if is_steady else []  # it draws its noise elsewhere

    def _is_unsteady(self, size: int) -> bool:
        """Return True if outputs that have `size` values per sample differ between two calls of the model."""
        returned, again = self._returned[0.0]
        return any(one.shape[1] == size and not same_up_to_rounding(one, other) for one, other in zip(returned, again))

    def _call_whole(self, noise: float, n_calls: int = 2) -> tuple[list[np.ndarray], ...]:
        """Return the outputs of several calls of the model, flat: all that have a row per sample."""
        for function, arrays in self._ways_to_call():
            try:
                with _quiet(), ForeignFunction(_fix_noise(function, noise), beside=self.encode) as call:
                    returned = tuple(_arrays_of_rows(call(*arrays), self.n_rows) for _ in range(n_calls))
            except Exception as error:
                self._failure = error if isinstance(error, KeyError) else self._failure or error
                continue
            if returned[0] and len({tuple(one.shape for one in outputs) for outputs in returned}) == 1:
                return returned
        return ([],) * n_calls

    def _ways_to_call(self) -> Iterator[tuple[Callable[..., Any], list[np.ndarray]]]:
        """Yield the model with what it may receive: samples and their condition, or both in a batch."""
        model = self.whole.reconstruct
        if model is None:
            return
        in_eval_mode = bind_eval_mode(model)
        second_argument = next(iter(list(positional_parameters(model) or ())[1:]), "")
        yield in_eval_mode, [self.samples, *(self.conditions if names_condition(second_argument) else [])]
        yield lambda *arrays: in_eval_mode(SampleBatch(*arrays)), [self.samples, *self.conditions]

    def _decode(self, codes: np.ndarray, function: Callable[..., Any] | None = None) -> np.ndarray | None:
        """Return what the decoder, or another function, makes of the first codes, flat. None if it fails."""
        decoder, codes = self.whole.decoder, self._rows(codes).astype(np.float32)
        function = function or decoder.fn
        conditions = self.conditions if decoder.accepts_condition else []
        try:
            if decoder.latent_shape is not None:
                codes = codes.reshape(len(codes), *decoder.latent_shape)
            with _quiet(), ForeignFunction(_fix_noise(function, 0.0), beside=self.encode) as call:
                returned = call(codes, *conditions)
                path = find_samples(returned, len(codes), self._flat(self.samples).shape[1])[0]
                decoded = as_array(get_output(returned, path)).astype(np.float32)
        except Exception:
            return None
        return self._flat(decoded) if len(decoded) == self.n_rows else None

    def _match(self, codes: np.ndarray, noise: float = 0.0) -> Literal["as returned", "after a sigmoid"] | None:
        """Return how codes decode to one of the model's own reconstructions, which are not the codes themselves."""
        own = [one for one in self._own_reconstructions(noise) if not np.array_equal(one, self._flat(codes))]
        decoded = self._decode(codes) if own else None
        if decoded is None:
            return None
        same = next((one for one in own if same_up_to_rounding(one, decoded)), None)
        if same is not None:
            self._matched.append(same)
            return "as returned"
        from scipy.special import expit  # after the usual case, which does not need it

        for one in own:
            is_same = same_up_to_rounding(expit(one), decoded)
            if is_same or same_up_to_rounding(one, expit(decoded)):
                self._matched.append(one)
                return "as returned" if is_same else "after a sigmoid"
        return None

    def _rows(self, values: np.ndarray) -> np.ndarray:
        return values[: self.n_rows]

    def _flat(self, values: np.ndarray) -> np.ndarray:
        return np.asarray(self._rows(values), dtype=np.float32).reshape(self.n_rows, -1)


def apply_step(step: ForeignFunction, codes: np.ndarray) -> np.ndarray:
    """Return codes as a function between encoder and decoder changes them.

    Parameters
    ----------
    step : ForeignFunction
        The function. It may return losses and indices as well.
    codes : ndarray, shape (N, ...)
        The codes.

    Returns
    -------
    ndarray of float32, shape (N, ...)
        The first array of the same shape that it returns.
    """
    with step:
        returned = [as_array(one.value) for one in list_outputs(step(codes))]
    return next(one for one in returned if one.shape == codes.shape and one.dtype.kind == "f").astype(np.float32)


class TokenStep:
    """A function of tokens, applied to codes that consist of tokens.

    Parameters
    ----------
    step : callable
        The function. It may return losses and indices as well.
    token_size : int
        Number of values in a token.
    channels_first : bool
        True if the tokens of a code lie along its first axis.
    keeps_rows : bool
        True if the function receives tokens (N, T, D), False if (N T, D).
    """

    def __init__(self, step: Callable[..., Any], token_size: int, channels_first: bool, keeps_rows: bool) -> None:
        self.step = step
        self.token_size = token_size
        self.channels_first = channels_first
        self.keeps_rows = keeps_rows

    def __call__(self, codes: Any) -> Any:
        """Return codes in which each token is replaced.

        Parameters
        ----------
        codes : array or tensor, shape (N, ...)
            The codes.
        """
        channels_last = codes.reshape(*codes.shape[:2], -1).swapaxes(1, 2) if self.channels_first else codes
        rows = (len(codes), -1) if self.keeps_rows else (-1,)
        tokens = channels_last.reshape(*rows, self.token_size)
        outputs = [one.value for one in list_outputs(self.step(tokens))]
        replaced = next(one for one in outputs if one.shape == tokens.shape).reshape(channels_last.shape)
        return (replaced.swapaxes(1, 2) if self.channels_first else replaced).reshape(codes.shape)


def _steps_of_tokens(step: Callable[..., Any], code_shape: tuple[int, ...]) -> Iterator[TokenStep]:
    """Yield the ways in which a function may be applied to the tokens of codes."""
    if len(code_shape) == 1:  # the codebook says how many values a token has
        widths = {one.shape[-1] for module in loaded_modules(step) for one in module.parameters() if one.ndim == 2}
        tokens = [(size, False) for size in sorted(widths) if size < code_shape[0] and not code_shape[0] % size]
    else:
        tokens = [(code_shape[-1], False), (code_shape[0], True)]
    for size, channels_first in tokens:
        for keeps_rows in (True, False):
            yield TokenStep(step, size, channels_first, keeps_rows)


def _arrays_of_rows(returned: Any, n_rows: int) -> list[np.ndarray]:
    """Return the arrays with a row per sample, flat. The mean of each distribution is one."""
    values = [one.value.mean if is_distribution(one.value) else one.value for one in list_outputs(returned)]
    arrays = [as_array(value) for value in values]
    return [one.astype(np.float32).reshape(n_rows, -1) for one in arrays if one.ndim and len(one) == n_rows]


def _fix_noise(function: Callable[..., Any], noise: float) -> Callable[..., Any]:
    function = bind_eval_mode(function)

    def call_with_noise(*arrays: Any) -> Any:
        with fixed_noise(noise):
            return function(*arrays)

    return call_with_noise


@contextmanager
def _quiet() -> Iterator[None]:
    """Restore random states, and hide warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with restored_random_state():
            yield
