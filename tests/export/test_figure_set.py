import hashlib
import json
import re
import struct
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import matplotlib
import numpy as np
import pytest

import vaeviz
from vaeviz import Dataset, Decoder, GuessWarning, NotApplicable, export_figures, get_plot, register_plot
from vaeviz.errors import Fix, InputError, NothingDrawnWarning, OutputError, UnknownName, declare
from vaeviz.plugins.plot_spec import plot_names

LIGHT = {"manifold_grid": {"n_grid": 3}, "samples": {"n_samples": 4}, "interpolation": {"n_paths": 1, "n_steps": 3}}
SOME = [  # quick ones, of every kind
    "interpolation",
    "latent_scatter",
    "manifold_grid",
    "reconstruction_pairs",
    "samples",
    "training_curves",
    "tsne",
]


@pytest.fixture
def data(digits):
    return Dataset(digits.x, digits.labels, name="digits")


@pytest.fixture
def inputs(encoder, decoder, digits):
    return {"encoder": encoder, "decoder": decoder, "x": digits.x, "labels": digits.labels}


@pytest.fixture
def failing_plot(registered):
    @register_plot
    def aaa_first(encoder, x, *, seed: int = 0, ax=None):
        """Fail."""
        raise ZeroDivisionError("no <luck> today")

    return aaa_first


def manifest_of(out):
    return json.loads((out / "manifest.json").read_text(encoding="utf-8"))


def statuses(records):
    return {record.plot: record.status for record in records}


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


# Drawn, skipped or failed


