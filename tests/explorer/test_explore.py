"""Scenes and pages: what they hold, for usual and odd input."""

from __future__ import annotations

import io
import json
import re

import numpy as np
import pytest
from PIL import Image

import vaeviz
from vaeviz.analysis.prior_holes import find_holes
from vaeviz.data.out_of_core import Batches
from vaeviz.drawing.colors import color_labels
from vaeviz.errors import InputError, NotApplicable
from vaeviz.explorer.graph import Graph, Node


@pytest.fixture(scope="module")
def explorer(digits, make_encoder, make_decoder):
    """Digits in two dimensions, with a decoder in NumPy."""
    encoder = vaeviz.Encoder(make_encoder(), prior="normal")
    return vaeviz.explore(encoder, make_decoder(), digits.x, digits.labels, title="digits")


def column(explorer, name):
    """The first column of a name, or else the first whose name holds the text."""
    columns = explorer.scene.document["columns"]
    return next((one for one in columns if one["name"] == name), None) or next(
        one for one in columns if name in one["name"]
    )


def decode_from_grid(scene, entry, codes):
    """Samples of codes, blended as the page blends them."""
    stored = scene.read_array(entry["samples"])
    (x_low, x_high, n_x), (y_low, y_high, n_y) = entry["x"], entry["y"]
    zero, unit = (0, 1) if entry["scale"] is None else (entry["scale"][0], np.ptp(entry["scale"]) / 255)
    grid = zero + unit * stored.reshape(-1, n_y, n_x, stored.shape[1]).astype(float)
    i, j = entry["plane"]["dims"]
    u = (codes[:, i] - x_low) / (x_high - x_low) * (n_x - 1)
    v = (codes[:, j] - y_low) / (y_high - y_low) * (n_y - 1) if n_y > 1 else np.zeros(len(codes))
    left, lower = np.clip(u.astype(int), 0, n_x - 2), np.clip(v.astype(int), 0, max(n_y - 2, 0))
    s, t = (u - left)[:, None], (v - lower)[:, None]
    upper = np.minimum(lower + 1, n_y - 1)
    below = grid[0][lower, left] * (1 - s) + grid[0][lower, left + 1] * s
    above = grid[0][upper, left] * (1 - s) + grid[0][upper, left + 1] * s
    return below * (1 - t) + above * t


def test_a_scene_holds_codes_dimensions_and_columns(explorer, digits, make_encoder):
    scene, document = explorer.scene, explorer.scene.document
    mean, log_var = make_encoder()(digits.x)
    np.testing.assert_allclose(scene.read_array(document["codes"]), mean, rtol=1e-6)
    np.testing.assert_allclose(scene.read_array(document["log_var"]), log_var, rtol=1e-5)
    assert document["n_samples"] == 60
    assert [one["name"] for one in document["dimensions"]] == ["z1", "z2"]
    posterior = vaeviz.encode(make_encoder(), digits.x)
    np.testing.assert_allclose([one["kl"] for one in document["dimensions"]], posterior.kl().mean(axis=0))
    labels = column(explorer, "label")
    assert labels["classes"] == [str(digit) for digit in range(10)]
    assert scene.read_array(labels["values"]).tolist() == digits.labels.tolist()
    np.testing.assert_allclose(
        scene.read_array(column(explorer, "KL")["values"]), posterior.kl().sum(axis=1), rtol=1e-5
    )


def test_labels_have_the_colors_of_the_figures(explorer, digits):
    from matplotlib.colors import to_hex

    colors = color_labels(digits.labels, 60)
    assert column(explorer, "label")["colors"] == [to_hex(color) for color in colors.colors]


def test_reconstruction_errors_are_those_of_the_plot(explorer, digits, make_encoder, make_decoder):
    decoded = make_decoder()(make_encoder()(digits.x)[0])
    expected = ((decoded - digits.x) ** 2).mean(axis=(1, 2))
    found = explorer.scene.read_array(column(explorer, "reconstruction error")["values"])
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_holes_are_bounded_as_find_holes_bounds_them(explorer, digits, make_encoder):
    posterior = vaeviz.encode(vaeviz.Encoder(make_encoder(), prior="normal"), digits.x)
    density = next(score for score in find_holes(posterior, n_codes=2000).scores if score.name == "density")
    assert explorer.scene.document["holes"]["threshold"] == pytest.approx(density.threshold)


