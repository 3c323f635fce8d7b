"""Conditions of conditional models: by name and value, fixed, cached and missing."""

from __future__ import annotations

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pytest

import vaeviz
from vaeviz import (
    Decoder,
    Encoder,
    Model,
    NotApplicable,
    Posterior,
    cache_encoding,
    condition_on,
    decode,
    encode,
    log_likelihood,
)
from vaeviz.analysis.condition_sets import condition_set, cycle_conditions, decode_under_conditions, same_condition
from vaeviz.analysis.elbo_decomposition import elbo_terms
from vaeviz.analysis.importance_bound import importance_bound
from vaeviz.analysis.rate_distortion import rate_points
from vaeviz.data.labels import ClassLabels
from vaeviz.errors import GuessWarning, InputError, UnknownName
from vaeviz.model.calling import positional_arity
from vaeviz.model.collect_inputs import collect_inputs
from vaeviz.model.conditions import (
    condition_names,
    condition_value,
    condition_values,
    names_condition,
    parse_conditions,
)
from vaeviz.model.repeatability import N_REPEATED_ROWS

torch = pytest.importorskip("torch")


# Encode and decode


@pytest.mark.parametrize("spelled", ["labels", "names", "classes"])
def test_the_posterior_is_exact_under_each_samples_condition(linear, linear_parts, spelled):
    condition = {"labels": linear.labels, "names": linear.names, "classes": ClassLabels(linear.labels, linear.classes)}
    posterior = encode(linear_parts["encoder"], linear.x, condition[spelled])
    exact, log_var = linear.encode(linear.x, linear.labels)
    np.testing.assert_allclose(posterior.mean, exact, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(posterior.std, np.exp(0.5 * log_var), rtol=1e-6)
    assert posterior.condition is condition[spelled]


def test_a_posterior_keeps_the_condition_of_each_row(linear, linear_parts):
    posterior = encode(linear_parts["encoder"], linear.x, linear.names)
    rows = np.array([41, 3, 20])
    expected = posterior.mean[rows] @ linear.weights.T + linear.offsets[linear.labels[rows]]
    np.testing.assert_allclose(decode(linear_parts["decoder"], posterior[rows]), expected, rtol=1e-5, atol=1e-5)
    moved = posterior.with_codes(np.zeros((3, 2)), rows)
    np.testing.assert_array_equal(moved.condition, linear.names[rows])
    np.testing.assert_allclose(
        decode(linear_parts["decoder"], moved), linear.offsets[linear.labels[rows]], rtol=1e-6
    )  # fmt: skip
    assert posterior.with_codes(np.zeros((3, 2))).condition is None


def test_elbo_and_bound_equal_the_evidence_given_y(linear, linear_parts):
    posterior = encode(linear_parts["encoder"], linear.x, linear.names)
    bound = importance_bound(linear_parts["likelihood"], linear.x, posterior, n_draws=10)
    for k in range(len(bound.k)):
        np.testing.assert_allclose(bound.values[:, k], linear.log_evidence(), atol=2e-3)
    terms = elbo_terms(posterior, linear.x, linear_parts["likelihood"])
    assert abs(terms.elbo.value - linear.log_evidence().mean()) < 4 * terms.elbo.standard_error
    (point,) = rate_points(
        Model(linear_parts["encoder"], inputs={"likelihood": linear_parts["likelihood"]}), linear.x, linear.names
    )
    assert abs(point.elbo - linear.log_evidence().mean()) < 4 * point.distortion_error


def test_a_likelihood_receives_the_condition_of_the_codes(linear, linear_parts):
    codes = encode(linear_parts["encoder"], linear.x, linear.labels)
    expected = linear.log_likelihood(linear.x, codes.mean, linear.labels)
    np.testing.assert_allclose(log_likelihood(linear.log_likelihood, linear.x, codes), expected, rtol=1e-5)
    with pytest.raises(NotApplicable) as caught:
        log_likelihood(linear.log_likelihood, linear.x, codes.mean)
    assert "condition=" in caught.value.fix.python
    with pytest.raises(NotApplicable) as caught:
        log_likelihood(lambda x, z: x[:, 0], linear.x, codes)
    assert "x, z and y" in caught.value.fix.python


def test_an_unconditional_encoder_keeps_the_condition_for_the_decoder(linear, linear_parts):
    posterior = encode(lambda x: (x[:, :2], x[:, 2:4] - 9), linear.x, linear.names)
    np.testing.assert_array_equal(posterior.mean, linear.x[:, :2])
    expected = linear.decode(linear.x[:, :2], linear.labels)
    np.testing.assert_allclose(decode(linear_parts["decoder"], posterior), expected, rtol=1e-5)


def test_an_unconditional_decoder_ignores_the_condition_of_a_posterior(linear, linear_parts):
    posterior = encode(linear_parts["encoder"], linear.x, linear.labels)
    np.testing.assert_array_equal(decode(lambda z: z + 1, posterior), posterior.mean + 1)
    with pytest.raises(InputError, match="condition"):
        decode(lambda z: z, posterior, linear.labels)


def test_a_posterior_accepts_a_condition(linear, linear_parts):
    ready = Posterior(np.zeros((60, 2)))
    assert encode(ready, linear.x).condition is None
    decoded = decode(linear_parts["decoder"], encode(ready, linear.x, linear.labels))
    np.testing.assert_allclose(decoded, linear.offsets[linear.labels], rtol=1e-6)


# Missing conditions


class Conditional(torch.nn.Module):
    def forward(self, z, y):
        return z + y[:, None]


@pytest.mark.parametrize(
    "fn", [lambda z, y: z, Conditional(), Conditional().forward, Decoder(lambda z, y=None: z, conditions=range(3))]
)
def test_a_missing_condition_is_an_error_with_advice(fn):
    with pytest.raises(NotApplicable, match="decoder") as caught:
        decode(fn, np.ones((4, 2)))
    assert "condition=" in caught.value.fix.python
    assert "vaeviz.condition_on(fn, " in caught.value.fix.python
    assert "--condition labels" in caught.value.fix.command_line
    with pytest.raises(NotApplicable, match="encoder") as caught:
        encode(Encoder(fn.fn, conditions=range(3)) if isinstance(fn, Decoder) else fn, np.ones((4, 2)))
    assert "vaeviz.condition_on(vaeviz.Encoder(fn), " in caught.value.fix.python


def test_a_missing_argument_may_be_a_condition():
    def hidden(*arrays):
        return Conditional().forward(*arrays)

    with pytest.raises(InputError, match="missing 1 required") as caught:
        decode(hidden, np.ones((4, 2)))
    assert "vaeviz.condition_on(fn, " in caught.value.fix.python
    np.testing.assert_array_equal(decode(hidden, np.ones((4, 2)), [1, 2, 3, 4])[:, 0], [2, 3, 4, 5])


def test_positional_arguments_are_counted():
    assert (
        positional_arity(lambda z, y: z)
        == positional_arity(Conditional())
        == positional_arity(Conditional().forward)
        == (2, 2)
    )
    assert positional_arity(lambda x, y=None, *, seed=0: x) == (1, 2)
    assert positional_arity(lambda *arrays: arrays) == positional_arity(max) == (0, np.inf)
    assert positional_arity(torch.nn.Linear(2, 3)) == (1, 1)
    traced = torch.jit.trace(Conditional(), (torch.ones(2, 2), torch.ones(2)))
    assert positional_arity(traced) == (2, 2)


# Which arguments are conditions


@pytest.mark.parametrize("name", ["y", "c", "cond", "labels", "label", "class_labels", "class_ids", "y_onehot"])
def test_names_of_conditions(name):
    assert names_condition(name)


@pytest.mark.parametrize(
    "name", ["temperature", "num_frames", "quant_b", "num_classes", "c_dim", "return_y", "x", "mask", "edge_index", ""]
)
def test_names_of_other_arguments(name):
    assert not names_condition(name)


class OptionalCondition:
    """Codes and samples move by 10 y, if there is a y."""

    def encode(self, x, y=None):
        return x[:, :2] if y is None else x[:, :2] + 10 * y[:, None]

    def decode(self, z, y=None):
        return np.repeat(z, 3, axis=1) if y is None else np.repeat(z - 10 * y[:, None], 3, axis=1)


def test_labels_are_an_optional_condition(tmp_path):
    x, y = np.random.default_rng(0).random((20, 6), dtype=np.float32), np.arange(20) % 3
    inputs = collect_inputs(OptionalCondition(), None, {"x": x, "labels": y})
    assert inputs["condition"] is y
    records = vaeviz.export_figures(tmp_path, model=OptionalCondition(), x=x, labels=y, plots=["reconstruction_pairs"])
    assert [record.status for record in records] == ["drawn"]


def test_an_optional_condition_that_is_left_out_is_said_with_lines_that_work():
    x, y = np.random.default_rng(0).random((20, 6), dtype=np.float32), np.arange(20) % 3
    fn = OptionalCondition().encode
    with pytest.warns(GuessWarning, match="argument y") as caught:
        ax = vaeviz.latent_scatter(fn, x, y)
    plt.close(ax.figure)
    advice = caught[0].message.fix.python
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plt.close(vaeviz.latent_scatter(fn, x, y, condition=y).figure)
        assert "Encoder(lambda x: fn(x))" in advice
        encode(Encoder(lambda x: fn(x)), x)
    with pytest.warns(GuessWarning, match="argument y"):
        vaeviz.decode(OptionalCondition().decode, x[:, :2])


def test_labels_that_an_optional_condition_cannot_be_are_left_out_and_said():
    x, names = np.ones((4, 6), np.float32), np.array(["a", "b", "a", "b"])
    with pytest.warns(GuessWarning, match="labels") as caught:
        inputs = collect_inputs(OptionalCondition(), None, {"x": x, "labels": names})
    assert "condition" not in inputs
    assert "conditions=" in caught[0].message.fix.python


def test_labels_of_a_loader_are_a_condition():
    x, y = np.random.default_rng(0).random((20, 6), dtype=np.float32), np.arange(20) % 3
    parts = torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(y))
    for source in (torch.utils.data.DataLoader(parts, batch_size=6), parts, vaeviz.Dataset(x, y)):
        inputs = collect_inputs(OptionalCondition(), None, {"x": source})
        np.testing.assert_array_equal(inputs["condition"], y)