@pytest.mark.usefixtures("only_records")
def test_every_plot_is_drawn_or_skipped_with_a_reason_and_x_is_encoded_once(tmp_path, inputs):
    calls = []

    def counted(x):
        calls.append(len(x))
        return inputs["encoder"](x)

    encoder = vaeviz.Encoder(counted, batch_size=25)
    little = {"aggregate_posterior": {"n_grid": 40, "n_permutations": 100}, "prior_holes": {"n_codes": 200}}
    records = export_figures(tmp_path / "out", **inputs | {"encoder": encoder}, settings=LIGHT | little, dpi=30)
    assert calls[:4] == [25, 25, 25, 10]  # the first batch twice, to find out whether the encoder samples
    assert set(calls[4:]) <= {1}  # to find the weights that it uses
    assert [record.plot for record in records] == plot_names()
    missing = {name: get_plot(name).missing_inputs(inputs) for name in plot_names()}
    expected = {name for name in plot_names() if missing[name]} | {"latent_pairs", "map_quality", "tsne"}
    reasons = {record.plot: record.reason for record in records if record.status == "skipped"}
    assert set(reasons) == expected
    assert all(reasons.values())
    assert all(word in reasons[name] for name in plot_names() for word in missing[name])
    assert {record.plot for record in records if record.status == "drawn"} == set(plot_names()) - expected
    drawn = {f"{record.plot}.png" for record in records if record.status == "drawn"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == drawn | {
        "manifest.json",
        "timings.json",
        "index.html",
    }


def test_a_plot_that_fails_is_recorded_and_the_others_are_drawn(tmp_path, inputs, failing_plot):
    records = export_figures(tmp_path, **inputs, plots=["aaa_first", "latent_scatter"], dpi=30)
    assert statuses(records) == {"aaa_first": "failed", "latent_scatter": "drawn"}
    failed, drawn = manifest_of(tmp_path)["figures"]
    assert failed["reason"] == "ZeroDivisionError: no <luck> today"
    assert "in aaa_first" in failed["traceback"]
    assert failed["files"] == {}
    assert drawn["traceback"] == ""
    assert (tmp_path / "latent_scatter.png").is_file()


def test_a_plot_that_does_not_apply_is_skipped_with_its_reason(tmp_path, inputs, registered):
    @register_plot
    def picky(encoder, x, *, ax=None):
        """Refuse to plot."""
        raise NotApplicable("There are no classes.", fix=Fix("Pass labels=y.", "Add --labels y."))

    with pytest.warns(NothingDrawnWarning) as caught:
        (record,) = export_figures(tmp_path, **inputs, plots=["picky"])
    (warning,) = (each.message for each in caught if issubclass(each.category, NothingDrawnWarning))
    assert str(warning).endswith("There are no classes. Pass labels=y.")
    assert (record.status, record.reason) == ("skipped", "There are no classes. Pass labels=y.")
    assert (record.command_line_reason, record.traceback) == ("There are no classes. Add --labels y.", "")
    assert "command_line_reason" not in manifest_of(tmp_path)["figures"][0]


def test_a_plot_that_returns_nothing_is_drawn_with_a_warning(tmp_path, inputs, registered):
    @register_plot
    def forgetful(x, *, ax=None):
        """Draw a line, and forget to return the Axes."""
        ax.plot([0, 1])

    (record,) = export_figures(tmp_path, **inputs, plots=["forgetful"], dpi=30)
    assert record.status == "drawn"
    assert len(record.warnings) == 1 and "forgetful" in record.warnings[0]


def test_a_plot_gets_the_inputs_that_it_names_and_no_others(tmp_path, inputs, registered):
    seen = {}

    @register_plot
    def keep_inputs(x, energies, labels=None, condition=None, *, seed: int = 0, ax=None):
        """Keep the inputs."""
        seen.update(x=x, energies=energies, labels=labels, condition=condition, seed=seed)
        return ax

    export_figures(tmp_path, **inputs, energies=[1, 2], plots=["keep_inputs"], seed=7)
    assert seen["x"] is inputs["x"]
    assert seen["labels"] is inputs["labels"]
    assert (seen["energies"], seen["condition"], seen["seed"]) == ([1, 2], None, 7)


def test_pyplot_and_rcparams_are_left_alone(tmp_path, inputs):
    import matplotlib
    from matplotlib import pyplot as plt

    before = dict(matplotlib.rcParams)
    export_figures(tmp_path, **inputs, plots=["latent_scatter"], style="talk", dpi=30)
    assert plt.get_fignums() == []
    assert dict(matplotlib.rcParams) == before


def test_warnings_of_a_plot_are_recorded_with_it(tmp_path, inputs):
    def logits(z):
        return 9 * np.repeat(z[:, :1], 64, axis=1)

    records = export_figures(tmp_path, **inputs | {"decoder": logits}, plots=["samples", "latent_scatter"], dpi=30)
    warnings = {record.plot: record.warnings for record in records}
    assert warnings["latent_scatter"] == []
    assert len(warnings["samples"]) == 1
    assert 'Decoder(fn, output="logits")' in warnings["samples"][0]
    assert "Decoder(fn, output=" in (tmp_path / "index.html").read_text()


def test_advice_of_warnings_is_kept_for_the_command_line(tmp_path, inputs, registered):
    @register_plot
    def unsure(x, *, ax=None):
        """Guess."""
        warnings.warn(GuessWarning("x may be logits.", fix=declare("Decoder", output="logits")), stacklevel=1)
        return ax

    (record,) = export_figures(tmp_path, **inputs, plots=["unsure"], dpi=30)
    assert record.warnings == ['x may be logits. Write vaeviz.Decoder(fn, output="logits").']
    assert record.command_line_warnings == ["x may be logits. Add --output logits."]
    assert manifest_of(tmp_path)["figures"][0]["warnings"] == record.warnings


@pytest.mark.usefixtures("only_records")
def test_each_record_is_reported_as_it_is_done(tmp_path, inputs):
    reported = []
    records = export_figures(
        tmp_path, **inputs, plots=["samples", "latent_scatter", "samples"], dpi=30, on_record=reported.append
    )
    assert reported == records
    assert [record.plot for record in records] == ["samples", "latent_scatter"]


# Inputs


@pytest.mark.usefixtures("only_records")
@pytest.mark.no_cover
def test_a_run_and_a_data_set_supply_everything(tmp_path, run):
    data = vaeviz.load_data("digits")[:50]
    plots = [*SOME, "latent_neighbors", "likelihood_bound"]
    settings = LIGHT | {"likelihood_bound": {"n_draws": 10}}
    records = export_figures(tmp_path / "a set", model=run, data=data, plots=plots, settings=settings, dpi=30)
    assert {record.plot for record in records if record.status != "drawn"} == {"tsne"}
    manifest = manifest_of(tmp_path / "a set")
    assert manifest["title"] == "a set"
    assert manifest["inputs"]["encoder"]["name"] == "tiny.encoder"
    assert manifest["inputs"]["x"]["shape"] == [50, 8, 8]


def test_named_inputs_win_over_model_and_data(tmp_path, run, data, registered):
    seen = {}

    @register_plot
    def keep_inputs(decoder, labels, *, ax=None):
        """Keep the inputs."""
        seen.update(decoder=decoder, labels=labels)

    def mine(z):
        return z

    labels = np.arange(60)
    export_figures(tmp_path, model=run, data=data, labels=labels, decoder=mine, plots=["keep_inputs"])
    assert seen["labels"] is labels
    assert seen["decoder"].fn is mine


def test_class_names_label_the_figures(tmp_path, inputs, registered):
    seen = {}

    @register_plot
    def keep_inputs(labels, *, ax=None):
        """Keep the inputs."""
        seen["labels"] = labels

    named = Dataset(inputs["x"], np.arange(60) % 2, ("even", "odd"))
    export_figures(tmp_path, data=named, plots=["keep_inputs"])
    assert seen["labels"][:2].tolist() == ["even", "odd"]


def test_a_set_of_which_nothing_is_drawn_says_what_most_plots_need(tmp_path, encoder):
    with pytest.warns(NothingDrawnWarning) as caught:
        records = export_figures(tmp_path, encoder=encoder)
    assert {record.status for record in records} == {"skipped"}
    assert "x: samples" in caught[0].message.fix.python
    assert "--data" in caught[0].message.fix.command_line
    assert caught[0].filename == __file__


def test_a_plot_function_instead_of_a_name_is_an_input_error(tmp_path, inputs):
    with pytest.raises(InputError) as caught:
        export_figures(tmp_path, **inputs, plots=[vaeviz.samples])
    assert caught.value.fix.python == "Write plots=['samples']."


# The manifest


def test_the_manifest_records_options_files_versions_and_inputs(tmp_path, inputs):
    export_figures(
        tmp_path, **inputs, plots=["latent-scatter"], settings={"latent_scatter": {"marker_size": 3}}, seed=5
    )
    manifest = manifest_of(tmp_path)
    (figure,) = manifest["figures"]
    assert figure["plot"] == "latent_scatter"
    assert figure["distribution"] == "vaeviz"
    assert figure["options"]["marker_size"] == 3
    assert figure["options"]["seed"] == manifest["seed"] == 5
    assert figure["options"]["dims"] is None
    assert figure["files"] == {"latent_scatter.png": sha256(tmp_path / "latent_scatter.png")}
    assert (manifest["style"], manifest["dpi"], manifest["formats"]) == ("paper", 300, ["png"])
    assert manifest["versions"]["vaeviz"] == vaeviz.__version__
    x = manifest["inputs"]["x"]
    assert x == {"shape": [60, 8, 8], "dtype": "float32", "sha256": hashlib.sha256(inputs["x"].tobytes()).hexdigest()}
    assert manifest["inputs"]["encoder"]["posterior"]["shape"] == [60, 2]
    assert set(json.loads((tmp_path / "timings.json").read_text())) == {"latent_scatter"}


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["a", "b"] * 30),
        np.array(["a", None] * 30, dtype=object),
        np.linspace(0, 1, 60).astype("float16"),
        np.arange(60).astype("datetime64[D]").astype(str),
        list(range(60)),
    ],
    ids=["strings", "objects", "halves", "dates", "list"],
)
def test_labels_of_any_type_have_a_hash_of_their_own(tmp_path, inputs, labels, registered):
    @register_plot
    def blank(labels, *, ax=None):
        """Draw nothing."""
        return ax

    hashes = []
    for some in (labels, labels[::-1]):
        export_figures(tmp_path, **inputs | {"labels": some}, plots=["blank"], dpi=30)
        hashes.append(manifest_of(tmp_path)["inputs"]["labels"].get("sha256"))
    assert hashes[0] != hashes[1]