def test_every_sample_has_its_picture(explorer, digits):
    samples = explorer.scene.document["samples"]
    (sheet,) = samples["sheets"]
    assert sheet["mime"] == "image/png"
    pixels = np.asarray(Image.open(io.BytesIO(explorer.scene.read_array(sheet["array"]).tobytes())))
    for row in (0, 17, 59):
        top, left = row // samples["tiles_per_row"] * 8, row % samples["tiles_per_row"] * 8
        np.testing.assert_array_equal(pixels[top : top + 8, left : left + 8], (digits.x[row] * 255).round())


def test_a_grid_keeps_small_values_beside_large_ones(make_encoder, digits):
    def decoder(z):
        return np.stack([np.tanh(z[:, :1]) * 1e4 + np.zeros(32), np.cos(z[:, :1]) * 0.05 + np.zeros(32)], axis=-1)

    encoder = vaeviz.Encoder(make_encoder(), returns="mean,log_var")
    x = digits.x.reshape(-1, 32, 2)
    scene = vaeviz.explore(encoder, decoder, x, kind="signal").static_scene
    entry = scene.document["decoder"]
    assert entry["method"] == "grid"
    codes = vaeviz.encode(encoder, x).mean[:20]
    decoded = decode_from_grid(scene, entry, codes).reshape(20, 32, 2)
    np.testing.assert_allclose(decoded[..., 1], decoder(codes)[..., 1], atol=0.001)


def test_a_function_is_decoded_by_a_grid_whose_error_is_stated(explorer, make_decoder):
    scene = explorer.static_scene
    entry = scene.document["decoder"]
    assert entry["method"] == "grid"
    dimensions = scene.document["dimensions"]
    rng = np.random.default_rng(0)
    codes = np.column_stack([rng.uniform(*one["range"], 200) for one in dimensions])
    difference = np.abs(decode_from_grid(scene, entry, codes) - make_decoder()(codes).reshape(200, -1))
    assert difference.mean() < 2 * entry["error"] + 1 / 255


def test_a_torch_decoder_runs_in_the_page(digits, make_encoder):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(2, 32), torch.nn.ReLU(), torch.nn.Linear(32, 64))
    decoder = vaeviz.Decoder(network, output="logits")
    scene = vaeviz.explore(make_encoder(), decoder, digits.x).static_scene
    entry = scene.document["decoder"]
    assert entry["method"] == "network"
    assert entry["check"]["share_of_range"] < 1e-3
    codes = np.random.default_rng(1).standard_normal((9, 2)).astype(np.float32)
    expected = vaeviz.decode(decoder, codes, reference=digits.x).reshape(9, -1)
    np.testing.assert_allclose(read_graph(scene, entry["graph"]).run(codes), expected, atol=1e-3)
    stored = scene.read_array(entry["check"]["samples"])
    own = read_graph(scene, entry["graph"]).run(scene.read_array(entry["check"]["codes"]))
    np.testing.assert_allclose(own, stored, atol=1e-3)


def read_graph(scene, entry):
    nodes = [
        Node(
            node["op"],
            tuple(node["inputs"]),
            node["output"],
            {key: value for key, value in node.items() if key not in ("op", "inputs", "output")},
        )
        for node in entry["nodes"]
    ]
    weights = {name: scene.read_array(reference) for name, reference in entry["weights"].items()}
    return Graph(tuple(entry["inputs"]), entry["output"], tuple(nodes), weights)


def test_a_function_around_a_module_runs_in_the_page_if_it_adds_nothing(digits, make_encoder):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(2, 64), torch.nn.Sigmoid())

    def decode(z):
        return network(torch.as_tensor(np.asarray(z))).detach().numpy().reshape(-1, 8, 8)

    def decode_squared(z):
        return decode(z) ** 2

    assert vaeviz.explore(make_encoder(), decode, digits.x).static_scene.document["decoder"]["method"] == "network"
    entry = vaeviz.explore(make_encoder(), decode_squared, digits.x).static_scene.document["decoder"]
    assert entry["method"] == "grid"
    assert "differs" in entry["note"]