@pytest.mark.parametrize("fn", [lambda z, temperature=1.0: z, lambda z, quant_b=None: z])
def test_other_optional_arguments_receive_no_labels(fn):
    x, y = np.ones((4, 2), np.float32), np.arange(4)
    assert "condition" not in collect_inputs(None, None, {"encoder": fn, "x": x, "labels": y})
    with pytest.warns(GuessWarning) as caught:
        np.testing.assert_array_equal(encode(fn, x, y).mean, x)
    assert "Encoder(fn, conditions=" in caught[0].message.fix.python


@pytest.mark.parametrize("condition", [None, np.arange(4)], ids=["none", "labels"])
@pytest.mark.parametrize("part", ["encoder", "decoder"])
def test_a_function_that_takes_its_weights_first_is_bound_to_them(part, condition):
    params, rng, rows = 2.0, None, np.ones((4, 3), np.float32)
    use = {"encoder": vaeviz.encode, "decoder": vaeviz.decode}[part]

    def fn(params, rng, inputs, **kwargs):
        return params * inputs

    with pytest.raises(NotApplicable) as caught:
        use(fn, rows, condition)
    expression = caught.value.fix.python.removeprefix("Write ").removesuffix(".")
    bound = eval(expression, {"vaeviz": vaeviz, "fn": fn, "params": params, "rng": rng})
    returned = use(bound, rows)
    np.testing.assert_array_equal(returned.mean if part == "encoder" else returned, 2 * rows)


