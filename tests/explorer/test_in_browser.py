"""The front end in a real Chromium: what a person sees and does there is right."""

from __future__ import annotations

import base64
import csv
import io
import json
import shutil
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vaeviz
from tests.explorer.scene_pages import SIDE, STATIC, Scene, ToyModel, toy_scene, write_page

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")]

FLAGS = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--no-sandbox"]
HOSTILE = '</script><img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'
APP = "document.getElementById('explorer').explorer"
IDLE = f"() => {APP}.shared.state.probe !== null"
TILES = {"sample": 0, "reconstruction": 1, "cursor": 2}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def model() -> ToyModel:
    return ToyModel()


@pytest.fixture(scope="module")
def toy_page(model: ToyModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_page(tmp_path_factory.mktemp("page") / "toy.html", *toy_scene(model))


class Opened:
    """A page, and the errors that its console showed."""

    def __init__(self, browser: Any, path: Path, fragment: str = "", **context: Any) -> None:
        self.context = browser.new_context(viewport={"width": 1200, "height": 800}, offline=True, **context)
        self.page = self.context.new_page()
        self.errors: list[str] = []
        self.page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(f"file://{path}{fragment}")
        self.page.wait_for_selector("#explorer[data-ready]", timeout=20_000)
        self.page.wait_for_function(IDLE)

    def __enter__(self) -> Opened:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()

    def state(self, expression: str) -> Any:
        """Evaluate an expression of the explorer ``app``."""
        return self.page.evaluate(f"() => {{ const app = {APP}; return {expression}; }}")

    def place_of(self, row: int, view: int = 0) -> tuple[float, float]:
        """Return where a sample is in the window."""
        box = self.page.locator(".plot").nth(view).bounding_box()
        x, y = self.state(
            f"app.views[{view}].camera.toPixel(...app.views[{view}].space.points.slice({2 * row}, {2 * row + 2}))"
        )
        return box["x"] + x, box["y"] + y

    def tile(self, name: str) -> np.ndarray:
        """Return the red values of a tile's pixels."""
        code = (
            "(canvas) => [canvas.width, canvas.height, "
            "...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data]"
        )
        width, height, *values = self.page.locator(".tiles canvas").nth(TILES[name]).evaluate(code)
        return np.array(values).reshape(height, width, 4)[..., 0]


def as_bytes(picture: np.ndarray) -> np.ndarray:
    """Return a picture in [0, 1] as integers up to 255."""
    return np.asarray(np.round(picture * 255)).astype(int)


def test_page_opens_offline_and_hover_shows_the_sample_under_the_pointer(
    browser: Any, toy_page: Path, model: ToyModel
) -> None:
    with Opened(browser, toy_page) as opened:
        for row in (7, 123):
            opened.page.mouse.move(*opened.place_of(row))
            opened.page.wait_for_function(f"() => {APP}.shared.state.hoverRow === {row}")
            assert f"Sample {row}" in opened.page.locator(".tiles").inner_text()
            np.testing.assert_array_equal(opened.tile("sample"), as_bytes(model.x[row]))
            opened.page.wait_for_timeout(100)
            np.testing.assert_allclose(opened.tile("reconstruction"), as_bytes(model.x[row]), atol=1)
        assert opened.errors == []


def test_the_page_paints_points_in_the_colors_of_their_classes(browser: Any, toy_page: Path) -> None:
    code = (
        f"() => {{ const app = {APP}; const view = app.views[0]; view.renderer.draw(view.camera); "
        "const copy = document.createElement('canvas');"
        "[copy.width, copy.height] = [view.canvas.width, view.canvas.height];"
        "const context = copy.getContext('2d'); context.drawImage(view.canvas, 0, 0);"
        "return [...context.getImageData(0, 0, copy.width, copy.height).data].reduce("
        "(counts, value, i, all) => { if (i % 4 === 3 && value > 200) { const key = all.slice(i - 3, i).join();"
        "counts[key] = (counts[key] ?? 0) + 1; } return counts; }, {}) }"
    )
    with Opened(browser, toy_page, "#view=0,0,3") as opened:
        counts = opened.page.evaluate(code)
    painted = np.array([[int(value) for value in key.split(",")] for key in counts])
    for color in ((0x3F, 0x90, 0xDA), (0xFF, 0xA9, 0x0E), (0xBD, 0x1F, 0x01)):
        assert np.abs(painted - color).max(axis=1).min() <= 2


def test_cursor_decodes_what_python_decodes(browser: Any, toy_page: Path, model: ToyModel) -> None:
    code = np.array([[0.5, -0.25, 0.75]], np.float32)
    with Opened(browser, toy_page, "#at=0.5,-0.25&sliders=2:0.75") as opened:
        opened.page.wait_for_function(f"() => {APP}.decoded")
        np.testing.assert_allclose(opened.state("[...app.shared.state.probe.code]"), code[0], atol=1e-6)
        np.testing.assert_allclose(opened.state("[...app.decoded]"), model.decode(code).ravel(), atol=2e-6)
        np.testing.assert_allclose(opened.tile("cursor"), as_bytes(model.decode(code)[0]), atol=1)


def test_slider_moves_the_picture_and_shows_a_traversal(browser: Any, toy_page: Path, model: ToyModel) -> None:
    with Opened(browser, toy_page, "#at=0,0") as opened:
        before = opened.tile("cursor")
        slider = opened.page.locator(".slider input").first
        slider.focus()
        slider.press("End")
        opened.page.wait_for_selector(".traversal:not([hidden]) canvas")
        opened.page.wait_for_timeout(100)
        value = float(slider.input_value())
        assert value == pytest.approx(np.quantile(model.codes[:, 2], 0.99), rel=1e-3)
        expected = model.decode(np.array([[0, 0, opened.state("app.shared.state.probe.code[2]")]], np.float32))
        np.testing.assert_allclose(opened.tile("cursor"), as_bytes(expected[0]), atol=1)
        assert (opened.tile("cursor") != before).any()
        assert opened.page.locator(".traversal canvas").count() == 9


def test_box_selects_the_rows_inside_and_exports_them(browser: Any, toy_page: Path, model: ToyModel) -> None:
    with Opened(browser, toy_page) as opened:
        page = opened.page
        box = page.locator(".plot").bounding_box()
        page.get_by_label("Box").check(force=True)
        corners = [(box["x"] + 100, box["y"] + 80), (box["x"] + 420, box["y"] + 300)]
        page.mouse.move(*corners[0])
        page.mouse.down()
        page.mouse.move(*corners[1], steps=4)
        page.mouse.up()
        points = [opened.state(f"app.views[0].camera.toPoint({x - box['x']}, {y - box['y']})") for x, y in corners]
        (left, top), (right, bottom) = points
        z = model.codes
        inside = np.flatnonzero((z[:, 0] > left) & (z[:, 0] < right) & (z[:, 1] < top) & (z[:, 1] > bottom))
        assert 0 < len(inside) < len(z)
        assert opened.state("app.shared.state.selection") == inside.tolist()
        assert f"{len(inside)} samples selected" in page.locator(".panel").inner_text()
        assert page.locator(".code").input_value() == f"x[[{', '.join(map(str, inside))}]]"
        with page.expect_download() as download:
            page.get_by_role("button", name="Save CSV").click()
        rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text("utf-8"))))
        assert [int(row["row"]) for row in rows] == inside.tolist()
        assert [row["label"] for row in rows] == [["zero", "one", "two", "three"][k] for k in model.labels[inside]]
        np.testing.assert_allclose([float(row["z1"]) for row in rows], z[inside, 0], rtol=1e-6)
        with page.expect_download() as download:
            page.get_by_role("button", name="Save JSON").click()
        samples = json.loads(Path(download.value.path()).read_text("utf-8"))["samples"]
        assert [sample["row"] for sample in samples] == inside.tolist()
        mean = page.locator(".selection-body canvas").evaluate(
            "(c) => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]"
        )
        expected = np.mean([as_bytes(picture) for picture in model.x[inside]], axis=0)
        np.testing.assert_allclose(np.array(mean).reshape(SIDE, SIDE, 4)[..., 0], expected, atol=1)