def test_an_affine_decoder_runs_in_the_page(digits):
    from sklearn.decomposition import PCA

    flat = digits.x.reshape(60, -1)
    pca = PCA(3).fit(flat)
    scene = vaeviz.explore(pca, x=flat).static_scene
    entry = scene.document["decoder"]
    assert [node["op"] for node in entry["graph"]["nodes"]] == ["linear"]
    codes = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
    np.testing.assert_allclose(read_graph(scene, entry["graph"]).run(codes), pca.inverse_transform(codes), atol=1e-3)


def test_a_decoder_is_not_taken_for_affine_where_all_codes_are_equal(digits, make_decoder):
    codes = np.zeros((len(digits.x), 2), np.float32)
    explorer = vaeviz.explore(vaeviz.Posterior(codes, None, None), make_decoder(), digits.x)
    assert explorer.static_scene.document["decoder"]["method"] == "grid"


def test_channels_first_images_are_decoded_with_the_channels_last(make_encoder, make_decoder):
    x = np.random.default_rng(0).random((20, 3, 5, 7)).astype(np.float32)
    scene = vaeviz.explore(make_encoder(), make_decoder(2, (3, 5, 7)), x).static_scene
    assert scene.document["samples"]["shape"] == [5, 7, 3]
    entry = scene.document["decoder"]
    codes = np.zeros((1, 2))
    expected = make_decoder(2, (3, 5, 7))(codes)[0].transpose(1, 2, 0).ravel()
    assert np.abs(decode_from_grid(scene, entry, codes)[0] - expected).max() < 0.02


def test_conditional_models_have_a_choice_of_conditions(linear, linear_parts):
    explorer = vaeviz.explore(linear_parts["encoder"], linear_parts["decoder"], linear.x, linear.names)
    scene = explorer.static_scene
    condition = scene.document["condition"]
    assert condition["choices"] == ["low", "middle", "high"]
    assert scene.read_array(condition["vectors"]).tolist() == [[0], [1], [2]]
    assert scene.read_array(condition["of_rows"]).tolist() == linear.labels.tolist()
    entry = scene.document["decoder"]
    assert entry["method"] == "grid"
    grid = scene.read_array(entry["samples"]).reshape(3, -1, 6)
    assert (np.diff(grid.mean(axis=(1, 2))) > 0).all()  # of offsets −4, 0 and 4


@pytest.mark.parametrize("name", ["mlp", "conv", "cvae", "autoencoder", "conv-autoencoder"])
def test_our_own_models_run_in_the_page(name, digits):
    torch = pytest.importorskip("torch")
    import vaeviz_models

    torch.manual_seed(0)
    options = {"cvae": {"classes": tuple("0123456789")}}.get(name, {})
    small = {"channels": (4, 8)} if "conv" in name else {"hidden": (16,)}
    model = getattr(vaeviz_models, name.replace("-", "_"))((8, 8), latent_dim=2, **small, **options)
    entry = vaeviz.explore(model, x=digits.x, labels=digits.labels).static_scene.document["decoder"]
    assert entry["method"] == "network", entry["note"]
    assert entry["check"]["share_of_range"] < 1e-3
    assert entry["graph"]["inputs"] == (["z", "condition"] if name == "cvae" else ["z"])


def test_without_a_decoder_the_page_says_so(digits, make_encoder):
    scene = vaeviz.explore(make_encoder(), x=digits.x).static_scene
    assert scene.document["decoder"]["method"] == "none"
    assert not any("error" in one["name"] for one in scene.document["columns"])


def test_the_message_of_a_failing_decoder_is_on_the_page(digits, make_encoder, tmp_path):
    def broken(z):
        raise RuntimeError("the weights of layer <3> are lost")

    explorer = vaeviz.explore(make_encoder(), broken, digits.x)
    note = explorer.static_scene.document["decoder"]["note"]
    assert "the weights of layer <3> are lost" in note
    page = explorer.save(tmp_path / "page.html").read_text()
    assert "layer \\u003c3> are lost" in page


@pytest.mark.parametrize("n_dims", [1, 2, 3])
def test_latent_spaces_of_few_dimensions(n_dims, digits, make_encoder, make_decoder):
    scene = vaeviz.explore(make_encoder(n_dims), make_decoder(n_dims), digits.x[:12]).static_scene
    assert [one["id"] for one in scene.document["maps"]] == (["pca", "tsne"] if n_dims > 2 else [])
    entry = scene.document["decoder"]
    assert entry["method"] == "grid"
    assert (entry["y"][2] == 1) == (n_dims == 1)