@pytest.mark.no_cover
@pytest.mark.parametrize("formats", [("png", "pdf", "svg")])
def test_the_same_inputs_and_seed_give_the_same_bytes(tmp_path, inputs, failing_plot, formats):
    chosen = {
        "plots": ["aaa_first", "latent_scatter", "samples", "training_curves"],
        "formats": formats,
        "settings": {"samples": LIGHT["samples"]},
        "history": {"epoch": [1, 2], "train_elbo": [-2.0, -1.0]},
        "dpi": 50,
    }
    outs = [tmp_path / folder / "figures" for folder in ("one", "other")]
    for out in outs:
        export_figures(out, **inputs, **chosen)
    first, second = ({path.name: path.read_bytes() for path in out.iterdir()} for out in outs)
    assert len(first) == 3 * 3 + 3
    del first["timings.json"], second["timings.json"]
    assert [name for name in first if first[name] != second[name]] == []


def test_another_seed_gives_other_samples(tmp_path, inputs):
    for seed in (0, 1):
        export_figures(tmp_path / str(seed), **inputs, plots=["samples"], seed=seed, dpi=30)
    assert sha256(tmp_path / "0" / "samples.png") != sha256(tmp_path / "1" / "samples.png")


def test_no_path_of_this_machine_is_in_the_record(tmp_path, inputs, failing_plot):
    out = tmp_path / "out"
    export_figures(out, **inputs, plots=["aaa_first", "latent_scatter"], dpi=30)
    text = (out / "manifest.json").read_text() + (out / "index.html").read_text()
    assert "vaeviz/export/render.py" in text
    assert str(tmp_path) not in text
    assert str(Path(vaeviz.__file__).parents[1]) not in text


