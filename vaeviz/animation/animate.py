"""``animate``: a plot of one model after another, or a loop through the latent space of one model."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
from matplotlib.figure import Figure

from vaeviz.analysis.active_dimensions import most_active_dims
from vaeviz.analysis.procrustes import align_codes
from vaeviz.animation.files import Frames, check_file, draw_images, write_frames
from vaeviz.animation.loops import LOOPS, Loop
from vaeviz.animation.stable_axes import keep_axes_stable
from vaeviz.data.loading import load_data
from vaeviz.drawing.styles import get_style
from vaeviz.drawing.styles import style as style_context
from vaeviz.drawing.text_fit import font_size
from vaeviz.errors import Fix, InputError, NotApplicable, UnknownName, warn_user
from vaeviz.export.fixed_samples import FixedSamples, inputs_with_model
from vaeviz.export.plot_call import PlotCall, find_plot_call
from vaeviz.model.collect_inputs import with_cached_codes
from vaeviz.model.encode import encode
from vaeviz.model.opening import open
from vaeviz.model.posterior import Posterior
from vaeviz.plugins.diagnostics import capture_warnings
from vaeviz.plugins.options import check_arguments, validate_settings

T = TypeVar("T")
ALIGNED_PLOTS = ("latent_scatter", "latent_pairs")  # which draw codes alone, so that any rotation of them is as true
EPOCHS_FOLDER = "epochs"  # of a run, with one file of weights per epoch
MODEL_FPS, LOOP_FPS = 4.0, 16.0  # frames per second
MODEL_HOLD = 2.0  # seconds for which the last model stays
LABEL_HEIGHT = 1.6  # of a line above a figure / size of its letters
MAX_MODELS = 200  # of a run; more epochs are thinned out evenly


@dataclass(frozen=True)
class Animation:
    """An animation in a file. A notebook displays it.

    Parameters
    ----------
    path : Path
        The file.
    caption : str
        What it shows, and what was done so that frames can be compared.
    labels : tuple of str
        Label of each frame.
    """

    path: Path
    caption: str
    labels: tuple[str, ...]

    def _repr_html_(self) -> str:
        ending = self.path.suffix.lower()
        if ending == ".html":
            return f"<p>{self.path}</p>"
        kind = "video" if ending == ".mp4" else "image"
        data = f"data:{kind}/{ending[1:]};base64,{base64.b64encode(self.path.read_bytes()).decode()}"
        return f'<video src="{data}" controls loop></video>' if kind == "video" else f'<img src="{data}">'


def animate(
    plot: Any,
    frames: Any,
    *,
    out: str | Path,
    data: Any = None,
    options: Mapping[str, Any] | None = None,
    over: Literal["models", "codes"] | None = None,
    align: bool | None = None,
    n_samples: int = 2000,
    fps: float | None = None,
    style: str = "paper",
    dpi: int = 150,
    seed: int = 0,
    **inputs: Any,
) -> Animation:
    """Animate a plot over several models, such as the epochs of a training, or over the codes of one model.

    Each of several models is one frame. Axes and colors are the same in all frames. Codes are rotated so that the
    latent space does not turn between frames, see Notes.

    Over the codes of one model, decoded samples move along closed paths: "traversal" moves each latent dimension there
    and back, "interpolation" goes from one sample to another and back, and "samples" walks through the prior.

    Parameters
    ----------
    plot : str or callable
        Name of a plot, or a function as for `vaeviz.watch`.
    frames : list, mapping, iterator, run or model
        Encoders, models, posteriors or files, one per frame; a mapping names its frames. The folder of a run that kept
        its epochs is a frame per epoch. A single model is animated over its codes.
    out : str or Path
        File to write. Its ending chooses the format: ``.gif``, ``.png`` (APNG), ``.webp``, ``.mp4`` (needs
        imageio-ffmpeg) or ``.html`` (a page with a slider).
    data : Dataset or array_like, optional
        A data set, which supplies x, labels and factors; or samples x, shape (N, ...). By default that of the run.
    options : mapping, optional
        Options of the plot, for example ``{"dims": (0, 2)}``. Over codes, there is also ``n_frames``.
    over : {"models", "codes"}, optional
        What changes from frame to frame. By default the codes, for a single model or run and one of these three plots;
        otherwise the models.
    align : bool, optional
        Whether codes are aligned between models. By default they are for plots that draw nothing but codes:
        latent_scatter and latent_pairs.
    n_samples : int, default 2000
        Largest number of samples to draw, chosen at random once.
    fps : float, optional
        Frames per second, by default 4 over models and 16 over codes.
    style : str, default "paper"
        Name of a style, see `vaeviz.style`.
    dpi : int, default 150
        Resolution in dots per inch.
    seed : int, default 0
        Seed of the choice of samples, and of the plot.
    **inputs
        Inputs by name (``x=``, ``labels=``, …), the same in all frames.

    Returns
    -------
    Animation
        The file and its caption, which is also stored in the file.

    Raises
    ------
    InputError
        If there are fewer than two frames, an option is wrong, or the file cannot be written.
    NotApplicable
        If the plot applies to fewer than two models. Models to which it does not apply, or that cannot be opened or
        return NaN, are left out with a warning.

    Notes
    -----
    A rotated latent space fits the data as well, and training often rotates it. Alignment multiplies the codes of each
    frame by the rotation or reflection that brings them closest to those of the next frame, the solution of the
    orthogonal Procrustes problem. This keeps distances and the prior N(0, I). Only in the last frame are the axes the
    latent dimensions.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import vaeviz
    >>> x = np.random.default_rng(0).standard_normal((50, 4))
    >>> encoders = {f"epoch {k}": lambda x, k=k: x[:, :2] / k for k in (3, 2, 1)}
    >>> file = Path(tempfile.mkdtemp(), "latent.gif")
    >>> vaeviz.animate("latent_scatter", encoders, out=file, x=x).labels
    ('epoch 3', 'epoch 2', 'epoch 1')
    """
    check_arguments(animate, locals())
    get_style(style)
    path = Path(out)
    check_file(path)
    if fps is not None and not 0 < fps <= 100:
        raise InputError(f"fps is {fps:g}.", got=f"{fps:g}", expected="above 0 and at most 100", fix="Pass fps=10.")
    call = find_plot_call(plot, seed)
    with capture_warnings() as found:  # many frames may issue the same
        chosen = _data_of(data, inputs, frames)
        if is_over_models(call.name, frames, over):
            samples = FixedSamples.choose(chosen, inputs, n_samples, seed)
            figures, labels, caption = _draw_models(call, _find_models(frames), samples, options or {}, align, style)
            for figure in figures:
                figure.set_dpi(dpi)  # before the last layout, since letters are wider at a low resolution
            is_stable = keep_axes_stable(figures)
            caption += " Axes and colors are the same in each frame." if is_stable else " Axes are those of each frame."
            images, rate, hold = draw_images(figures, dpi), fps or MODEL_FPS, MODEL_HOLD
        else:
            loop = _make_loop(call, frames, chosen, inputs, options, n_samples, seed)
            images, caption, labels = loop.draw(style, dpi), loop.caption, [str(k + 1) for k in range(len(loop.cells))]
            rate, hold = fps or LOOP_FPS, 0.0
    for warning in found:
        warn_user(warning)
    title = call.name.replace("_", " ").capitalize()
    write_frames(path, Frames(images, labels, rate, hold, title, caption))
    return Animation(path, caption, tuple(labels))


def is_over_models(plot: str, frames: Any, over: Literal["models", "codes"] | None = None) -> bool:
    """Return True if the frames of an animation are models, False if they are codes of one model.

    Parameters
    ----------
    plot : str
        Name of the plot.
    frames : object
        See `animate`.
    over : {"models", "codes"}, optional
        The choice of the caller.

    Returns
    -------
    bool
        Without `over`, False if the plot has a loop and there is a single model or a run.

    Raises
    ------
    InputError
        If the run does not exist, or if there is only one model, but models were chosen or the plot has no loop.
    """
    is_run = isinstance(frames, (str, Path))
    has_models = (Path(frames) / EPOCHS_FOLDER).is_dir() if is_run else isinstance(frames, (Mapping, list, Iterator))
    if over == "codes" or (over is None and plot in LOOPS and (is_run or not has_models)):
        return False
    if has_models:
        return True
    if is_run and not Path(frames).exists():
        open(frames)  # an error for a path that does not exist; other names may be models
    has_config = is_run and (Path(frames) / "config.json").is_file()
    found, loops = f"{frames} kept no epochs" if has_config else "there is only one model", ", ".join(LOOPS)
    raise InputError(
        f"An animation of {plot} needs several models, but {found}.",
        got=found,
        expected="several models",
        fix=Fix(
            f"Pass a list of models or the folder of a run that kept its epochs, or use one of the plots {loops}.",
            f"Train with --keep-epochs, or use --plot with one of {loops}.",
        ),
    )


def _find_models(frames: Any) -> dict[str, Any]:
    """Return the model of each frame by its label."""
    if isinstance(frames, Mapping):
        return _at_least_two({str(label): model for label, model in frames.items()})
    if isinstance(frames, (str, Path)):
        files = sorted(path for path in (Path(frames) / EPOCHS_FOLDER).iterdir() if path.stem.isdigit())
        if len(files) > MAX_MODELS:
            warn_user(UserWarning(f"{frames} has {len(files)} epochs, of which {MAX_MODELS} are drawn."))
            files = [files[k] for k in np.linspace(0, len(files) - 1, MAX_MODELS).round().astype(int)]
        return _at_least_two({f"epoch {int(path.stem)}": path for path in files}, f"{frames} has", "epoch")
    models = list(frames)
    names = [Path(model).stem if isinstance(model, (str, Path)) else "" for model in models]
    is_named = all(names) and len({*names}) == len(names)
    return _at_least_two({(names[k] if is_named else str(k + 1)): model for k, model in enumerate(models)})


def _at_least_two(models: dict[str, Any], holder: str = "frames has", what: str = "frame") -> dict[str, Any]:
    if len(models) < 2:
        got = f"{len(models)} {what}{'s' * (len(models) != 1)}"
        raise InputError(f"{holder} {got}, but an animation needs two or more.", got=got, expected=f"two {what}s")
    return models


def _data_of(data: Any, inputs: Mapping[str, Any], frames: Any) -> Any:
    """Return the data that were given, or those of a run."""
    if data is not None or "x" in inputs or not isinstance(frames, (str, Path)):
        return data
    known = open(frames).data
    return None if known is None else load_data(**known)


def _make_loop(
    call: PlotCall,
    model: Any,
    data: Any,
    inputs: Mapping[str, Any],
    options: Mapping[str, Any] | None,
    n_samples: int,
    seed: int,
) -> Loop:
    if call.name not in LOOPS:
        raise UnknownName("loop over codes", call.name, LOOPS)
    function = LOOPS[call.name]
    checked = validate_settings(function, options or {}, owner=call.name)
    if checked.get("n_frames", 2) < 2:
        raise InputError("n_frames is 1, but an animation needs two or more.", got="1", expected="2 or more")
    samples = FixedSamples.choose(data, inputs, n_samples, seed)
    found = inputs_with_model(samples.inputs, model, None, ["decoder"])
    known = {name for name in ("decoder", "encoder", "x", "labels", "condition", "feature_names") if name in found}
    taken = function.__code__.co_varnames[: function.__code__.co_argcount]
    return function(**{name: found[name] for name in known if name in taken}, **{"seed": seed, **checked})


def _draw_models(
    call: PlotCall,
    models: Mapping[str, Any],
    samples: FixedSamples,
    options: Mapping[str, Any],
    align: bool | None,
    style: str,
) -> tuple[list[Figure], list[str], str]:
    """Return the figure and the label of each model to which the plot applies, and the caption."""
    call = call.with_options(options)
    takes = {*call.spec.required, *call.spec.optional}
    do_align = call.name in ALIGNED_PLOTS if align is None else align
    if do_align and (align and ("encoder" not in takes or "decoder" in takes)):
        raise InputError(
            f"align=True, but {call.name} does not draw codes alone.", got="align=True", fix="Leave out align."
        )
    do_align = do_align and "encoder" in takes and "x" in samples.inputs
    found = _possible(lambda model: _inputs_of(model, samples, call, encodes=do_align), models, call.name)
    if do_align:
        found, call = _align(found, call)
    drawn = _possible(lambda inputs: call.draw(inputs, style), found, call.name)
    with style_context(style):
        for label, figure in drawn.items():
            _add_label(figure, label, is_aligned=do_align)
    return list(drawn.values()), list(drawn), _caption(call, list(drawn), samples, do_align)


def _possible(function: Callable[[Any], T], values: Mapping[str, Any], plot: str) -> dict[str, T]:
    """Return the results for the frames for which a function succeeds, and warn of the others. Two are needed."""
    results: dict[str, T] = {}
    error: InputError | NotApplicable | None = None
    for label, value in values.items():
        try:
            results[label] = function(value)
        except (InputError, NotApplicable) as reason:
            error = reason
            warn_user(UserWarning(f"The frame {label} is left out, since {plot} cannot be drawn: {reason}"))
    if len(results) < 2:
        raise error or NotApplicable(f"{plot} has no figure.")
    return results


def _inputs_of(model: Any, samples: FixedSamples, call: PlotCall, *, encodes: bool) -> dict[str, Any]:
    """Return the inputs of a frame, whose codes are cached; `encodes` computes them now."""
    if isinstance(model, (str, Path)):
        model = open(model)
    inputs = inputs_with_model(samples.inputs, model, None, call.spec.required)
    if encodes:
        _encode_frame(inputs)
    return inputs


def _encode_frame(inputs: Mapping[str, Any]) -> Posterior:
    return encode(inputs["encoder"], inputs["x"], inputs.get("condition"))


def _align(found: Mapping[str, dict[str, Any]], call: PlotCall) -> tuple[dict[str, dict[str, Any]], PlotCall]:
    """Return the inputs with aligned codes in place of the encoders, and the plot with the dimensions of the last."""
    posteriors = [_encode_frame(inputs) for inputs in found.values()]
    last = posteriors[-1]
    if call.name == "latent_scatter":
        fixed = {"show_all": True} | ({"dims": most_active_dims(last, 2)} if last.size > 2 else {})
        call = call.with_options({name: value for name, value in fixed.items() if _is_default(call, name)})
    aligned = align_codes([posterior.mean for posterior in posteriors])
    family = None if last.is_deterministic else "Gaussian, rotated"
    rotated = [
        Posterior(codes, prior=posterior.prior, family=family, condition=posterior.condition)
        for codes, posterior in zip(aligned, posteriors)
    ]
    new = {label: {**inputs, "encoder": codes} for (label, inputs), codes in zip(found.items(), rotated)}
    return {label: with_cached_codes(inputs) for label, inputs in new.items()}, call


def _is_default(call: PlotCall, name: str) -> bool:
    return bool(call.options.get(name, call.spec.options[name].default) == call.spec.options[name].default)


def _add_label(figure: Figure, label: str, *, is_aligned: bool) -> None:
    """Write the label of a frame above its figure, and mark aligned axes."""
    figure.set_figheight(figure.get_figheight() + LABEL_HEIGHT * font_size("axes.titlesize") / 72)
    if len(figure.axes) == 1:
        figure.axes[0].set_title(f"{label}\n{figure.axes[0].get_title()}".strip())
    else:
        figure.suptitle(f"{label}\n{figure.get_suptitle()}".strip())
    for ax in figure.axes if is_aligned else ():
        for name in ("xlabel", "ylabel"):
            text = getattr(ax, f"get_{name}")()
            if text.startswith("$z_"):
                ax.set(**{name: f"aligned {text}"})


def _caption(call: PlotCall, labels: list[str], samples: FixedSamples, is_aligned: bool) -> str:
    parts = [
        call.spec.summary,
        f"{len(labels)} models, from {labels[0]} to {labels[-1]}.",
        samples.caption_for(call.spec, "in each frame"),
    ]
    if is_aligned:
        parts.append(
            "The codes of each frame are rotated or mirrored onto those of the next (orthogonal Procrustes), so that "
            "the latent space does not turn: distances and the prior stay, and only in the last frame are the axes the "
            "latent dimensions themselves."
        )
    return " ".join(filter(None, parts))