def test_principal_components_lead_back_to_codes(digits, make_encoder):
    scene = vaeviz.explore(make_encoder(3), x=digits.x).scene
    pca = scene.document["maps"][0]
    points, basis, center = (scene.read_array(pca[key]) for key in ("points", "basis", "center"))
    codes = scene.read_array(scene.document["codes"])
    np.testing.assert_allclose((codes - center) @ basis.T, points, atol=1e-5)
    np.testing.assert_allclose(basis @ basis.T, np.eye(2), atol=1e-6)


def test_a_single_sample(digits, make_encoder, make_decoder):
    document = vaeviz.explore(make_encoder(), make_decoder(), digits.x[:1], [3]).static_scene.document
    assert document["n_samples"] == 1
    assert document["holes"] is None
    assert document["neighbor_distance"] is None
    json.dumps(document, allow_nan=False)


def test_five_hundred_classes_and_missing_labels(make_encoder):
    x = np.random.default_rng(0).random((600, 4)).astype(np.float32)
    labels = np.array([f"class {k % 500}" for k in range(600)], dtype=object)
    labels[:7] = None
    explorer = vaeviz.explore(make_encoder(), x=x, labels=labels)
    found = column(explorer, "label")
    assert len(found["classes"]) == len(found["colors"]) == 500
    codes = explorer.scene.read_array(found["values"])
    assert codes[:7].tolist() == [-1] * 7
    assert found["classes"][codes[7]] == "class 7"


def test_continuous_labels_and_factors(digits, make_encoder):
    labels = digits.x.mean(axis=(1, 2))
    labels[3] = np.nan
    factors = np.column_stack([digits.labels % 3, digits.x[:, 4, 4] + np.arange(60)])
    explorer = vaeviz.explore(make_encoder(), x=digits.x, labels=labels, factors=factors, factor_names=["a", "b"])
    assert [column(explorer, name)["kind"] for name in ("label", "a", "b")] == ["number", "classes", "number"]
    assert np.isnan(explorer.scene.read_array(column(explorer, "label")["values"])[3])


def test_dates_keep_their_seconds(digits, make_encoder):
    dates = np.datetime64("2024-05-01T12:34:56") + np.arange(60).astype("timedelta64[s]")
    explorer = vaeviz.explore(make_encoder(), x=digits.x, labels=dates)
    days = explorer.scene.read_array(column(explorer, "label")["values"])
    restored = (days * 86_400_000).round().astype("int64").astype("datetime64[ms]")
    assert np.array_equal(restored, dates)


def test_columns_of_one_name_are_told_apart_and_identifiers_are_exact(digits, make_encoder):
    factors = np.column_stack([digits.labels, np.arange(60), np.arange(60) + 123456789])
    names = ["label", "z1", "KL"]
    explorer = vaeviz.explore(make_encoder(), x=digits.x, labels=digits.labels, factors=factors, factor_names=names)
    frame = explorer.to_frame()
    assert {"label", "label (2)", "z1", "z1 (2)", "KL", "KL (2)"} <= set(frame)
    assert frame.columns.is_unique
    assert np.array_equal(frame["KL (2)"], factors[:, 2])
    assert np.array_equal(frame["z1"], explorer.view.posterior.mean[:, 0])