def test_another_required_argument_receives_no_labels():
    def fn(z, num_frames):
        raise AssertionError

    inputs = collect_inputs(None, None, {"decoder": fn, "x": np.ones((4, 2)), "labels": np.arange(4)})
    assert "condition" not in inputs
    with pytest.raises(NotApplicable, match="num_frames") as caught:
        decode(fn, np.ones((4, 2)))
    assert "lambda z: fn(z, num_frames)" in caught.value.fix.python


@pytest.mark.parametrize("run", [encode, decode])
def test_a_condition_that_changes_nothing_is_said(run):
    with pytest.warns(GuessWarning, match="does not use its condition"):
        run(lambda values, y: values, np.ones((4, 2), np.float32), [0, 1, 2, 0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(lambda values, y: values + y[:, None], np.ones((4, 2), np.float32), [0, 1, 2, 0])


def test_conditions_of_invented_codes_that_change_nothing_are_said():
    decoder = Decoder(lambda z, y: z, conditions=range(10))
    with pytest.warns(GuessWarning, match="does not use its condition"):
        decode_under_conditions(decoder, np.ones((4, 2), np.float32), condition_set(decoder))


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, bool, np.float32])
def test_one_hot_rows_of_any_type_reach_a_layer_as_floats(dtype):
    layer = torch.nn.Linear(3, 2)
    hot = np.eye(3, dtype=dtype)[[0, 2, 1]]
    found = encode(lambda x, y: x + layer(y), np.zeros((3, 2), np.float32), hot).mean
    np.testing.assert_allclose(found, layer(torch.eye(3)[[0, 2, 1]]).detach(), rtol=1e-6)