def test_lasso_takes_the_samples_around_which_it_is_drawn(browser: Any, toy_page: Path) -> None:
    with Opened(browser, toy_page) as opened:
        page = opened.page
        x, y = opened.place_of(11)
        page.keyboard.down("Shift")
        page.mouse.move(x - 12, y - 12)
        page.mouse.down()
        for dx, dy in ((12, -12), (12, 12), (-12, 12)):
            page.mouse.move(x + dx, y + dy, steps=3)
        page.mouse.up()
        page.keyboard.up("Shift")
        assert 11 in opened.state("app.shared.state.selection")


def test_legend_hides_a_class_and_query_selects_rows(browser: Any, toy_page: Path, model: ToyModel) -> None:
    with Opened(browser, toy_page) as opened:
        page = opened.page
        page.get_by_role("button", name="two", exact=True).click()
        row = int(np.flatnonzero(model.labels == 2)[0])
        page.mouse.move(*opened.place_of(row))
        assert opened.state("app.shared.state.hoverRow") != row
        page.get_by_role("button", name="Select shown").click()
        assert opened.state("app.shared.state.selection") == np.flatnonzero(model.labels != 2).tolist()
        page.get_by_label("Search rows").fill("label=one z1>1")
        page.get_by_label("Search rows").press("Enter")
        expected = np.flatnonzero((model.labels == 1) & (model.codes[:, 0] > 1))
        assert opened.state("app.shared.state.selection") == expected.tolist()
        page.get_by_label("Search rows").fill("label>one")
        page.get_by_label("Search rows").press("Enter")
        assert page.locator(".results .note").is_visible()
        assert opened.state("app.shared.state.selection") == expected.tolist()