def test_text_of_strangers_is_never_html(digits, make_encoder, tmp_path):
    hostile = "</script><script>alert(1)</script><!--"
    labels = [hostile if k % 2 else "<b>" for k in range(60)]
    explorer = vaeviz.explore(make_encoder(), x=digits.x, labels=labels, title=hostile, row_ids=labels)
    page = explorer.save(tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count("alert(1)") == page.count("alert(1)\\u003c/script>") + page.count("alert(1)&lt;/script&gt;")
    document = re.search(r'<script type="application/json" id="scene">(.*?)</script>', page, re.S)[1]
    assert json.loads(document)["columns"][0]["classes"] == [hostile, "<b>"]


def test_the_same_input_gives_the_same_bytes(digits, make_encoder, make_decoder, tmp_path):
    pages = [
        vaeviz.explore(make_encoder(3), make_decoder(3), digits.x, digits.labels).save(tmp_path / name).read_bytes()
        for name in ("a.html", "b.html")
    ]
    assert pages[0] == pages[1]


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        ((40,), "signal"),
        ((40, 2), "signal"),
        ((5,), "table"),
        ((2,), "point"),
        ((12, 9), "spectrogram"),
        ((6, 5, 3), "image"),
    ],
)
def test_samples_of_every_kind(shape, kind, make_encoder):
    x = np.random.default_rng(0).random((9, *shape)).astype(np.float32)
    declared = kind if kind == "spectrogram" else None
    scene = vaeviz.explore(make_encoder(), x=x, kind=declared).scene
    samples = scene.document["samples"]
    assert samples["kind"] == kind
    assert samples["shape"] == list(shape)
    if "values" in samples:
        np.testing.assert_array_equal(scene.read_array(samples["values"]).reshape(9, -1), x.reshape(9, -1))
    else:
        assert samples["tile"] == list(shape[:2])
        assert ("lut" in samples) == (kind == "spectrogram")


def test_samples_that_cannot_be_drawn_are_left_out(make_encoder):
    scene = vaeviz.explore(make_encoder(), x=np.random.default_rng(0).random((9, 4, 5, 6, 2))).scene
    assert scene.document["samples"] is None
    assert any("(4, 5, 6, 2)" in note for note in scene.document["notes"])


def test_tables_have_the_names_and_scales_of_their_columns(make_encoder):
    x = np.random.default_rng(0).random((30, 3)).astype(np.float32) * [1, 100, 1e4]
    samples = vaeviz.explore(make_encoder(), x=x, feature_names=["a", "b", "c"]).scene.document["samples"]
    assert samples["names"] == ["a", "b", "c"]
    assert set(samples["feature_ranges"]) == {"low", "high"}


def test_a_budget_compresses_pictures_and_then_leaves_some_out(make_encoder):
    x = np.random.default_rng(0).random((300, 16, 16)).astype(np.float32)
    whole = vaeviz.explore(make_encoder(), x=x).scene
    assert whole.document["samples"]["sheets"][0]["mime"] == "image/png"
    small = vaeviz.explore(make_encoder(), x=x, max_sample_bytes=9000).scene
    samples = small.document["samples"]
    assert samples["sheets"][0]["mime"] == "image/webp"
    assert samples["n_pictured"] < 300
    assert len(small.read_array(samples["pictured_rows"])) == samples["n_pictured"]
    assert sum(len(small.read_array(sheet["array"])) for sheet in samples["sheets"]) < 12_000
    assert samples["note"] in small.document["notes"]


def test_large_pictures_are_shrunk(make_encoder):
    x = np.random.default_rng(0).random((4, 200, 100)).astype(np.float32)
    samples = vaeviz.explore(make_encoder(), x=x).scene.document["samples"]
    assert samples["tile"] == [96, 48]
    assert samples["shape"] == [200, 100]


def test_sheets_are_no_larger_than_a_texture(monkeypatch, make_encoder, digits):
    monkeypatch.setattr("vaeviz.explorer.sample_sheets.MAX_SHEET_SIDE", 32)
    scene = vaeviz.explore(make_encoder(), x=digits.x).scene
    samples = scene.document["samples"]
    assert samples["tiles_per_sheet"] == 16
    assert len(samples["sheets"]) == 4
    for sheet in samples["sheets"]:
        assert max(Image.open(io.BytesIO(scene.read_array(sheet["array"]).tobytes())).size) <= 32


def test_samples_on_disk_and_in_batches(digits, make_encoder, make_decoder, tmp_path):
    np.save(tmp_path / "x.npy", digits.x)
    expected = vaeviz.explore(make_encoder(), make_decoder(), digits.x).scene
    for x in (np.load(tmp_path / "x.npy", mmap_mode="r"), Batches(lambda: np.array_split(digits.x, 4))):
        found = vaeviz.explore(make_encoder(), make_decoder(), x).scene
        assert found.arrays == expected.arrays


def test_a_posterior_and_a_data_set(digits, make_encoder):
    posterior = vaeviz.encode(make_encoder(), digits.x)
    data = vaeviz.Dataset(digits.x, digits.labels, name="digits")
    document = vaeviz.explore(posterior, x=data).scene.document
    assert document["columns"][0]["name"] == document["color_by"] == "label"


