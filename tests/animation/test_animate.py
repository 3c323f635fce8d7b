"""`vaeviz.animate`: frames, files, captions, and the loops through one latent space."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image, ImageSequence

import vaeviz
from vaeviz.animation import animate as animate_module
from vaeviz.animation.loops import interpolation_loop, prior_walk, traversal_loop
from vaeviz.animation.stable_axes import keep_axes_stable
from vaeviz.errors import InputError, NotApplicable, OutputError, UnknownName

SMALL = {"dpi": 40}


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(0).standard_normal((40, 4)).astype(np.float32)


def turned_encoder(degrees, size=1.0):
    angle = np.deg2rad(degrees)
    rotation = size * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])

    def encode(x):
        return np.asarray(x)[:, :2] @ rotation, np.full((len(x), 2), -2.0)

    return vaeviz.Encoder(encode, returns="mean,log_var")


@pytest.fixture
def encoders():
    return {"first": turned_encoder(70, 0.5), "second": turned_encoder(-30), "third": turned_encoder(0)}


@pytest.fixture
def drawn(monkeypatch):
    """The figures of the last animation."""
    figures = []

    def keep(made):
        figures[:] = made
        return keep_axes_stable(made)

    monkeypatch.setattr(animate_module, "keep_axes_stable", keep)
    return figures


def frames_of(path):
    return [frame.convert("RGB") for frame in ImageSequence.Iterator(Image.open(path))]


@pytest.mark.parametrize("ending", [".gif", ".png", ".webp"])
def test_picture_files_hold_all_frames_and_repeat_without_end(ending, encoders, x, tmp_path):
    out = tmp_path / f"latent{ending}"
    made = vaeviz.animate("latent_scatter", encoders, out=out, x=x, **SMALL)
    assert made.labels == ("first", "second", "third")
    assert len(frames_of(out)) == 3
    image = Image.open(out)
    assert image.info["loop"] == 0
    assert frames_of(out)[0].getpixel((1, 1)) == (255, 255, 255)


def test_a_page_holds_the_frames_and_the_caption(encoders, x, tmp_path):
    made = vaeviz.animate("latent_scatter", encoders, out=tmp_path / "latent.html", x=x, **SMALL)
    page = made.path.read_text()
    assert page.count("data:image/png;base64,") == 3
    assert "Procrustes" in page
    assert "http" not in page.replace("http-equiv", "")


@pytest.mark.adapters
def test_an_mp4_holds_the_frames(encoders, x, tmp_path):
    ffmpeg = pytest.importorskip("imageio_ffmpeg")
    out = tmp_path / "latent.mp4"
    vaeviz.animate("latent_scatter", encoders, out=out, x=x, fps=5, **SMALL)
    n_frames, seconds = ffmpeg.count_frames_and_secs(str(out))
    assert n_frames == 3 + 10  # the last stays for two seconds
    assert seconds == pytest.approx(13 / 5, abs=0.3)


def test_an_mp4_without_its_library_is_an_error_before_anything_is_drawn(encoders, x, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "imageio_ffmpeg", None)
    with pytest.raises(InputError) as error:
        vaeviz.animate("latent_scatter", encoders, out=tmp_path / "latent.mp4", x=x)
    assert "animation" in error.value.fix.python


def test_rotations_of_the_latent_space_are_undone(drawn, x, tmp_path):
    rotated = [turned_encoder(degrees) for degrees in (120, 50, 0)]
    made = vaeviz.animate("latent_scatter", rotated, out=tmp_path / "latent.gif", x=x, **SMALL)
    points = [figure.axes[0].collections[0].get_offsets() for figure in drawn]
    for one in points:
        np.testing.assert_allclose(one, x[:, :2], atol=1e-5)
    assert "Procrustes" in made.caption
    assert all(figure.axes[0].get_xlabel().startswith("aligned") for figure in drawn)


def test_without_alignment_codes_and_labels_are_those_of_each_model(drawn, x, tmp_path):
    rotated = [turned_encoder(90), turned_encoder(0)]
    made = vaeviz.animate("latent_scatter", rotated, out=tmp_path / "latent.gif", x=x, align=False, **SMALL)
    np.testing.assert_allclose(drawn[0].axes[0].collections[0].get_offsets(), rotated[0].fn(x)[0], rtol=1e-5)
    assert "Procrustes" not in made.caption
    assert drawn[0].axes[0].get_xlabel() == "$z_{1}$"


def test_axes_colors_and_places_are_the_same_in_all_frames(drawn, encoders, x, tmp_path):
    labels = np.arange(len(x)) % 3
    made = vaeviz.animate("latent_scatter", encoders, out=tmp_path / "latent.gif", x=x, labels=labels, **SMALL)
    axes = [figure.axes[0] for figure in drawn]
    assert len({(ax.get_xlim(), ax.get_ylim()) for ax in axes}) == 1
    assert len({tuple(ax.get_position(original=True).bounds) for ax in axes}) == 1
    assert len({tuple(map(str, ax.collections[0].colors.colors)) for ax in axes}) == 1
    low, high = np.array([axes[0].get_xlim(), axes[0].get_ylim()]).T
    for ax in axes:
        points = ax.collections[0].get_offsets()
        assert ((points >= low) & (points <= high)).all()
    assert "same in each frame" in made.caption


def test_the_two_dimensions_of_the_last_model_are_drawn_in_all_frames(drawn, tmp_path):
    x = np.random.default_rng(0).standard_normal((60, 3)).astype(np.float32)
    models = [lambda x: x * [3, 2, 1], lambda x: x * [1, 2, 3]]
    vaeviz.animate("latent_scatter", models, out=tmp_path / "latent.gif", x=x, **SMALL)
    assert [figure.axes[0].get_xlabel() for figure in drawn] == ["aligned $z_{2}$"] * 2


def test_color_scales_are_shared(drawn, x, tmp_path):
    def heat(encoder, x, *, ax=None):
        """Draw the codes as a heat map."""
        ax.figure.colorbar(ax.imshow(vaeviz.encode(encoder, x).mean, aspect="auto"))
        return ax

    models = [lambda x: x[:, :2], lambda x: 9 * x[:, :2]]
    vaeviz.animate(heat, models, out=tmp_path / "heat.gif", x=x, **SMALL)
    assert len({figure.axes[0].images[0].get_clim() for figure in drawn}) == 1


def test_a_caption_does_not_claim_the_same_axes_where_ticks_differ(x, tmp_path):
    def heat(encoder, x, *, ax=None):
        """Draw the codes as a heat map."""
        codes = vaeviz.encode(encoder, x).mean
        ax.imshow(codes, aspect="auto")
        ax.set_xticks([0], [f"{codes.max():.3f}"])
        return ax

    models = [lambda x: x[:, :2], lambda x: 9 * x[:, :2]]
    made = vaeviz.animate(heat, models, out=tmp_path / "heat.gif", x=x, **SMALL)
    assert "Axes are those of each frame." in made.caption


def test_frames_of_different_sizes_are_extended_with_white(x, tmp_path):
    heights = iter([1, 2])

    def growing(x):
        """Draw figures of different heights."""
        figure = Figure(figsize=(1, next(heights)))
        figure.subplots()
        return figure

    models = [lambda x: x[:, :2]] * 2
    vaeviz.animate(growing, models, out=tmp_path / "growing.png", x=x, **SMALL)
    assert len({frame.size for frame in frames_of(tmp_path / "growing.png")}) == 1


def test_a_warning_that_all_frames_issue_is_shown_once(x, tmp_path):
    models = [lambda x, k=k: (x[:, :2] / k, np.full((len(x), 2), -2.0)) for k in (1, 2, 3)]
    for name in ("first.gif", "second.gif"):
        with pytest.warns(vaeviz.GuessWarning) as caught:
            vaeviz.animate("latent_scatter", models, out=tmp_path / name, x=x, **SMALL)
        assert len({str(one.message) for one in caught}) == len(caught)


def test_a_frame_that_returns_nan_is_left_out_with_a_warning(x, tmp_path):
    models = {"one": lambda x: x[:, :2], "bad": lambda x: np.full((len(x), 2), np.nan), "two": lambda x: 2 * x[:, :2]}
    with pytest.warns(UserWarning, match="bad is left out"):
        made = vaeviz.animate("latent_scatter", models, out=tmp_path / "latent.gif", x=x, **SMALL)
    assert made.labels == ("one", "two")


def test_a_frame_without_a_figure_is_left_out_with_a_warning(x, tmp_path):
    def only_large(encoder, x, *, ax=None):
        """Refuse small codes."""
        if vaeviz.encode(encoder, x).mean.std() < 0.5:
            raise NotApplicable("The codes are small.")
        return ax

    models = {"small": lambda x: 0.1 * x[:, :2], "one": lambda x: x[:, :2], "two": lambda x: 2 * x[:, :2]}
    with pytest.warns(UserWarning, match="small"):
        made = vaeviz.animate(only_large, models, out=tmp_path / "large.gif", x=x, **SMALL)
    assert made.labels == ("one", "two")
    with pytest.raises(NotApplicable):
        vaeviz.animate(only_large, list(models.values())[:2], out=tmp_path / "none.gif", x=x, **SMALL)
    assert not (tmp_path / "none.gif").exists()


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"plot": "latent_scater"}, UnknownName),
        ({"out": "latent.avi"}, InputError),
        ({"out": "no/folder/latent.gif"}, OutputError),
        ({"frames": [turned_encoder(0)]}, InputError),
        ({"frames": turned_encoder(0)}, InputError),
        ({"frames": "no/run"}, InputError),
        ({"over": "codes"}, UnknownName),
        ({"options": {"colour": 1}}, UnknownName),
        ({"fps": 0.0}, InputError),
        ({"style": "poster"}, UnknownName),
        ({"plot": "samples", "align": True}, InputError),
        ({"frames": [lambda x: x[:, :2], lambda x: x[:, :3]]}, InputError),
    ],
)
def test_wrong_arguments_are_errors(arguments, error, encoders, x, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error):
        vaeviz.animate(**{"plot": "latent_scatter", "frames": encoders, "out": "latent.gif", "x": x, **arguments})
    assert not list(tmp_path.iterdir())


@pytest.fixture
def linear():
    """A linear encoder and its decoder: x = (z, -z)."""
    encoder = vaeviz.Encoder(lambda x: (x[:, :2], np.full((len(x), 2), -4.0)), returns="mean,log_var")
    return encoder, lambda z: np.concatenate([z, -z], axis=1)


def test_a_traversal_moves_one_dimension_of_each_column_there_and_back(linear, x):
    encoder, decoder = linear
    loop = traversal_loop(decoder, encoder, x, n_frames=8)
    first, second = loop.cells[:, 0, 0, :2], loop.cells[:, 0, 1, :2]
    moved = int(np.ptp(first, axis=0).argmax())
    assert np.ptp(first[:, 1 - moved]) == 0
    assert np.ptp(second[:, moved]) == 0
    np.testing.assert_allclose(first[1:4], first[:4:-1], rtol=1e-6)
    low, high = first[0, moved], first[4, moved]
    assert low < high
    assert len(loop.cells) == len(loop.layouts) == 8


def test_an_interpolation_starts_at_the_first_code_and_turns_at_the_last(linear, x):
    encoder, decoder = linear
    loop = interpolation_loop(decoder, encoder, x, n_frames=8, n_paths=3)
    first, moving, last = (loop.cells[:, :, column] for column in range(3))
    np.testing.assert_allclose(moving[0][:, :2], first[0][:, :2], atol=1e-6)
    np.testing.assert_allclose(moving[4][:, :2], last[0][:, :2], atol=1e-6)
    np.testing.assert_allclose(moving[2], (moving[0] + moving[4]) / 2, atol=1e-6)
    assert (first == first[0]).all()


def test_a_walk_is_a_draw_from_the_prior_at_each_time_and_closes(linear):
    _, decoder = linear
    decoder = vaeviz.Decoder(decoder, latent_shape=(2,), prior="normal")
    loop = prior_walk(decoder, n_frames=12, n_samples=2500)
    z = loop.cells.reshape(12, 2500, 4)[..., :2]
    np.testing.assert_allclose(z.mean(axis=1), 0, atol=5 / np.sqrt(2500))
    np.testing.assert_allclose(z.var(axis=1), 1, atol=5 * np.sqrt(2 / 2500))
    steps = np.linalg.norm(np.diff(np.concatenate([z, z[:1]]), axis=0), axis=2)
    assert steps.max() < 2 * np.pi / 12 * np.linalg.norm(z, axis=2).max() * 1.5


def test_conditions_are_columns_and_a_fixed_one_is_named():
    decoder = vaeviz.Decoder(lambda z, y: z + y[:, None], latent_shape=(2,), prior="normal", conditions=("a", "b", "c"))
    walk = prior_walk(decoder, n_frames=4, n_samples=6)
    assert walk.cells.shape == (4, 2, 3, 2)
    np.testing.assert_allclose(walk.cells[:, :, 2] - walk.cells[:, :, 0], 2, atol=1e-6)
    traversal = traversal_loop(decoder, n_frames=4)
    assert traversal.cells.shape == (4, 2, 3, 2)
    assert "b" in traversal_loop(vaeviz.condition_on(decoder, "b"), n_frames=4).title


@pytest.mark.parametrize("plot", ["traversal", "interpolation", "samples"])
def test_loops_are_written(plot, linear, x, tmp_path):
    made = vaeviz.animate(plot, linear, out=tmp_path / "loop.gif", x=x, options={"n_frames": 4}, **SMALL)
    assert len(frames_of(made.path)) == 4


def test_points_move_in_axes_that_hold_all_frames(tmp_path, monkeypatch):
    limits = []
    monkeypatch.setattr(
        "vaeviz.animation.loops.draw_images",
        lambda figures, dpi: limits.extend((f.axes[0].get_xlim(), f.axes[0].get_ylim()) for f in figures),
    )
    decoder = vaeviz.Decoder(lambda z: z, latent_shape=(2,), prior="normal")
    loop = prior_walk(decoder, kind="point", n_frames=6, n_samples=5)
    loop.draw("paper", 40)
    assert len({*limits}) == 1
    (low, high), _ = limits[0]
    assert low <= np.nanmin(loop.cells[..., 0]) <= np.nanmax(loop.cells[..., 0]) <= high


def test_a_loop_over_models_is_possible(linear, x, tmp_path):
    made = vaeviz.animate("samples", [linear, linear], out=tmp_path / "samples.png", x=x, **SMALL)
    assert len(made.labels) == 2


def test_a_single_frame_of_a_loop_is_an_error(linear, x, tmp_path):
    with pytest.raises(InputError):
        vaeviz.animate("samples", linear, out=tmp_path / "loop.gif", x=x, options={"n_frames": 1})