@pytest.mark.usefixtures("only_records")
def test_figures_of_earlier_exports_stay_and_are_listed(tmp_path, inputs):
    for plots in (["samples", "posterior_ellipses"], ["latent_scatter"], ["latent_scatter"]):
        export_figures(tmp_path, **inputs, plots=plots, dpi=30)
    earlier = {name: sha256(tmp_path / name) for name in ("samples.png", "posterior_ellipses.png")}
    assert manifest_of(tmp_path)["earlier_figures"] == earlier
    assert [figure["plot"] for figure in manifest_of(tmp_path)["figures"]] == ["latent_scatter"]
    assert 'href="samples.png"' in (tmp_path / "index.html").read_text(encoding="utf-8")


@pytest.mark.usefixtures("only_records")
def test_figures_of_an_earlier_export_are_removed_on_demand_and_nothing_else(tmp_path, inputs):
    export_figures(tmp_path, **inputs, plots=["samples", "posterior_ellipses", "latent_scatter"], dpi=30)
    (tmp_path / "posterior_ellipses.png").write_bytes(b"mine")
    (tmp_path / "traversal.png").write_bytes(b"mine")
    export_figures(tmp_path, **inputs, plots=["latent_scatter"], dpi=30, clean=True)
    left = {path.name for path in tmp_path.glob("*.png")}
    assert left == {"latent_scatter.png", "posterior_ellipses.png", "traversal.png"}
    assert "earlier_figures" not in manifest_of(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", '{"figures": 3}', '{"figures": [{"files": {"../mine.png": "HASH"}}]}'])
def test_a_foreign_manifest_removes_nothing(tmp_path, inputs, content):
    (tmp_path / "mine.png").write_bytes(b"mine")
    out = tmp_path / "out"
    out.mkdir()
    (out / "manifest.json").write_text(content.replace("HASH", sha256(tmp_path / "mine.png")))
    export_figures(out, **inputs, plots=["latent_scatter"], dpi=30, clean=True)
    assert (tmp_path / "mine.png").is_file()


def test_warnings_about_inputs_are_in_the_manifest_and_on_the_page(tmp_path, digits, read_page):
    def unsure(x):
        return x.reshape(len(x), -1)[:, :2], np.ones((len(x), 2))

    with pytest.warns(GuessWarning) as caught:
        export_figures(tmp_path, encoder=unsure, x=digits.x, plots=["latent_scatter"], dpi=30)
    assert caught[0].filename == __file__
    assert manifest_of(tmp_path)["warnings"] == [str(caught[0].message)]
    assert str(caught[0].message) in "".join(read_page(tmp_path).texts)


def test_no_partial_file_is_left(tmp_path, inputs, monkeypatch):
    from matplotlib.figure import Figure

    export_figures(tmp_path, **inputs, plots=["latent_scatter"], dpi=30)
    before = sha256(tmp_path / "latent_scatter.png")

    def write_half(path, content):
        with open(path, "wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError("disk full")

    monkeypatch.setattr(Path, "write_bytes", write_half)
    from vaeviz.export.render import save_figure

    with pytest.raises(OutputError, match="disk full"):
        save_figure(Figure(), tmp_path / "latent_scatter.png", 30)
    assert sha256(tmp_path / "latent_scatter.png") == before
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


# Files


def png_size(path):
    return struct.unpack(">II", path.read_bytes()[16:24])


@pytest.mark.parametrize(("style", "column", "full"), [("paper", 3.4, 7.0), ("talk", 6.2, 12.6)])
def test_figures_are_as_wide_as_the_column_or_page_of_the_style(tmp_path, inputs, style, column, full):
    plots = ["latent_scatter", "samples", "reconstruction_pairs"]
    export_figures(tmp_path, **inputs, plots=plots, settings={"samples": {"n_samples": 4}}, style=style, dpi=100)
    widths = {name: png_size(tmp_path / f"{name}.png")[0] for name in plots}
    assert widths == {
        "latent_scatter": round(100 * column),
        "samples": round(100 * column),
        "reconstruction_pairs": round(100 * full),
    }


def test_the_default_resolution_is_that_of_the_style(tmp_path, inputs):
    export_figures(tmp_path, **inputs, plots=["latent_scatter"])
    assert png_size(tmp_path / "latent_scatter.png")[0] == round(3.4 * 300)
    assert manifest_of(tmp_path)["dpi"] == 300


def test_pages_without_a_page_shape_fit_their_content(tmp_path, inputs, make_decoder):
    heights = []
    for n in (5, 10):
        settings = {"reconstruction_pairs": {"n_samples": n}}
        export_figures(tmp_path, **inputs, plots=["reconstruction_pairs"], settings=settings, dpi=100)
        heights.append(png_size(tmp_path / "reconstruction_pairs.png")[1])
    assert heights[0] > 1.5 * heights[1]


def test_fonts_in_a_pdf_are_embedded_as_truetype(tmp_path, inputs):
    import zlib

    export_figures(tmp_path, **inputs, plots=["latent_scatter"], formats=["pdf"])
    content = (tmp_path / "latent_scatter.pdf").read_bytes()
    assert b"/Subtype /Type3" not in content
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL)
    plain = content + b"".join(_inflated(stream, zlib) for stream in streams)
    assert b"/FontFile2" in plain or b"/CIDFontType2" in plain
    assert b"/Type3" not in plain


def _inflated(stream, zlib):
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return b""


def test_marks_are_rasterized_in_vector_files_if_set(tmp_path, inputs):
    sizes = {}
    for rasterized in (False, True):
        export_figures(
            tmp_path,
            **inputs,
            plots=["latent_scatter"],
            formats=["svg"],
            settings={"latent_scatter": {"rasterized": rasterized}},
        )
        sizes[rasterized] = (tmp_path / "latent_scatter.svg").read_text().count("<image")
    assert sizes[False] == 0
    assert sizes[True] >= 1


# The page


@pytest.mark.usefixtures("only_records")
def test_the_page_shows_each_figure_and_the_reasons_of_the_others(tmp_path, inputs, failing_plot, read_page):
    plots = ["aaa_first", *SOME]
    export_figures(tmp_path, **inputs, plots=plots, settings=LIGHT, title="mine", formats=["pdf", "png"], dpi=30)
    page = read_page(tmp_path)
    names = SOME[:-2]
    assert {image["src"] for image in page.all("img")} == {f"{name}.png" for name in names}
    assert all(image["alt"] for image in page.all("img"))
    linked = {link["href"] for link in page.all("a") if not link["href"].startswith("#")}
    assert linked == {f"{name}.{ending}" for name in names for ending in ("pdf", "png")} | {"manifest.json"}
    assert all((tmp_path / link).is_file() for link in linked)
    text = " ".join(page.texts)
    skipped = [figure["reason"] for figure in manifest_of(tmp_path)["figures"] if figure["status"] == "skipped"]
    assert len(skipped) == 2
    for part in ("mine", *skipped, "ZeroDivisionError: no <luck> today", "in aaa_first"):
        assert part in text


def test_the_page_loads_nothing_from_elsewhere(tmp_path, inputs, read_page):
    export_figures(tmp_path, **inputs, plots=["latent_scatter"], dpi=30)
    assert "http" not in (tmp_path / "index.html").read_text(encoding="utf-8")
    assert read_page(tmp_path).all("script") == [{}]  # its own, without src


def test_hostile_titles_labels_and_options_run_nothing(tmp_path, inputs, registered, read_page):
    script = "\"'><script>alert('{}')</script><img src=x onerror=alert(1)>"

    @register_plot
    def hostile(x, labels, *, word: str = "a", ax=None):
        """<script>alert("summary")</script> & more."""
        warnings.warn(f"{script.format('warning')} {labels[0]}", stacklevel=1)

    @register_plot
    def refusing(x, *, ax=None):
        """Refuse."""
        raise NotApplicable(script.format("reason"))

    export_figures(
        tmp_path,
        **inputs | {"labels": np.array([script.format("label")] * 60)},
        plots=["hostile", "refusing"],
        settings={"hostile": {"word": script.format("option")}},
        title=script.format("title"),
        analysis=True,
        dpi=30,
    )
    page = read_page(tmp_path)
    assert page.all("script") == [{}]
    assert [image["src"] for image in page.all("img")] == ["hostile.png"]
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    for where in ("title", "option", "warning", "label", "reason"):
        assert f"<script>alert('{where}')</script>" in "".join(page.texts)
    assert page.all("img")[0]["alt"] == '<script>alert("summary")</script> & more.'


# Errors before anything is written


@pytest.mark.parametrize(
    ("wrong", "error", "got"),
    [
        ({"plots": ["latent_scater"]}, UnknownName, "latent_scater"),
        ({"plots": []}, InputError, "no plot"),
        ({"formats": ["jpg"]}, UnknownName, "jpg"),
        ({"formats": []}, InputError, "no format"),
        ({"style": "papr"}, UnknownName, "papr"),
        ({"settings": {"latent_scater": {}}}, UnknownName, "latent_scater"),
        ({"settings": {"latent_scatter": {"dim": 1}}}, UnknownName, "dim"),
        ({"plots": ["latent_scatter"], "settings": {"samples": {}}}, InputError, "samples"),
        ({"lables": np.arange(60)}, UnknownName, "lables"),
        ({"dpi": 0}, InputError, "0"),
        ({"seed": -1}, InputError, "-1"),
    ],
)
def test_invalid_arguments(tmp_path, inputs, wrong, error, got):
    out = tmp_path / "out"
    with pytest.raises(error) as caught:
        export_figures(out, **inputs | wrong)
    assert caught.value.got == got
    assert not out.exists()


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"settings": {"latent_scatter": {"dims": "0"}}}, "latent_scatter.dims"),
        ({"labels": np.arange(59)}, "labels"),
        ({"encoder": lambda x: None}, "encoder"),
        ({"x": np.full((60, 8, 8), np.nan)}, "x"),
        ({"decoder": 3}, "decoder"),
    ],
)
def test_invalid_inputs_and_values(tmp_path, inputs, wrong, name):
    out = tmp_path / "out"
    with pytest.raises(InputError, match=re.escape(name)):
        export_figures(out, **inputs | wrong)
    assert not out.exists()