def test_mislabeled_samples_have_neighbors_with_another_label(make_encoder):
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 50)
    x = rng.normal(5 * labels[:, None], 0.1, (100, 2))
    labels[13] = 1
    explorer = vaeviz.explore(lambda x: x, x=x, labels=labels)
    counts = explorer.scene.read_array(column(explorer, "neighbors with another label")["values"])
    assert counts.argmax() == 13
    assert counts[13] == 10


def test_two_models_share_their_samples(digits, make_encoder, make_decoder):
    other = vaeviz.open((make_encoder(3, seed=5), make_decoder(3)))
    explorer = vaeviz.explore(make_encoder(), make_decoder(), digits.x, digits.labels, other=other)
    scene = explorer.static_scene
    beside = scene.document["other"]
    assert beside["latent_dim"] == 3
    assert beside["codes"]["name"] == "other-codes"
    assert "samples" not in beside
    assert scene.read_array(beside["codes"]).shape == (60, 3)
    assert beside["decoder"]["method"] == "grid"


def test_each_of_two_models_has_its_own_numbers_and_shares_the_labels(digits, make_encoder):
    other = vaeviz.open((make_encoder(3, seed=5), None))
    explorer = vaeviz.explore(make_encoder(), x=digits.x, labels=digits.labels, factors=digits.labels, other=other)
    names = {column["name"] for column in explorer.scene.document["columns"]}
    own = {column["name"] for column in explorer.other_scene.document["columns"]}
    assert "neighbors with another label" in own
    assert len(names - own) == 2  # label and factor


def test_the_table_has_row_ids_labels_and_numbers(digits, make_encoder, make_decoder):
    ids = [f"digit-{k}" for k in range(60)]
    frame = vaeviz.explore(make_encoder(), make_decoder(), digits.x, digits.labels, row_ids=ids).to_frame()
    assert frame.index.tolist() == ids
    assert frame["label"].tolist() == list(map(str, digits.labels))
    assert {"z1", "z2", "KL"} <= set(frame)


def test_wrong_input_is_an_error(digits, make_encoder, make_decoder):
    with pytest.raises(InputError) as info:
        vaeviz.explore(make_encoder())
    assert info.value.expected == "x"
    with pytest.raises(InputError) as info:
        vaeviz.explore(make_encoder(), x=digits.x, row_ids=["a"])
    assert (info.value.got, info.value.expected) == ("1", "60")
    with pytest.raises(InputError) as info:
        vaeviz.explore(None, make_decoder(), digits.x)
    assert info.value.expected == "encoder"
    for row_ids in (5, "a" * 60):
        with pytest.raises(InputError) as info:
            vaeviz.explore(make_encoder(), x=digits.x, row_ids=row_ids)
        assert info.value.expected == "a sequence"
    with pytest.raises((InputError, NotApplicable)):
        vaeviz.explore(make_encoder(), x=digits.x, labels=digits.labels[:9])
    encoder = make_encoder()
    with pytest.raises(InputError) as info:
        vaeviz.explore(encoder, make_decoder(), digits.x, other=encoder)
    assert info.value.got == "the same model"
    note = vaeviz.explore(make_encoder(), make_decoder(2, (5, 7)), digits.x).static_scene.document["decoder"]["note"]
    assert "(5, 7)" in note and "(8, 8)" in note


def test_a_page_that_cannot_be_written_is_an_error(explorer, tmp_path):
    from vaeviz.errors import OutputError

    with pytest.raises(OutputError):
        explorer.save(tmp_path / "missing" / "page.html")


def test_numbers_that_would_take_minutes_are_left_out_and_said(digits, make_encoder, monkeypatch):
    monkeypatch.setattr("vaeviz.explorer.region.MAX_TERMS", 100)
    monkeypatch.setattr("vaeviz.explorer.scene.MAX_COMPARED_SAMPLES", 10)
    explorer = vaeviz.explore(make_encoder(), x=digits.x, labels=digits.labels)
    names = [one["name"] for one in explorer.scene.document["columns"]]
    assert not any("q(z)" in name or "neighbors" in name for name in names)
    assert sum("minutes" in note for note in explorer.scene.document["notes"]) == 2
