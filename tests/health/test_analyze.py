"""`vaeviz.analyze`: what a report contains, which checks do not apply, and that it is the same every time."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

import vaeviz
from vaeviz.errors import InputError, UnknownName
from vaeviz.health import checks
from vaeviz.health.analyze import CHECKS, REPORT_ORDER, find_checks
from vaeviz.health.report import format_table, to_json_value

ANSWERED = ("healthy", "uncertain", "flagged")
PRIOR_CHECKS = ("marginals", "mismatch", "holes", "information")


@pytest.fixture
def inputs(encoder, decoder, digits):
    return {"encoder": encoder, "decoder": decoder, "x": digits.x, "labels": digits.labels}


def reason(result):
    """Return why a check does not apply."""
    assert result.status == "not applicable"
    assert result.value is result.threshold is None
    return result.sentence


def names_with_status(report, status, names):
    """Return which of these checks have a status, in the order of the report."""
    return tuple(name for name in report.names_with_status(status) if name in names)


# What a report contains


def test_every_check_has_a_result_in_order(inputs, builtin_checks):
    report = vaeviz.analyze(**inputs)
    assert [result.name for result in report.checks] == list(CHECKS)
    assert report.names_with_status("failed") == ()
    assert names_with_status(report, "not applicable", builtin_checks) == ("likelihood", "spread")
    for result in report.checks:
        assert result.sentence.endswith(".") or result.status == "not applicable"
        assert result.question and result.source
        if result.status in ANSWERED:
            assert np.isfinite([result.value, result.threshold]).all()
            assert result.interval[0] <= result.value <= result.interval[1]
            assert 0 < result.n_samples <= len(inputs["x"])
            beyond = result.value - result.threshold
            assert result.status != "flagged" or (beyond > 0) == (result.flags == "above")


def test_a_report_is_a_table_with_one_row_per_check(inputs):
    report = vaeviz.analyze(**inputs)
    frame = report.to_frame()
    assert frame["name"].tolist() == list(CHECKS)
    assert frame["status"].tolist() == [result.status for result in report.checks]
    holes = frame.set_index("name").loc["holes"]
    assert (holes["value"], holes["threshold"], holes["n_samples"]) == (
        report["holes"].value, report["holes"].threshold, report["holes"].n_samples,
    )  # fmt: skip
    assert frame.set_index("name")["value"].isna()["likelihood"]


def test_an_unknown_status_is_an_error(inputs):
    with pytest.raises(UnknownName) as caught:
        vaeviz.analyze(**inputs, checks="holes").names_with_status("flaged")
    assert caught.value.got == "flaged"


def test_a_model_and_data_are_enough(run):
    data = vaeviz.load_data("digits")
    report = vaeviz.analyze(run, data)
    assert report.names_with_status("failed") == ()
    assert not {"likelihood", "spread", "classes"} & set(report.names_with_status("not applicable"))
    assert vaeviz.analyze(run, data.x, checks=["classes"])["classes"].status == "not applicable"


def test_x_is_encoded_once_and_codes_are_decoded_with_the_condition_of_their_sample(digits):
    calls, decoded, condition = [], [], digits.labels.astype(np.float32)

    def encoder(x, y):
        calls.append(len(x))
        return np.column_stack([y, x.mean(axis=(1, 2))]), np.full((len(x), 2), -2.0)

    def decoder(z, y):
        assert np.isin(y, condition).all()
        decoded.append((len(z), bool((z[:, 0] == y).all())))
        return np.repeat(z[:, 1], 64).reshape(-1, 8, 8)

    report = vaeviz.analyze(
        encoder=vaeviz.Encoder(encoder, batch_size=30), decoder=decoder, x=digits.x, condition=condition,
        likelihood=lambda x, z: -np.ones(len(x)),
    )  # fmt: skip
    assert (60, True) in decoded  # the reconstructions; a probe decodes with other conditions
    assert calls[:4] == 4 * [30]  # the first batch again, to see whether it samples, and with other conditions
    assert set(calls[4:]) <= {1}  # to find the weights that it uses
    assert report.names_with_status("failed") == ()
    assert reason(report["likelihood"]) == reason(report["spread"])
    assert "condition" in reason(report["spread"])
    assert f"condition_on(vaeviz.Encoder(encoder), {condition[0].item()})" in reason(report["neighbors"])


def test_samples_in_batches_give_the_same_report(inputs, tmp_path):
    likelihood = lambda x, z: -((x - 0.5) ** 2).sum(axis=(1, 2))  # noqa: E731
    in_batches = vaeviz.Batches(lambda: (inputs["x"][rows : rows + 25] for rows in range(0, 60, 25)))
    np.save(tmp_path / "x.npy", inputs["x"])
    expected = vaeviz.analyze(**inputs, likelihood=likelihood)
    for x in (in_batches, np.load(tmp_path / "x.npy", mmap_mode="r")):
        found = vaeviz.analyze(**inputs | {"x": x}, likelihood=likelihood)
        assert [result.sentence for result in found.checks] == [result.sentence for result in expected.checks]


def test_some_checks_with_their_options(inputs):
    report = vaeviz.analyze(**inputs, checks=["holes", "collapsed"], settings={"holes": {"n_codes": "20"}})
    assert [result.name for result in report.checks] == ["collapsed", "holes"]
    assert report["holes"].options == {"max_mass": 0.05, "level": 0.01, "n_codes": 20, "seed": 0}
    assert report["holes"].n_samples == 20


def test_each_check_has_the_seed_unless_its_settings_have_one(inputs):
    report = vaeviz.analyze(**inputs, checks=["holes", "mismatch"], settings={"holes": {"seed": 3}}, seed=7)
    assert (report["holes"].options["seed"], report["mismatch"].options["seed"]) == (3, 7)


def test_a_check_that_fails_does_not_keep_others_from_running(inputs, builtin_checks):
    def broken(z):
        raise ZeroDivisionError("no luck\ntoday")

    report = vaeviz.analyze(**inputs | {"decoder": broken})
    assert names_with_status(report, "failed", builtin_checks) == ("ignored", "reconstruction")
    assert "Traceback" in report["ignored"].traceback
    assert "ZeroDivisionError: no luck today" in report["reconstruction"].sentence
    assert report["holes"].status in ANSWERED


def test_the_report_prints_as_a_table(inputs):
    report = vaeviz.analyze(**inputs, title="mine", checks=["collapsed", "likelihood"])
    lines = format_table(report, width=80)
    assert lines[0] == "mine · 60 samples, 2 latent dimensions · seed 0"
    assert lines[2].startswith("✓ collapsed   healthy         ")
    assert "– likelihood  not applicable  needs likelihood" in "\n".join(lines)
    assert max(map(len, lines)) <= 80
    assert lines[-1].startswith("0 of 1 ")
    assert str(report).splitlines()[-1] == lines[-1]


# JSON


def strictly(path):
    def refuse(constant):
        raise AssertionError(constant)

    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


def test_the_file_is_strict_json_with_inputs_seed_and_versions(inputs, tmp_path):
    likelihood = lambda x, z: -((x - 0.5) ** 2).sum(axis=(1, 2))  # noqa: E731
    report = vaeviz.analyze(**inputs, likelihood=likelihood, seed=3)
    report.save(tmp_path / "report.json")
    kept = strictly(tmp_path / "report.json")
    assert kept["seed"] == 3
    assert kept["versions"]["vaeviz"] == vaeviz.__version__
    assert kept["inputs"]["x"]["shape"] == [60, 8, 8]
    assert len(kept["inputs"]["encoder"]["posterior"]["mean_sha256"]) == 64
    named = {result["name"]: result for result in kept["checks"]}
    assert named["holes"]["threshold"] == named["holes"]["options"]["max_mass"] == 0.05
    assert named["collapsed"]["error"] is None
    assert "command_line_sentence" not in named["collapsed"]
    assert len(named["collapsed"]["numbers"]["kl"]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_the_same_inputs_and_seed_give_the_same_bytes(inputs, tmp_path):
    for name in ("one", "two"):
        vaeviz.analyze(**inputs).save(tmp_path / name)
    vaeviz.analyze(**inputs, seed=1).save(tmp_path / "other")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert (tmp_path / "one").read_bytes() != (tmp_path / "other").read_bytes()


def test_numbers_that_are_not_finite_are_null_in_json():
    values = {"a": np.float32(np.nan), "b": [np.inf, 1 / 3], "c": np.arange(2), "d": (np.bool_(True), None, "x")}
    assert to_json_value(values) == {"a": None, "b": [None, 0.333333], "c": [0, 1], "d": [True, None, "x"]}


def test_a_file_that_cannot_be_written_is_an_error(inputs, tmp_path):
    report = vaeviz.analyze(**inputs, checks=["collapsed"])
    with pytest.raises(InputError) as caught:
        report.save(tmp_path / "nowhere" / "report.json")
    assert caught.value.got == str(tmp_path / "nowhere" / "report.json")


# What does not apply


def test_a_deterministic_encoder(inputs, make_encoder, builtin_checks):
    report = vaeviz.analyze(**inputs | {"encoder": make_encoder(spread=False)})
    assert (report["collapsed"].status, report["collapsed"].value) == ("healthy", 0)
    answered = {result.name for result in report.checks if result.status in ANSWERED}
    assert answered & {*builtin_checks} == {"collapsed", "ignored", "reconstruction", "classes", "neighbors"}
    for name in PRIOR_CHECKS:
        assert "deterministic" in reason(report[name])


def test_codes_of_a_deterministic_encoder_are_compared_with_a_declared_prior(digits):
    codes = 4 + np.random.default_rng(0).standard_normal((60, 2))
    encoder = vaeviz.Encoder(lambda x: codes[: len(x)], prior="normal")
    assert vaeviz.analyze(encoder=encoder, x=digits.x, checks=["mismatch"])["mismatch"].status == "flagged"


def test_constant_codes_of_a_deterministic_encoder_are_flagged(digits):
    report = vaeviz.analyze(
        encoder=lambda x: np.column_stack([x.mean(axis=(1, 2)), np.full(len(x), 0.1), np.zeros(len(x))]),
        x=digits.x,
        checks=["collapsed"],
    )
    assert report["collapsed"].status == "flagged"
    assert report["collapsed"].value == 2
    assert report["collapsed"].numbers["collapsed"].tolist() == [1, 2]


def test_an_encoder_alone_and_a_decoder_alone(inputs, builtin_checks):
    report = vaeviz.analyze(encoder=inputs["encoder"], x=inputs["x"])
    for name, missing in (("ignored", "decoder"), ("classes", "labels"), ("likelihood", "likelihood")):
        assert missing in reason(report[name])
    with pytest.raises(InputError) as caught:
        vaeviz.analyze(encoder=inputs["encoder"], decoder=inputs["decoder"])
    assert caught.value.expected == "x"
    report = vaeviz.analyze(decoder=inputs["decoder"])
    assert names_with_status(report, "not applicable", builtin_checks) == builtin_checks
    assert "encoder" in reason(report["holes"])
    assert "x" in reason(report["holes"])


@pytest.mark.parametrize(
    ("labels", "word"),
    [
        (np.zeros(60, int), "one class"),
        (np.linspace(0, 1, 60), "continuous"),
        (np.array([None] * 60), "missing"),
        (np.random.default_rng(0).permutation(60) % 2, "chance"),
    ],
    ids=["one class", "continuous", "missing", "unrelated"],
)
def test_labels_without_classes_of_x(inputs, labels, word):
    assert word in reason(vaeviz.analyze(**inputs | {"labels": labels}, checks=["classes"])["classes"])


def test_holes_of_many_dimensions_say_how_many_were_compared():
    mean = np.random.default_rng(0).standard_normal((60, 130))
    posterior = vaeviz.Posterior(mean, np.full(mean.shape, 0.3), "normal")
    found = vaeviz.analyze(encoder=posterior, x=mean, checks="holes", settings={"holes": {"n_codes": 110}})["holes"]
    assert found.numbers["compared_dimensions"] == 128
    assert "128 most active" in found.sentence and "130 dimensions" in found.sentence


def test_fewer_points_than_neighbors(inputs):
    few = {"x": inputs["x"][:9], "labels": np.arange(9) % 2}
    report = vaeviz.analyze(**inputs | few, checks=["classes", "neighbors"])
    assert "10 neighbors" in reason(report["classes"])
    assert "9" in reason(report["neighbors"])
    assert "settings=" in report["neighbors"].sentence
    assert "--set neighbors.n_neighbors=4" in report["neighbors"].command_line_sentence
    advised = vaeviz.analyze(**inputs | few, checks=["neighbors"], settings={"neighbors": {"n_neighbors": 4}})
    assert advised["neighbors"].status in ANSWERED


def test_one_sample(inputs, builtin_checks):
    one = {name: inputs[name][:1] for name in ("x", "labels")}
    report = vaeviz.analyze(**inputs | one)
    assert report.names_with_status("failed") == ()
    for status in ("healthy", "flagged"):
        assert names_with_status(report, status, builtin_checks) == ()


def test_equal_samples(inputs):
    same = np.repeat(inputs["x"][:1], 60, axis=0)
    report = vaeviz.analyze(**inputs | {"x": same})
    assert report.names_with_status("failed") == ()
    for name in ("classes", "reconstruction", "neighbors"):
        assert "equal" in reason(report[name])
    assert report["collapsed"].status == "flagged"
    assert "collapsed" in reason(report["ignored"])


def test_a_posterior_that_is_not_gaussian(inputs):
    mean = np.random.default_rng(0).standard_normal((60, 2))
    report = vaeviz.analyze(**inputs | {"encoder": vaeviz.Posterior(mean, family="VonMisesFisher")})
    for name in PRIOR_CHECKS:
        assert "VonMisesFisher" in reason(report[name])
    assert report["classes"].status in (*ANSWERED, "not applicable")
    assert report.names_with_status("failed") == ()


def test_an_infinite_kl(inputs):
    mean = np.random.default_rng(0).standard_normal((60, 2))
    posterior = vaeviz.Posterior(mean, np.column_stack([np.ones(60), np.zeros(60)]), "normal")
    report = vaeviz.analyze(**inputs | {"encoder": posterior})
    for name in (*PRIOR_CHECKS, "collapsed"):
        assert "60 of 60" in reason(report[name])


def test_an_unknown_prior(inputs):
    mean = np.random.default_rng(0).standard_normal((60, 2))
    report = vaeviz.analyze(**inputs | {"encoder": vaeviz.Posterior(mean, np.full((60, 2), 0.3))})
    for name in PRIOR_CHECKS:
        assert "prior" in reason(report[name])
    assert report["collapsed"].status == "healthy"


def test_a_code_without_information(inputs):
    posterior = vaeviz.Posterior(np.zeros((60, 2)), np.ones((60, 2)), "normal")
    report = vaeviz.analyze(**inputs | {"encoder": posterior})
    assert "collapsed" in reason(report["information"])
    assert (report["collapsed"].status, report["collapsed"].value) == ("flagged", 2)


# Bad input


@pytest.mark.parametrize(
    ("wrong", "error", "got"),
    [
        ({"checks": ["hole"]}, UnknownName, "hole"),
        ({"settings": {"holes": {"mass": 0.1}}}, UnknownName, "mass"),
        ({"settings": {"hole": {"max_mass": 0.1}}}, UnknownName, "hole"),
        ({"lables": np.arange(60)}, UnknownName, "lables"),
        ({"checks": []}, InputError, "no check"),
        ({"checks": ["classes"], "settings": {"holes": {"n_codes": 3}}}, InputError, "holes"),
    ],
)
def test_invalid_arguments(inputs, wrong, error, got):
    with pytest.raises(error) as caught:
        vaeviz.analyze(**inputs | wrong)
    assert caught.value.got == got
    assert caught.value.fix.python


def test_invalid_values(inputs):
    with pytest.raises(InputError, match=r"holes.max_mass"):
        vaeviz.analyze(**inputs, settings={"holes": {"max_mass": "much"}})
    with pytest.raises(InputError, match="labels"):
        vaeviz.analyze(**inputs | {"labels": [1, 2, 3]})
    with pytest.raises(UnknownName) as caught:
        vaeviz.analyze(**inputs, checks="classes")["moles"]
    assert caught.value.got == "moles"


@pytest.mark.processes
def test_analysis_imports_no_matplotlib():
    code = (
        "import sys, numpy as np, vaeviz\n"
        "x = np.random.default_rng(0).standard_normal((50, 3))\n"
        "encode, decode = lambda x: (x[:, :2], x[:, :2] * 0 - 1), lambda z: z[:, [0, 1, 1]]\n"
        "vaeviz.analyze(encoder=encode, decoder=decode, x=x, labels=x[:, 0] > 0)\n"
        "print('matplotlib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


# How checks are found


def test_a_check_is_found_by_its_file_and_follows_the_others(tmp_path, monkeypatch):
    (tmp_path / "_helper.py").write_text("raise AssertionError('a private file is not imported')\n")
    (tmp_path / "added.py").write_text(
        "from vaeviz.health.check import Measurement, health_check\n"
        "@health_check('Is it added?', unit='x', flags='above', source='a test')\n"
        "def added(x): return Measurement('It is.', 0, 1, len(x))\n"
    )
    monkeypatch.setattr(checks, "__path__", [*checks.__path__, str(tmp_path)])
    found = find_checks()
    assert list(found) == [
        *(name for name in CHECKS if name in REPORT_ORDER), *sorted({*CHECKS, "added"} - {*REPORT_ORDER}),
    ]  # fmt: skip
    assert found["added"].run({"x": [1, 2]}, {}).n_samples == 2


def test_a_file_without_a_check_of_its_name_is_an_error(tmp_path, monkeypatch):
    (tmp_path / "undecorated.py").write_text("def undecorated(x): pass\n")
    monkeypatch.setattr(checks, "__path__", [*checks.__path__, str(tmp_path)])
    with pytest.raises(TypeError, match="undecorated"):
        find_checks()


def test_checks_are_reported_by_topic(builtin_checks):
    assert tuple(name for name in CHECKS if name in builtin_checks) == builtin_checks


def test_two_samples_have_no_advice_about_the_number_of_neighbors(encoder, digits):
    report = vaeviz.analyze(encoder=encoder, x=digits.x[:2], checks="neighbors")
    assert "n_neighbors" not in reason(report["neighbors"])


# A likelihood by name, or of the wrong size


def test_a_named_likelihood_is_that_of_the_decoder(inputs, decoder):
    names = ["likelihood", "spread"]
    named = vaeviz.analyze(**inputs, likelihood="gaussian", checks=names)
    given = vaeviz.analyze(**inputs, likelihood=vaeviz.decoder_likelihood(decoder, "gaussian"), checks=names)
    assert {result.status for result in named.checks} <= set(ANSWERED)
    assert [result.value for result in named.checks] == [result.value for result in given.checks]
    assert "gaussian" in json.dumps(to_json_value(named.inputs["likelihood"]))


def test_a_name_without_a_decoder_is_an_error(inputs):
    with pytest.raises(InputError) as caught:
        vaeviz.analyze(**{**inputs, "decoder": None}, likelihood="gaussian")
    assert "decoder_likelihood" in caught.value.fix.python


def test_a_mean_over_the_values_is_flagged_in_the_report(inputs, decoder):
    def squared_error(x, z):
        return -((x - vaeviz.decode(decoder, z, reference=x)) ** 2).reshape(len(x), -1).mean(axis=1)

    with pytest.warns(vaeviz.GuessWarning, match="mean over the 64 values"):
        report = vaeviz.analyze(**inputs, likelihood=squared_error, checks="likelihood")
    assert any("mean over the 64 values" in warning for warning in report.warnings)