def test_a_search_keeps_the_sample_in_view_and_counts_hidden_rows(
    browser: Any, toy_page: Path, model: ToyModel
) -> None:
    with Opened(browser, toy_page) as opened:
        page = opened.page
        page.get_by_role("button", name="two", exact=True).click()
        page.locator(".panel").evaluate("(panel) => panel.scrollTo(0, panel.scrollHeight)")
        page.get_by_label("Search rows").fill("label = two or label = one")
        hidden = f"{(model.labels == 2).sum()} of them are"
        page.wait_for_function(f"() => document.querySelector('.results').textContent.includes('{hidden}')")
        page.get_by_label("Search rows").press("Enter")
        note = page.locator("[aria-label=Selection] .note").last
        assert hidden in note.inner_text()
        page.get_by_role("button", name="two", exact=True).click()
        assert "hides" not in note.inner_text()
        page.get_by_role("button", name="one", exact=True).click()
        assert f"{(model.labels == 1).sum()} of them are" in note.inner_text()
        for part in (".tiles canvas", "[aria-label=Selection] h2"):
            assert page.locator(part).first.evaluate(
                "(part) => { const { top, bottom } = part.getBoundingClientRect();"
                "return top >= 0 && bottom <= innerHeight; }"
            )


def test_the_highest_values_are_selected_and_pictured_first(browser: Any, toy_page: Path, model: ToyModel) -> None:
    error = np.abs(model.codes).sum(1)
    with Opened(browser, toy_page) as opened:
        opened.page.get_by_label("Color").select_option("reconstruction error")
        opened.page.get_by_role("button", name="Select highest").click()
        assert opened.state("app.shared.state.selection") == sorted(np.argsort(-error)[:18].tolist())
        first = opened.page.locator("[aria-label=Selection] .strip button").first
        first.click()
        assert opened.state("app.shared.state.hoverRow") == int(error.argmax())


def test_the_network_runs_in_a_worker_and_here_where_there_is_none(
    browser: Any, toy_page: Path, tmp_path: Path
) -> None:
    forbidden = tmp_path / "forbidden.html"
    forbidden.write_text(toy_page.read_text("utf-8").replace("worker-src blob:", "worker-src 'none'"), "utf-8")
    decoded = []
    for page, n_workers in ((toy_page, 1), (forbidden, 0)):
        with Opened(browser, page, "#at=0.5,-0.25&sliders=2:0.75") as opened:
            opened.page.wait_for_function(f"() => {APP}.decoded")
            assert len(opened.page.workers) == n_workers
            decoded.append(opened.state("[...app.decoded]"))
    np.testing.assert_array_equal(*decoded)


