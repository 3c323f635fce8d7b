"""Every wrong argument of a public function is an InputError that names it."""

from __future__ import annotations

import math

import numpy as np
import pytest

import vaeviz
from vaeviz.errors import InputError
from vaeviz.plugins.options import Option, check_arguments

X = np.random.default_rng(0).standard_normal((30, 3))
POSTERIOR = vaeviz.Posterior(X, np.ones((30, 3)), "normal")
CALLS = {
    "export_figures": (lambda **given: vaeviz.export_figures(**{"out": "unused", "x": X} | given), {
        "out": [None, 3, ""], "plots": [3, [3], [vaeviz.samples], []], "settings": [3, {"tsne": 3}, [1]],
        "formats": [3, [None], []], "style": [None, 3, "poster"], "dpi": [0, "high", math.nan, True],
        "seed": [-1, None, 1.5, 2**40], "kind": ["photo"], "title": [None, 3], "analysis": ["yes"], "jobs": [0, None],
        "clean": [None, "yes"],
    }),
    "analyze": (lambda **given: vaeviz.analyze(**{"x": X} | given), {
        "checks": [3, [3], []], "settings": [3, {"holes": 3}], "seed": [-1, None],
        "title": [None],
    }),
    "embed": (lambda **given: vaeviz.embed(**{"z": np.tile(X, (4, 1)) + np.arange(120)[:, None]} | given), {
        "engine": [None, 3], "perplexity": [0, -2.0, None, math.nan], "seed": [-1, None],
    }),
    "mmd_test": (lambda **given: vaeviz.mmd_test(**{"a": X, "b": X} | given), {
        "length": [0, -1.0, "x"], "n_permutations": [0, None, 1.5], "seed": [-1, None],
    }),
    "triage": (lambda **given: vaeviz.triage(**{"posterior": POSTERIOR, "decoder": lambda z: z} | given), {
        "posterior": [None, X, 3], "n_samples": [0, None], "min_kl": [None, "x", math.nan], "seed": [-1],
    }),
    "linear_vae": (lambda **given: vaeviz.linear_vae(**{"covariance": np.eye(3), "latent_dim": 2} | given), {
        "latent_dim": [0, None, 1.5], "noise": [0, -1.0, "x"], "beta": [None, -1, math.nan],
    }),
    "style": (lambda **given: vaeviz.style(**given).__enter__(), {"name": [None, 3, "poster"]}),
    "load_data": (lambda **given: vaeviz.load_data(**{"name": "digits"} | given), {
        "name": [None, 3, "", "dgits"], "split": [3, "validation"], "value_range": [3, (0, 1, 2), ("a", "b")],
        "labels": [3], "data_dir": [3],
    }),
    "get_plot": (lambda **given: vaeviz.get_plot(**given), {"name": [None, 3, vaeviz.samples, "sample"]}),
    "register_plot": (lambda **given: vaeviz.register_plot(**given), {"page": [3, np.zeros((2, 2))]}),
    "find_holes": (lambda **given: vaeviz.find_holes(**{"posterior": POSTERIOR} | given), {
        "posterior": [None, X], "n_codes": [0, None], "level": [2, -0.1, None], "tolerance": [-1], "max_points": [0],
        "seed": [-1],
    }),
    "elbo_terms": (lambda **given: vaeviz.elbo_terms(**{"posterior": POSTERIOR} | given), {
        "posterior": [None, X], "n_codes": [0, "x"], "max_points": [0], "seed": [None],
    }),
}  # fmt: skip
WRONG = [
    (name, argument, value) for name, (_, given) in CALLS.items() for argument in given for value in given[argument]
]


@pytest.mark.parametrize(
    ("name", "argument", "value"), WRONG, ids=[f"{name}-{argument}-{k}" for k, (name, argument, _) in enumerate(WRONG)]
)
def test_a_wrong_argument_is_an_input_error_that_names_it(name, argument, value, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        CALLS[name][0](**{argument: value})
    assert argument in str(caught.value) or (isinstance(value, str) and repr(value) in str(caught.value))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [name for name in CALLS if name not in ("export_figures", "get_plot")])
def test_the_defaults_pass(name):
    CALLS[name][0]()


def test_numbers_of_numpy_and_paths_pass(tmp_path):
    np.save(tmp_path / "x.npy", X)
    assert len(vaeviz.load_data(tmp_path / "x.npy").x) == 30
    assert vaeviz.linear_vae(np.eye(3), np.int64(2), beta=np.float32(1)).latent_dim == 2
    assert vaeviz.mmd_test(X, X, n_permutations=np.int32(20), seed=np.uint8(1)).p_value >= 0


@pytest.mark.parametrize(
    ("name", "annotation", "wrong", "right"),
    [
        ("seed", int, [-1, 2**32], [0, 2**32 - 1]),
        ("n_samples", int | None, [0, -3], [1, None]),
        ("alpha", float | None, [-0.1, 2, math.nan], [0, 1, None]),
        ("perplexity", float, [0, -1.0], [0.5]),
        ("marker_size", float | None, [0], [None, 3]),
        ("max_kl", float, [math.nan], [-1.0, math.inf]),
    ],
)
def test_options_of_one_name_have_the_same_bounds(name, annotation, wrong, right):
    option = Option(name, annotation, None)
    for value in right:
        assert option.check(value) == value
    for value in wrong:
        with pytest.raises(InputError):
            option.check(value)
        with pytest.raises(InputError):
            option.parse(str(value))


def test_every_default_of_every_plot_and_check_is_allowed():
    from vaeviz.health.analyze import CHECKS

    for spec in [*map(vaeviz.get_plot, vaeviz.plot_names()), *CHECKS.values()]:
        for option in spec.options.values():
            assert option.check(option.default) == option.default


def test_an_array_in_a_message_is_short():
    def count(*, n_samples: int = 3):
        check_arguments(count, locals())

    with pytest.raises(InputError) as caught:
        count(n_samples=np.zeros((100, 100)))
    assert len(str(caught.value)) < 200


NUMBERS = [
    (spec.name, option)
    for spec in map(vaeviz.get_plot, vaeviz.plot_names())
    for option in ("seed", "n_samples", "n_codes", "alpha", "perplexity", "n_grid", "n_draws", "max_points", "level")
    if option in spec.options
]


@pytest.mark.parametrize(("name", "option"), NUMBERS, ids=[" ".join(pair) for pair in NUMBERS])
def test_every_plot_checks_its_numbers(name, option, numpy_inputs):
    spec = vaeviz.get_plot(name)
    given = {key: value for key, value in numpy_inputs.items() if key in spec.required}
    for wrong in (-1, "many", math.nan):
        with pytest.raises(InputError) as caught:
            spec(**given, **{option: wrong})
        assert str(caught.value).startswith(option)


def test_a_script_may_pass_more_than_a_command_line_as_a_palette(numpy_inputs):
    given = [numpy_inputs[name] for name in ("encoder", "x", "labels")]
    vaeviz.latent_scatter(*given, palette=["red", "green"] * 5)
    vaeviz.latent_scatter(*given, class_names={0: "zero"})


def test_tensors_are_not_numbers():
    """Pydantic reads all that has ``__float__``, but plots calculate with what they receive."""
    torch = pytest.importorskip("torch")
    option = Option("min_share", float, 0.01)
    assert option.check(np.float32(0.5)) == 0.5
    with pytest.raises(InputError):
        option.check(torch.tensor(0.5))