@pytest.mark.parametrize("below", ["", "deeper/still"])
def test_a_folder_that_cannot_be_written_is_an_error(tmp_path, inputs, below):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError) as caught:
        export_figures(tmp_path / "file" / below, **inputs, plots=["latent_scatter"])
    assert caught.value.got == str(tmp_path / "file" / below)
    assert (tmp_path / "file").read_text() == "mine"


def test_plots_that_need_more_samples_are_skipped(tmp_path, make_encoder, make_decoder, digits):
    small = {"encoder": make_encoder(3), "decoder": make_decoder(3), "x": digits.x[:3]}
    records = export_figures(tmp_path, **small, plots=["tsne", "samples"], dpi=30)
    assert statuses(records) == {"tsne": "skipped", "samples": "drawn"}
    assert "3" in records[0].reason


@pytest.mark.usefixtures("only_records")
def test_a_decoder_alone_is_drawn(tmp_path, decoder):
    records = export_figures(tmp_path, decoder=Decoder(decoder, latent_shape=(2,)), settings=LIGHT, dpi=30)
    drawn = {name for name, status in statuses(records).items() if status == "drawn"}
    assert drawn == {"interpolation", "manifold_grid", "samples", "traversal"}
    assert set(statuses(records).values()) == {"drawn", "skipped"}