def test_two_clicked_samples_are_interpolated(browser: Any, toy_page: Path, model: ToyModel) -> None:
    with Opened(browser, toy_page, "#view=0,0,1.3") as opened:
        for row in (3, 40):
            opened.page.mouse.click(*opened.place_of(row))
        path = opened.state("app.shared.state.path")
        assert len(path) == 2
        opened.page.wait_for_selector("[aria-label=Path] canvas")
        frames = opened.page.locator("[aria-label=Path] canvas")
        assert frames.count() == 9
        middle = frames.nth(4).evaluate("(c) => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]")
        expected = model.decode(model.codes[path].mean(0, keepdims=True))[0]
        np.testing.assert_allclose(np.array(middle).reshape(SIDE, SIDE, 4)[..., 0], as_bytes(expected), atol=1)


def test_view_is_restored_from_its_address(browser: Any, toy_page: Path) -> None:
    with Opened(browser, toy_page) as opened:
        opened.page.get_by_label("Vertical axis").select_option("2")
        opened.page.get_by_label("Color").select_option("reconstruction error")
        opened.page.get_by_role("button", name="Select shown").click()
        opened.state("app.views[0].own.set({ cursor: [0.5, 0.25] })")
        opened.page.wait_for_timeout(500)
        address = opened.page.evaluate("location.hash")
    with Opened(browser, toy_page, address) as opened:
        assert opened.state("app.views[0].own.state.spaceId") == "z:0,2"
        assert opened.state("app.shared.state.colorBy") == "reconstruction error"
        assert opened.state("app.shared.state.selection.length") == 300
        assert opened.state("app.views[0].own.state.cursor") == [0.5, 0.25]
        opened.page.evaluate("location.hash = 'hide=1'")
        opened.page.wait_for_function(f"() => {APP}.shared.state.hidden.size === 1")
        assert opened.state("app.views[0].own.state.spaceId") == "z:0,1"
        assert opened.state("app.shared.state.colorBy") == "label"
        assert opened.state("[app.shared.state.selection, app.views[0].own.state.cursor]") == [None, None]


def test_keyboard_moves_the_cursor_and_picks_samples(browser: Any, toy_page: Path) -> None:
    with Opened(browser, toy_page) as opened:
        plot = opened.page.locator(".plot")
        plot.focus()
        plot.press("Enter")
        assert len(opened.state("app.shared.state.path")) == 1
        plot.press("Escape")
        plot.press("Escape")
        before = opened.state("app.views[0].own.state.pointer")
        plot.press("ArrowRight")
        cursor = opened.state("app.views[0].own.state.cursor")
        assert cursor[0] > before[0]
        assert cursor[1] == pytest.approx(before[1])
        plot.press("Enter")
        assert len(opened.state("app.shared.state.path")) == 1
        opened.page.wait_for_function("() => document.querySelector('[aria-live]').textContent.includes('Nearest')")
        plot.press("Escape")
        plot.press("Escape")
        assert opened.state("app.shared.state.path") == []


def test_keyboard_finds_the_nearest_shown_sample_beyond_hidden_ones(
    browser: Any, toy_page: Path, model: ToyModel
) -> None:
    cursor = np.median(model.codes[model.labels == 0, :2], axis=0)
    distances = np.where(model.labels == 3, np.linalg.norm(model.codes[:, :2] - cursor, axis=1), np.inf)
    with Opened(browser, toy_page, f"#hide=0-2&at={cursor[0]},{cursor[1]}") as opened:
        opened.page.locator(".plot").press("Enter")
        assert opened.state("app.shared.state.path") == [int(distances.argmin())]


def test_dark_mode_and_pictures_of_the_view(browser: Any, toy_page: Path) -> None:
    with Opened(browser, toy_page, color_scheme="dark") as opened:
        background = opened.page.locator(".vaeviz-explorer").evaluate("(e) => getComputedStyle(e).backgroundColor")
        assert background == "rgb(22, 25, 29)"
        assert opened.state("app.shared.state.isDark") is True
        for kind, beginning in (("PNG", b"\x89PNG"), ("SVG", b"<svg")):
            with opened.page.expect_download() as download:
                opened.page.get_by_role("button", name=kind).click()
            assert Path(download.value.path()).read_bytes().startswith(beginning)
        assert opened.errors == []