# Names and values


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        (range(3), {"0": 0, "1": 1, "2": 2}),
        (("cat", "dog"), {"cat": 0, "dog": 1}),
        ([0.0, 0.5], {"0": 0.0, "0.5": 0.5}),
        ({"cat": [1, 0], "dog": [0, 1]}, {"cat": [1, 0], "dog": [0, 1]}),
        (torch.tensor([4, 7]), {"4": 4, "7": 7}),
    ],
)
def test_conditions_are_declared_by_values_names_or_both(declared, expected):
    known = parse_conditions(declared)
    assert {name: value.tolist() for name, value in known.items()} == expected
    assert Encoder(lambda x, y: x, conditions=declared).is_conditional


@pytest.mark.parametrize("declared", [(), "cat", 3, {"a": 1, "b": [0, 1]}, {"a": "b"}, [[1, 2], [3, 4]]])
def test_invalid_conditions_are_an_error(declared):
    with pytest.raises(InputError, match="conditions"):
        Decoder(lambda z, y: z, conditions=declared)


def test_more_conditions_than_can_be_kept_are_refused():
    with pytest.raises(InputError) as caught:
        Encoder(lambda x, y: x, conditions=range(10**6))
    assert caught.value.got == "1,000,000 values"


def test_classes_are_looked_up_by_name_or_value():
    pets = parse_conditions(("cat", "dog"))
    for spelled in (["dog", "cat"], [1, 0], ClassLabels(np.array([1, 0]), ("cat", "dog"))):
        np.testing.assert_array_equal(condition_values(spelled, pets), [1, 0])
    digits = parse_conditions({"3": 0, "7": 1})
    np.testing.assert_array_equal(condition_values(np.array([7, 3]), digits), [1, 0])
    with pytest.raises(UnknownName, match=r"'1'.*3, 7"):
        condition_values(np.array([7, 1]), digits)  # the value of "7" is 1, but 1 is another class
    hot = parse_conditions({"cat": [1.0, 0.0], "dog": [0.0, 1.0]})
    np.testing.assert_array_equal(condition_values(["dog"], hot), [[0, 1]])
    np.testing.assert_array_equal(condition_values([[0.0, 1.0]], hot), [[0, 1]])
    assert condition_names([[0.0, 1.0], [1.0, 0.0]], hot) == ["dog", "cat"]


@pytest.mark.parametrize(
    ("condition", "got"),
    [
        (["bird", "cat"], "bird"),
        ([2, 0], "2"),
        ([0.5, 1.0], "float64"),
        (["cat", None], "1 missing values"),
    ],
)
def test_an_unknown_condition_is_an_error(condition, got):
    with pytest.raises(InputError, match="condition") as caught:
        condition_values(np.array(condition), parse_conditions(("cat", "dog")))
    assert caught.value.got == got


def test_undeclared_names_and_missing_rows_are_an_error():
    def fn(z, y):
        return z

    with pytest.raises(InputError, match="cat") as caught:
        decode(fn, np.ones((2, 2)), ["cat", "dog"])
    for part in ("Encoder", "Decoder"):
        assert f"vaeviz.{part}(fn, conditions=('cat', 'dog'))" in caught.value.fix.python
    with pytest.raises(InputError, match="condition") as caught:
        decode(fn, np.ones((2, 2)), [1, 2, 3])
    assert (caught.value.got, caught.value.expected) == ("3", "2")
    with pytest.raises(InputError, match="condition") as caught:
        encode(fn, np.ones((2, 2)), 3)
    assert "vaeviz.condition_on" in caught.value.fix.python
    assert "--condition VALUE" in caught.value.fix.command_line
    with pytest.raises(InputError, match=r"condition.*NaN"):
        decode(fn, np.ones((2, 2)), [0.5, np.nan])


def test_one_hot_conditions_of_integers_reach_a_layer_as_floats():
    layer = torch.nn.Linear(2, 2)
    encoder = Encoder(lambda x, y: x + layer(y), conditions={"cat": [1, 0], "dog": [0, 1]})
    expected = layer(torch.eye(2)).detach().numpy()
    np.testing.assert_allclose(encode(encoder, np.zeros((2, 2)), ["cat", "dog"]).mean, expected, rtol=1e-6)