@pytest.mark.parametrize("look", ["paper", "talk"])
@pytest.mark.parametrize("plot", ["samples", "manifold_grid", "interpolation"])
def test_a_page_as_high_as_its_content_cuts_nothing(inputs, plot, look):
    from vaeviz.drawing.styles import style
    from vaeviz.export.render import draw_figure

    with style(look) as chosen:
        figure = draw_figure(get_plot(plot), inputs, {}, chosen)
        figure.draw_without_rendering()
        box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert min(box.x0, box.y0) > -0.01
    assert box.x1 < width + 0.01
    assert box.y1 < height + 0.01


def test_plots_may_be_one_name(tmp_path):
    records = export_figures(
        tmp_path, encoder=lambda x: x[:, :2], x=np.random.rand(20, 3), plots="latent_scatter", dpi=30
    )
    assert [record.plot for record in records] == ["latent_scatter"]


def test_the_page_and_the_manifest_hold_no_control_characters(tmp_path, inputs, registered):
    strange = "red\x1b[31m \x00 \udcff"

    @register_plot
    def strange_plot(encoder, x, *, ax=None):
        """Fail with a strange text."""
        raise InputError(strange)

    export_figures(tmp_path, **inputs, plots=["strange_plot"], title=strange, dpi=30)
    page, manifest = ((tmp_path / name).read_bytes().decode("utf-8") for name in ("index.html", "manifest.json"))
    assert not set("\x00\x1b") & set(page + manifest)
    assert "red\N{REPLACEMENT CHARACTER}[31m" in page
    assert json.loads(manifest)["title"] == strange


def test_temporary_files_of_a_killed_export_are_removed(tmp_path, inputs):
    left = [tmp_path / f".{stem}.{32 * 'a'}{suffix}" for stem, suffix in (("samples", ".png"), ("index", ".html"))]
    kept = [tmp_path / name for name in (".samples.draft.png", f".notes.{32 * 'a'}.txt")]
    for path in (*left, *kept):
        path.write_bytes(b"half")
    export_figures(tmp_path, plots="samples", settings={"samples": LIGHT["samples"]}, **inputs)
    assert not any(path.exists() for path in left)
    assert all(path.exists() for path in kept)


def test_exports_of_two_threads_draw_what_one_draws(data, encoder, tmp_path):
    before = dict(matplotlib.rcParams)

    def draw(name):
        export_figures(tmp_path / name, encoder=encoder, x=data.x[:40], plots=["latent_scatter"], dpi=30)
        return (tmp_path / name / "latent_scatter.png").read_bytes()

    alone = draw("alone")
    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(draw, ("first", "second"))) == [alone] * 2
    assert dict(matplotlib.rcParams) == before