def test_hostile_names_are_shown_as_text(browser: Any, model: ToyModel, tmp_path: Path) -> None:
    document, scene = toy_scene(model, [HOSTILE, "one", "two", "three"])
    document["title"] = document["columns"][1]["name"] = document["notes"][0] = HOSTILE
    document["row_ids"] = [HOSTILE] * len(model.codes)
    document["dimensions"][2]["name"] = HOSTILE
    with Opened(browser, write_page(tmp_path / "hostile.html", document, scene), "#path=1,2") as opened:
        opened.page.get_by_label("Search rows").fill("onerror")
        opened.page.get_by_label("Search rows").press("Enter")
        opened.page.wait_for_timeout(100)
        assert opened.page.evaluate("window.hacked") is None
        assert opened.page.locator("img").count() == 0
        assert HOSTILE in opened.page.locator("h1").inner_text()
        assert opened.errors == []


def change_nothing(document: dict[str, Any], scene: Scene) -> None:
    """Leave the scene as it is."""


def drop_labels(document: dict[str, Any], scene: Scene) -> None:
    document["columns"] = []
    document["color_by"] = None


def drop_some_labels(document: dict[str, Any], scene: Scene) -> None:
    labels = scene.arrays["label"].copy()
    labels[::3] = -1
    document["columns"][0]["values"] = scene.ref("label", labels)


def drop_decoder(document: dict[str, Any], scene: Scene) -> None:
    document["decoder"] = {"method": "none", "note": "No decoder was given."}


def break_decoder(document: dict[str, Any], scene: Scene) -> None:
    document["decoder"]["graph"]["nodes"][0]["op"] = "fft"


def drop_pictures(document: dict[str, Any], scene: Scene) -> None:
    document["samples"] = None


def drop_densities(document: dict[str, Any], scene: Scene) -> None:
    for key in ("log_var", "density", "holes", "neighbor_distance"):
        document[key] = None


def name_many_classes(document: dict[str, Any], scene: Scene) -> None:
    column = document["columns"][0]
    n_samples = document["n_samples"]
    column["values"] = scene.ref("label", (np.arange(n_samples) % 500).astype(np.int32))
    column["classes"] = [f"class {k}" for k in range(500)]
    column["colors"] = ["#3f90da"] * 500


def add_incomplete_map(document: dict[str, Any], scene: Scene) -> None:
    points = scene.arrays["codes"][:, :2].copy()
    points[::2] = np.nan
    document["maps"] = [{"id": "tsne", "label": "t-SNE", "points": scene.ref("tsne", points), "basis": None}]


@pytest.mark.parametrize(
    ("change", "n_samples", "n_dims", "words"),
    [
        (change_nothing, 40, 1, "1 latent dimension"),
        (change_nothing, 40, 2, "2 latent dimensions"),
        (change_nothing, 1, 3, "1 sample"),
        (drop_labels, 40, 3, "40 samples"),
        (drop_some_labels, 40, 3, "no label"),
        (drop_decoder, 40, 3, "No decoder was given."),
        (break_decoder, 40, 3, "fft"),
        (drop_pictures, 40, 3, "40 samples"),
        (drop_densities, 40, 3, "The nearest code of the data is"),
        (name_many_classes, 600, 3, "class 499"),
        (add_incomplete_map, 40, 3, "40 samples"),
    ],
)
def test_odd_scenes_open(browser: Any, tmp_path: Path, change: Any, n_samples: int, n_dims: int, words: str) -> None:
    document, scene = toy_scene(ToyModel(n_samples, n_dims))
    change(document, scene)
    axes = "#axes=tsne" if document["maps"] else ""
    with Opened(browser, write_page(tmp_path / "odd.html", document, scene), axes) as opened:
        opened.page.mouse.move(*opened.place_of(n_samples - 1))
        opened.page.wait_for_timeout(150)
        assert opened.state("app.shared.state.hoverRow") is not None
        assert words in opened.page.locator("body").inner_text()
        assert opened.errors == []