# Fixed conditions


@pytest.mark.parametrize("y", ["middle", 1, np.int64(1)])
def test_a_class_is_fixed_by_name_or_value(linear, linear_parts, y):
    fixed = condition_on(linear_parts["decoder"], y)
    assert not fixed.is_conditional
    np.testing.assert_allclose(decode(fixed, np.zeros((3, 2))), np.repeat(linear.offsets[1:2], 3, axis=0), rtol=1e-6)
    codes = encode(linear_parts["encoder"], linear.x, linear.labels)
    expected = codes.mean @ linear.weights.T + linear.offsets[1]  # the fixed condition wins over those of the samples
    np.testing.assert_allclose(decode(fixed, codes), expected, rtol=1e-4, atol=1e-5)


def test_encoders_and_models_can_be_fixed(linear, linear_parts):
    exact = linear.encode(linear.x, np.full(60, 2))[0]
    fixed = condition_on(linear_parts["encoder"], "high")
    np.testing.assert_allclose(encode(fixed, linear.x).mean, exact, rtol=1e-4, atol=1e-5)
    encoder, decoder = condition_on(Model(linear_parts["encoder"], linear_parts["decoder"]), "high")
    decoded = decode(linear_parts["decoder"], encode(encoder, linear.x))  # the posterior keeps the condition
    np.testing.assert_allclose(decoded, exact @ linear.weights.T + linear.offsets[2], rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(decode(decoder, encode(encoder, linear.x)), decoded)


def test_fixing_an_unknown_class_is_an_error(linear_parts):
    with pytest.raises(UnknownName, match=r"'hihg'.*'high'"):
        condition_on(linear_parts["decoder"], "hihg")
    with pytest.raises(InputError) as caught:
        condition_on(lambda z, y: z, "high")
    assert "Decoder(fn, conditions=" in caught.value.fix.python
    np.testing.assert_array_equal(condition_value([0, 1], None), [0, 1])
    assert condition_value(0.25, parse_conditions([0.0, 0.5])) == 0.25


def test_a_value_between_classes_is_an_error_or_a_mixture():
    parts = Decoder(lambda z, y: np.repeat(y.reshape(len(z), -1), 2, axis=1), conditions=range(10))
    with pytest.raises(InputError, match="float64"):
        decode(condition_on(parts, 2.7), np.zeros((3, 2)))
    pets = Decoder(lambda z, y: y, conditions={"cat": [1, 0], "dog": [0, 1]})
    mixed = condition_on(pets, [0.75, 0.25])
    assert mixed.condition_name == "(0.75, 0.25)"
    np.testing.assert_allclose(decode(mixed, np.zeros((3, 2))), np.tile([0.75, 0.25], (3, 1)))


# The cache


def test_the_cache_answers_for_the_same_condition_only(linear):
    calls = []

    def fn(x, y=None):
        calls.append(len(x))
        return x[:, :2] if y is None else x[:, :2] + y[:, None]

    encoder = cache_encoding(fn, linear.x, linear.labels)
    calls.clear()
    assert encode(encoder, linear.x, linear.labels) is encoder._cached[1]
    assert not calls
    equal, other = encode(encoder, linear.x, linear.labels.copy()), encode(encoder, linear.x, 2 - linear.labels)
    np.testing.assert_array_equal(equal.mean, encoder._cached[1].mean)
    assert (other.mean != equal.mean).any()
    np.testing.assert_array_equal(encode(encoder, linear.x).mean, linear.x[:, :2])
    n_rows, twice = len(linear.x), 2 * [N_REPEATED_ROWS]
    assert calls == 2 * [n_rows, *twice, n_rows] + [n_rows, *twice]


def test_a_conditional_encoder_uses_the_condition_of_its_cache(linear, linear_parts):
    encoder = cache_encoding(linear_parts["encoder"], linear.x, linear.labels)
    assert encode(encoder, linear.x) is encoder._cached[1]
    with pytest.raises(NotApplicable, match="condition"):
        encode(encoder, linear.x.copy())
    fixed = cache_encoding(condition_on(linear_parts["encoder"], "low"), linear.x)
    assert encode(fixed, linear.x) is fixed._cached[1]


# Codes that were made from no sample


def test_invented_codes_are_decoded_under_every_condition(linear, linear_parts):
    decoder = linear_parts["decoder"]
    conditions = condition_set(decoder)
    assert (conditions.names, str(conditions)) == (linear.classes, "3 conditions")
    codes = np.random.default_rng(0).standard_normal((4, 2)).astype(np.float32)
    decoded = decode_under_conditions(decoder, codes, conditions)
    np.testing.assert_allclose(decoded, (codes @ linear.weights.T) + linear.offsets[:, None], rtol=1e-4, atol=1e-5)
    assert cycle_conditions(conditions, 5).tolist() == ["low", "middle", "high", "low", "middle"]


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        (["high", "low", "high"], ("high", "low")),
        ([2, 2, 0], ("low", "high")),
        (ClassLabels(np.array([1, 1]), ("low", "middle", "high")), ("middle",)),
        (None, ("low", "middle", "high")),
    ],
)
def test_conditions_of_the_data_are_used_if_given(linear_parts, condition, names):
    assert sorted(condition_set(linear_parts["decoder"], condition).names) == sorted(names)


def test_twelve_of_many_conditions_are_chosen_evenly():
    angles = np.linspace(0, 1, 100)
    conditions = condition_set(Decoder(lambda z, y: z), angles)
    assert (len(conditions), str(conditions)) == (12, "12 of 100 conditions")
    np.testing.assert_array_equal(conditions.values, angles[np.linspace(0, 99, 12).round().astype(int)])
    known = condition_set(Decoder(lambda z, y: z, conditions=[0.0, 0.5, 1.0]), angles)
    assert known.names == ("0", "0.5", "1")  # those of the decoder, because the data have too many


def test_one_hot_conditions_are_named_by_position():
    conditions = condition_set(Decoder(lambda z, y: z), np.eye(3)[[2, 0, 1, 1]])
    assert conditions.names == ("0", "1", "2")
    np.testing.assert_array_equal(conditions.values, np.eye(3))


def test_an_unconditional_or_fixed_decoder_has_no_conditions(linear_parts):
    for decoder in (Decoder(lambda z: z), condition_on(linear_parts["decoder"], "low")):
        assert not condition_set(decoder, ["low", "high"])
        assert cycle_conditions(condition_set(decoder), 3) is None
    with pytest.raises(NotApplicable) as caught:
        condition_set(Decoder(lambda z, y: z))
    assert "vaeviz.condition_on(fn, " in caught.value.fix.python


def test_samples_that_share_a_condition(linear, linear_parts):
    posterior = encode(linear_parts["encoder"], linear.x, linear.names)
    groups = same_condition(linear_parts["decoder"], posterior)
    assert len(set(zip(groups, linear.labels))) == 3
    assert same_condition(condition_on(linear_parts["decoder"], "low"), posterior) is None


# Sets of figures


@pytest.mark.usefixtures("only_records")
@pytest.mark.no_cover
def test_labels_are_the_default_condition(linear, linear_parts, tmp_path):
    data = vaeviz.Dataset(linear.x, linear.labels, linear.classes)
    plots = ["samples", "reconstruction_pairs", "latent_scatter", "elbo_decomposition"]
    model = Model(linear_parts["encoder"], linear_parts["decoder"], {"likelihood": linear_parts["likelihood"]})
    records = vaeviz.export_figures(tmp_path, model=model, data=data, plots=plots, dpi=40)
    assert [record.status for record in records] == ["drawn"] * 4, records


def test_plots_without_labels_are_skipped_with_a_reason(linear, linear_parts, tmp_path):
    plots = ["reconstruction_pairs", "latent_scatter", "samples"]
    inputs = {"encoder": linear_parts["encoder"], "decoder": linear_parts["decoder"], "x": linear.x}
    pairs, scatter, samples = vaeviz.export_figures(tmp_path, **inputs, plots=plots, dpi=40)
    assert pairs.status == scatter.status == samples.status == "skipped"
    assert "low, middle, high" in pairs.reason
    (alone,) = vaeviz.export_figures(tmp_path, decoder=linear_parts["decoder"], plots=["samples"], dpi=40)
    assert alone.status == "drawn"