def test_selection_of_two_models_is_linked(browser: Any, model: ToyModel, tmp_path: Path) -> None:
    document, scene = toy_scene(model)
    other, second = toy_scene(ToyModel(len(model.codes), 2, seed=1))
    references = {}
    for name in ("codes", "log_var"):
        references[name] = scene.ref(f"other-{name.replace('_', '-')}", second.arrays[name])
    shared = ("samples", "columns", "color_by", "row_ids", "python", "value_range", "decoder")
    own = {key: value for key, value in other.items() if key not in shared}
    document["other"] = {**own, **references, "title": "second", "decoder": {"method": "none", "note": "No decoder."}}
    with Opened(browser, write_page(tmp_path / "two.html", document, scene)) as opened:
        assert opened.page.locator(".plot").count() == 2
        opened.page.mouse.move(*opened.place_of(5, view=1))
        row = opened.state("app.shared.state.hoverRow")
        assert row is not None
        assert opened.page.locator(".ring").count() == 2
        assert opened.page.locator("[aria-label=Sample] h2").inner_text() == f"Sample {row} in B"
        opened.page.wait_for_timeout(150)
        assert opened.page.locator(".tile-message").all_inner_texts()[1:3] == ["not decoded", "not decoded"]
        opened.state("app.hooks.onCursor = (code) => { window.sent = code; }")
        opened.page.mouse.move(*opened.place_of(6, view=1))
        opened.page.wait_for_timeout(100)
        assert opened.page.evaluate("window.sent") is None  # the cursor of a notebook is in the first model
        opened.state("app.goTo([0.5, -0.25, 0.75])")
        opened.page.wait_for_function("() => window.sent?.length === 3")
        assert opened.state("app.shared.state.activeView") == 0
        assert opened.errors == []


def test_a_page_inside_a_notebook_has_no_address_to_keep(browser: Any, toy_page: Path, tmp_path: Path) -> None:
    frame = f'<iframe srcdoc="{escape(toy_page.read_text("utf-8"))}" width="900" height="700"></iframe>'
    (tmp_path / "notebook.html").write_text(f"<!doctype html>{frame}", "utf-8")
    context = browser.new_context(offline=True)
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"file://{tmp_path / 'notebook.html'}")
    page.frame_locator("iframe").locator("#explorer[data-ready]").wait_for(timeout=20_000)
    page.wait_for_timeout(500)
    context.close()
    assert errors == []


def test_widget_decodes_through_python_and_reports_the_selection(browser: Any, model: ToyModel) -> None:
    document, scene = toy_scene(model)
    document["decoder"] = {"method": "live", "note": "Decoded by Python."}
    arrays = {name: base64.b64encode(array.tobytes()).decode() for name, array in scene.arrays.items()}
    bundle = base64.b64encode((STATIC / "explorer.js").read_bytes()).decode()
    start = """async ([bundle, scene, arrays]) => {
      const { default: widget } = await import(`data:text/javascript;base64,${bundle}`);
      const views = Object.fromEntries(Object.entries(arrays).map(([name, text]) =>
        [name, new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer)]));
      const traits = { scene, arrays: views, selected_rows: [] };
      const listeners = {};
      window.sent = []; window.traits = traits; window.listeners = listeners;
      const model = { get: (name) => traits[name], set: (name, value) => { traits[name] = value; }, save_changes() {},
        on: (name, f) => { listeners[name] = f; }, off() {},
        send: (message, _, buffers) => window.sent.push({ ...message, codes: [...new Float32Array(buffers[0])] }) };
      const el = document.body.appendChild(document.createElement("div"));
      window.close_view = await widget.render({ model, el });
    }"""
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.add_style_tag(path=STATIC / "explorer.css")
    page.evaluate(start, [bundle, document, arrays])
    page.wait_for_function("() => window.sent.length > 0")
    sent = page.evaluate("window.sent[0]")
    assert sent["type"] == "decode"
    assert len(sent["codes"]) == sent["n"] * 3
    answer = "(id) => window.listeners['msg:custom']({ type: 'failed', id, message: 'out of memory' }, [])"
    page.evaluate(answer, sent["id"])
    page.wait_for_selector(".failure:not([hidden])")
    assert "out of memory" in page.locator(".failure:not([hidden])").first.inner_text()
    page.get_by_role("button", name="Select shown").click()
    assert page.evaluate("window.traits.selected_rows.length") == len(model.codes)
    page.wait_for_function("() => window.traits.cursor?.length === 3")
    page.evaluate("() => { window.traits.selected_rows = [4, 9]; window.listeners['change:selected_rows'](); }")
    assert "2 samples selected" in page.locator(".panel").inner_text()
    page.evaluate("() => { window.traits.cursor = [0.5, -0.25, 0.75]; window.listeners['change:cursor'](); }")
    page.wait_for_function("() => document.querySelector('.densities dd').textContent === '0.5, −0.25'")
    assert page.locator(".slider output").inner_text() == "0.75"
    page.evaluate("window.close_view()")
    n_sent = page.evaluate("window.sent.length")
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(200)
    assert page.evaluate("window.sent.length") == n_sent
    context.close()