@pytest.mark.usefixtures("only_records")
@pytest.mark.no_cover
def test_a_declared_pair_draws_a_figure_set(linear, tmp_path):
    encoder = vaeviz.Encoder(linear.encode, conditions=linear.classes)
    decoder = vaeviz.Decoder(linear.decode, conditions=linear.classes, latent_shape=(2,), output="values")
    light = {
        "aggregate_posterior": {"n_grid": 30, "n_permutations": 100},
        "prior_holes": {"n_codes": 200},
        "manifold_grid": {"n_grid": 3},
    }
    done = vaeviz.export_figures(
        tmp_path, encoder=encoder, decoder=decoder, x=linear.x, labels=linear.names, settings=light, dpi=30
    )
    assert {record.status for record in done} == {"drawn", "skipped"}
    reasons = {record.plot: record.reason for record in done if record.status == "skipped"}
    assert not [reason for reason in reasons.values() if "condition" in reason or "Error" in reason], reasons


def test_a_plot_without_conditions_uses_the_cache(linear, linear_parts, tmp_path, registered):
    seen = []

    @vaeviz.register_plot
    def curious(encoder, decoder, x, *, ax=None):
        """Curious."""
        posterior = vaeviz.encode(encoder, x)
        seen.append(vaeviz.decode(decoder, posterior[:5]))

    parts = {"encoder": linear_parts["encoder"], "decoder": linear_parts["decoder"]}
    vaeviz.export_figures(tmp_path, **parts, x=linear.x, labels=linear.names, plots=["curious"])
    exact = linear.decode(linear.encode(linear.x, linear.labels)[0], linear.labels)
    np.testing.assert_allclose(seen[0], exact[:5], rtol=1e-4, atol=1e-4)


# Inspection


def test_the_inspection_lists_conditions(linear, linear_parts):
    model = Model(linear_parts["encoder"], linear_parts["decoder"])
    found = vaeviz.inspect(model, linear.x, linear.names)
    for properties in (found.encoder, found.decoder):
        values = {one.name: one.value for one in properties}
        assert "low, middle, high" in values["condition"]
        assert not {"problem", "not tried"} & set(values)
    assert "conditions=('low', 'middle', 'high')" in found.decoder_declaration
    fixed = vaeviz.inspect(condition_on(model, "high"), linear.x)
    assert [one.value for one in (*fixed.encoder, *fixed.decoder) if one.name == "condition"] == ["y = high"] * 2
    undeclared = vaeviz.inspect(x=linear.x, encoder=linear.encode, decoder=linear.decode)
    reason = next(one for one in undeclared.encoder if one.name == "not tried")
    assert "condition=" in reason.declaration.python


def test_the_advice_for_a_model_of_one_hot_conditions_works():
    class OneHot(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.enc, self.dec = torch.nn.Linear(6 + 3, 4), torch.nn.Linear(2 + 3, 6)

        def encode(self, x, c):
            return self.enc(torch.cat([x, c], 1)).chunk(2, 1)

        def decode(self, z, c):
            return self.dec(torch.cat([z, c], 1))

    fn, x = OneHot(), np.random.default_rng(0).random((30, 6), dtype=np.float32)
    labels = np.arange(30) % 3
    for use in (
        lambda: encode(fn, x, labels),
        lambda: vaeviz.analyze(fn, x, labels=labels),
        lambda: decode(fn, np.zeros((30, 2)), labels),
    ):
        with pytest.raises(InputError) as caught:
            use()
        assert "np.eye(3)" in caught.value.fix.python
    names = {"vaeviz": vaeviz, "np": np, "fn": fn}
    conditions = "conditions=dict(enumerate(np.eye(3)))"
    assert caught.value.fix.python.count(conditions) == 2
    encoder, decoder = (eval(f"vaeviz.{part}(fn, {conditions})", names) for part in ("Encoder", "Decoder"))
    expected = fn.encode(torch.from_numpy(x), torch.eye(3)[torch.from_numpy(labels)])[0]
    np.testing.assert_allclose(encode(encoder, x, labels).mean, expected.detach(), atol=1e-6)
    report = vaeviz.analyze(encoder=encoder, decoder=decoder, x=x, labels=labels, checks=["collapsed", "ignored"])
    assert "failed" not in {one.status for one in report.checks}


def test_classes_in_floating_point_are_classes_of_the_condition():
    encoder = vaeviz.Encoder(lambda x, y: x + y[:, None], conditions=range(3))
    x, y = np.zeros((6, 2)), np.arange(6) % 3
    np.testing.assert_array_equal(encode(encoder, x, y.astype(float)).mean, encode(encoder, x, y).mean)