def test_a_table_of_different_scales_is_decoded_and_averaged(browser: Any, tmp_path: Path) -> None:
    scales = np.array([1, 1e4, 10])

    def decode(z: np.ndarray) -> np.ndarray:
        return np.tanh(z[:, [0, 1, 1]]) * scales

    codes = np.random.default_rng(0).standard_normal((40, 2)).astype(np.float32)
    explorer = vaeviz.explore(vaeviz.Posterior(codes, None, None), decode, decode(codes), max_sample_bytes=120)
    assert explorer.static_scene.document["decoder"]["method"] == "grid"
    with Opened(browser, explorer.save(tmp_path / "table.html")) as opened:
        opened.page.wait_for_function(f"() => {APP}.decoded")
        at = opened.state("[...app.shared.state.probe.code]")
        np.testing.assert_allclose(
            opened.state("[...app.decoded]") / scales, np.tanh(np.array(at)[[0, 1, 1]]), atol=0.01
        )
        pictured = opened.state("[...app.models[0].scene.samples.pictured_rows.data]")
        mean = opened.page.locator("[aria-label=Selection] .value-table")
        for rows, words in ((pictured[:1], "Mean"), ([*range(40)], "Mean of 10"), ([], "–")):
            opened.state(f"app.shared.set({{ selection: {rows} }})")
            assert words in mean.inner_text()
        unknown = next(row for row in range(40) if row not in pictured)
        opened.state(f"app.shared.set({{ selection: [{unknown}] }})")
        assert mean.inner_text().count("–") == 3
        assert opened.errors == []


def test_page_of_a_real_model_agrees_with_python(browser: Any, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    import vaeviz
    from vaeviz.analysis.aggregate_posterior import log_aggregate

    torch.manual_seed(0)
    layers = [torch.nn.Linear(3, 32), torch.nn.ReLU(), torch.nn.Unflatten(1, (8, 2, 2))]
    layers += [torch.nn.ConvTranspose2d(8, 4, 4, 2, 1), torch.nn.ELU(), torch.nn.Upsample(scale_factor=2)]
    decoder = torch.nn.Sequential(*layers, torch.nn.Conv2d(4, 1, 3, padding=1), torch.nn.Sigmoid())
    codes = torch.randn(60, 3)
    x = decoder(codes).detach().numpy()[:, 0]
    posterior = vaeviz.Posterior(codes.numpy(), np.full((60, 3), 0.3, np.float32), "normal")
    page = vaeviz.explore(posterior, decoder, x, np.arange(60) % 3).save(tmp_path / "real.html")
    z = np.array([[0.25, -0.5, 0.75]], np.float32)
    with Opened(browser, Path(page or tmp_path / "real.html"), "#axes=z:0,1&at=0.25,-0.5&sliders=2:0.75") as opened:
        opened.page.wait_for_function(f"() => {APP}.decoded")
        decoded = opened.state("[...app.decoded]")
        np.testing.assert_allclose(decoded, vaeviz.decode(decoder, z).ravel(), atol=1e-3)
        np.testing.assert_allclose(
            opened.state("app.shared.state.probe.aggregate"), log_aggregate(z, posterior)[0], rtol=1e-3
        )
        assert "largest difference" in opened.page.locator(".notes").text_content()
        assert opened.errors == []
