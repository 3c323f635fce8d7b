"""`vaeviz.analyze`: what a report holds, what does not apply and why, and that it is the same every time."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

import vaeviz
from vaeviz.errors import InputError, UnknownName
from vaeviz.health.analyze import CHECKS
from vaeviz.health.report import format_table, to_json_value

OF_THE_PRIOR = ("marginals", "mismatch", "holes", "information")


@pytest.fixture
def inputs(encoder, decoder, digits):
    return {"encoder": encoder, "decoder": decoder, "x": digits.x, "labels": digits.labels}


def reason(finding):
    assert finding.verdict == "not applicable"
    assert finding.value is finding.threshold is None
    return finding.sentence


# What a report holds


def test_every_question_is_answered_in_order(inputs):
    report = vaeviz.analyze(**inputs)
    assert [finding.name for finding in report.findings] == list(CHECKS)
    assert report.named("failed") == ()
    assert report.named("not applicable") == ("likelihood", "spread")
    for finding in report.findings:
        assert finding.sentence and finding.question and finding.source
        if finding.verdict in ("healthy", "flagged"):
            assert np.isfinite([finding.value, finding.threshold]).all()
            assert 0 < finding.samples <= len(inputs["x"])
            beyond = finding.value - finding.threshold
            assert finding.verdict == "healthy" or (beyond > 0) == (finding.flags == "above")


def test_a_model_and_data_will_do(run):
    data = vaeviz.load_data("digits")
    report = vaeviz.analyze(run, data)
    assert report.named("failed") == ()
    assert not {"likelihood", "spread", "classes"} & set(report.named("not applicable"))
    assert vaeviz.analyze(run, data.x, findings=["classes"])["classes"].verdict == "not applicable"


def test_x_is_encoded_once_with_its_condition_and_decoded_with_that_of_its_rows(digits):
    calls, condition = [], digits.labels.astype(np.float32)

    def encoder(x, y):
        calls.append(len(x))
        return np.column_stack([y, x.mean(axis=(1, 2))]), np.full((len(x), 2), -2.0)

    def decoder(z, y):
        assert np.isin(y, condition).all()
        assert len(z) > 60 or (z[:, 0] == y).all()
        return np.repeat(z[:, 1], 64).reshape(-1, 8, 8)

    report = vaeviz.analyze(
        encoder=vaeviz.Encoder(encoder, batch_size=30), decoder=decoder, x=digits.x, condition=condition,
        likelihood=lambda x, z: -np.ones(len(x)),
    )  # fmt: skip
    assert calls == [30, 30, 30]  # the first batch twice, to see whether the encoder samples
    assert report.named("failed") == ()
    assert reason(report["likelihood"]) == reason(report["spread"])
    assert reason(report["spread"]) == "likelihood <lambda> takes no condition: write it as a function of x, z and y"


def test_samples_that_come_in_batches_give_the_same_report(inputs, tmp_path):
    likelihood = lambda x, z: -((x - 0.5) ** 2).sum(axis=(1, 2))  # noqa: E731
    in_batches = vaeviz.Batches(lambda: (inputs["x"][rows : rows + 25] for rows in range(0, 60, 25)))
    np.save(tmp_path / "x.npy", inputs["x"])
    expected = vaeviz.analyze(**inputs, likelihood=likelihood)
    for x in (in_batches, np.load(tmp_path / "x.npy", mmap_mode="r")):
        found = vaeviz.analyze(**inputs | {"x": x}, likelihood=likelihood)
        assert [finding.sentence for finding in found.findings] == [finding.sentence for finding in expected.findings]


def test_only_some_findings_and_their_options(inputs):
    report = vaeviz.analyze(**inputs, findings=["holes", "collapsed"], settings={"holes": {"n": "20"}})
    assert [finding.name for finding in report.findings] == ["collapsed", "holes"]
    assert report["holes"].options == {"max_mass": 0.05, "level": 0.01, "n": 20, "seed": 0}
    assert report["holes"].samples == 20


def test_a_seed_is_that_of_every_finding_but_of_one_with_its_own(inputs):
    report = vaeviz.analyze(**inputs, findings=["holes", "mismatch"], settings={"holes": {"seed": 3}}, seed=7)
    assert (report["holes"].options["seed"], report["mismatch"].options["seed"]) == (3, 7)


def test_one_that_fails_is_told_and_the_rest_are_answered(inputs):
    def broken(z):
        raise ZeroDivisionError("no luck\ntoday")

    report = vaeviz.analyze(**inputs | {"decoder": broken})
    assert report.named("failed") == ("ignored", "reconstruction")
    assert "Traceback" in report["ignored"].traceback
    assert "raised ZeroDivisionError: no luck today" in report["reconstruction"].sentence
    assert "holes" in report.named("healthy") + report.named("flagged")


def test_the_report_prints_as_a_table(inputs):
    report = vaeviz.analyze(**inputs, title="mine", findings=["collapsed", "likelihood"])
    lines = format_table(report, width=80)
    assert lines[0] == "mine · 60 samples, 2 latent dimensions · seed 0"
    assert lines[2].startswith("✓ collapsed   healthy         Both dimensions are used; z")
    assert "– likelihood  not applicable  needs likelihood" in "\n".join(lines)
    assert max(map(len, lines)) <= 80
    assert lines[-1] == "0 of 1 findings flagged"
    assert str(report).splitlines()[-1] == lines[-1]


# JSON


def strictly(path):
    def refuse(constant):
        raise AssertionError(constant)

    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


def test_the_file_is_strict_json_with_all_that_made_it(inputs, tmp_path):
    likelihood = lambda x, z: -((x - 0.5) ** 2).sum(axis=(1, 2))  # noqa: E731
    report = vaeviz.analyze(**inputs, likelihood=likelihood, seed=3)
    report.save(tmp_path / "report.json")
    kept = strictly(tmp_path / "report.json")
    assert kept["seed"] == 3
    assert kept["versions"]["vaeviz"] == vaeviz.__version__
    assert kept["inputs"]["x"]["shape"] == [60, 8, 8]
    assert len(kept["inputs"]["encoder"]["posterior"]["mean_sha256"]) == 64
    named = {finding["name"]: finding for finding in kept["findings"]}
    assert named["holes"]["threshold"] == named["holes"]["options"]["max_mass"] == 0.05
    assert named["collapsed"]["error"] is None
    assert len(named["collapsed"]["numbers"]["kl"]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_the_same_inputs_and_seed_give_the_same_bytes(inputs, tmp_path):
    for name in ("one", "two"):
        vaeviz.analyze(**inputs).save(tmp_path / name)
    vaeviz.analyze(**inputs, seed=1).save(tmp_path / "other")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert (tmp_path / "one").read_bytes() != (tmp_path / "other").read_bytes()


def test_what_is_no_number_is_null():
    values = {"a": np.float32(np.nan), "b": [np.inf, 1 / 3], "c": np.arange(2), "d": (np.bool_(True), None, "x")}
    assert to_json_value(values) == {"a": None, "b": [None, 0.333333], "c": [0, 1], "d": [True, None, "x"]}


def test_a_file_that_cannot_be_written_leaves_the_old_one(inputs, tmp_path):
    report = vaeviz.analyze(**inputs, findings=["collapsed"])
    with pytest.raises(InputError, match="cannot be written, No such file or directory"):
        report.save(tmp_path / "nowhere" / "report.json")


# What does not apply


def test_a_deterministic_encoder(inputs, make_encoder):
    report = vaeviz.analyze(**inputs | {"encoder": make_encoder(spread=False)})
    assert report["collapsed"].sentence == "The code varies in both dimensions."
    assert set(report.named("healthy") + report.named("flagged")) == {
        "collapsed", "ignored", "reconstruction", "classes", "neighbors",
    }  # fmt: skip
    for name in OF_THE_PRIOR:
        assert "gives no spread q(z|x)" in reason(report[name])


def test_the_codes_of_a_deterministic_encoder_with_a_prior_are_compared_with_it(digits):
    codes = 4 + np.random.default_rng(0).standard_normal((60, 2))
    encoder = vaeviz.Encoder(lambda x: codes[: len(x)], prior="normal")
    assert vaeviz.analyze(encoder=encoder, x=digits.x, findings=["mismatch"])["mismatch"].verdict == "flagged"


def test_constant_codes_of_a_deterministic_encoder_are_flagged(digits):
    report = vaeviz.analyze(
        encoder=lambda x: np.column_stack([x.mean(axis=(1, 2)), np.full(len(x), 0.1), np.zeros(len(x))]),
        x=digits.x,
        findings=["collapsed"],
    )
    assert report["collapsed"].verdict == "flagged"
    assert report["collapsed"].sentence == "2 of 3 dimensions are constant: z2 and z3."


def test_an_encoder_alone_and_a_decoder_alone(inputs):
    report = vaeviz.analyze(encoder=inputs["encoder"], x=inputs["x"])
    assert reason(report["ignored"]).startswith("needs decoder: a model that has one")
    assert reason(report["classes"]).startswith("needs labels: a class for each sample")
    assert reason(report["likelihood"]).startswith("needs likelihood: ln p(x | z), a function of batches")
    report = vaeviz.analyze(decoder=inputs["decoder"])
    assert report.named("not applicable") == tuple(CHECKS)
    assert reason(report["holes"]) == "needs encoder: a model that has one; needs x: samples"


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (np.zeros(60, int), "one class"),
        (np.linspace(0, 1, 60), "the labels are continuous"),
        (np.array([None] * 60), "all labels are missing"),
        (np.random.default_rng(0).permutation(60) % 2, "the labels may have nothing to do with where x lies"),
    ],
    ids=["one class", "continuous", "missing", "unrelated"],
)
def test_labels_that_tell_nothing(inputs, labels, told):
    assert told in reason(vaeviz.analyze(**inputs | {"labels": labels}, findings=["classes"])["classes"])


def test_fewer_points_than_neighbors(inputs):
    few = {"x": inputs["x"][:9], "labels": np.arange(9) % 2}
    report = vaeviz.analyze(**inputs | few, findings=["classes", "neighbors"])
    assert "10 neighbors need more than 9 labeled points" in reason(report["classes"])
    assert "10 neighbors need more than 20 samples, got 9" in reason(report["neighbors"])


def test_one_sample(inputs):
    one = {name: inputs[name][:1] for name in ("x", "labels")}
    report = vaeviz.analyze(**inputs | one)
    assert report.named("failed") == ()
    assert report.named("healthy") == report.named("flagged") == ()


def test_samples_that_are_all_the_same(inputs):
    same = np.repeat(inputs["x"][:1], 60, axis=0)
    report = vaeviz.analyze(**inputs | {"x": same})
    assert report.named("failed") == ()
    assert "all samples are the same" in reason(report["classes"])
    assert "all samples are the same" in reason(report["reconstruction"])
    assert "all samples are the same" in reason(report["neighbors"])
    assert report["collapsed"].verdict == "flagged"
    assert reason(report["ignored"]).startswith("no dimension is encoded")


def test_a_posterior_that_is_no_gaussian(inputs):
    mean = np.random.default_rng(0).standard_normal((60, 2))
    report = vaeviz.analyze(**inputs | {"encoder": vaeviz.Posterior(mean, family="VonMisesFisher")})
    for name in OF_THE_PRIOR:
        assert "VonMisesFisher" in reason(report[name])
    assert report["classes"].verdict in ("healthy", "flagged", "not applicable")
    assert report.named("failed") == ()


def test_an_infinite_kl(inputs):
    mean = np.random.default_rng(0).standard_normal((60, 2))
    posterior = vaeviz.Posterior(mean, np.column_stack([np.ones(60), np.zeros(60)]), "normal")
    report = vaeviz.analyze(**inputs | {"encoder": posterior})
    for name in (*OF_THE_PRIOR, "collapsed"):
        assert "0 in 60 of 60 samples" in reason(report[name])


def test_an_unknown_prior(inputs):
    mean = np.random.default_rng(0).standard_normal((60, 2))
    report = vaeviz.analyze(**inputs | {"encoder": vaeviz.Posterior(mean, np.full((60, 2), 0.3))})
    for name in OF_THE_PRIOR:
        assert "prior" in reason(report[name])
    assert report["collapsed"].verdict == "healthy"


def test_no_kl_to_spend(inputs):
    posterior = vaeviz.Posterior(np.zeros((60, 2)), np.ones((60, 2)), "normal")
    report = vaeviz.analyze(**inputs | {"encoder": posterior})
    assert "nothing is spent, see collapsed" in reason(report["information"])
    assert report["collapsed"].sentence == (
        "The code tells nothing about a sample: both dimensions collapsed (KL 0 nats)."
    )


def test_more_dimensions_than_can_be_decoded_in_time(digits, make_encoder, make_decoder):
    report = vaeviz.analyze(
        encoder=make_encoder(30), decoder=make_decoder(30), x=digits.x,
        findings=["ignored"], settings={"ignored": {"max_decoded": 299}},
    )  # fmt: skip
    assert reason(report["ignored"]) == "30 dimensions need 300 decoded samples, and ignored.max_decoded = 299"


# Bad input


def test_bad_input(inputs):
    with pytest.raises(UnknownName, match=r"Unknown finding 'hole'. Did you mean 'holes'"):
        vaeviz.analyze(**inputs, findings=["hole"])
    with pytest.raises(UnknownName, match=r"Unknown option of holes 'mass'. Did you mean 'max_mass'"):
        vaeviz.analyze(**inputs, settings={"holes": {"mass": 0.1}})
    with pytest.raises(InputError, match=r"holes.max_mass = 'much': expected float"):
        vaeviz.analyze(**inputs, settings={"holes": {"max_mass": "much"}})
    with pytest.raises(InputError, match="holes has settings, but is not among the findings asked for: classes"):
        vaeviz.analyze(**inputs, findings=["classes"], settings={"holes": {"n": 3}})
    with pytest.raises(UnknownName, match="Unknown input 'lables'. Did you mean 'labels'"):
        vaeviz.analyze(lables=inputs["labels"])
    with pytest.raises(InputError, match="labels: got 3 labels for 60 samples of x"):
        vaeviz.analyze(**inputs | {"labels": [1, 2, 3]})
    with pytest.raises(InputError, match="no finding was asked for"):
        vaeviz.analyze(**inputs, findings=[])
    with pytest.raises(UnknownName, match="Unknown finding 'moles'"):
        vaeviz.analyze(**inputs, findings=["classes"])["moles"]


def test_analysis_imports_no_matplotlib():
    code = (
        "import sys, numpy as np, vaeviz\n"
        "x = np.random.default_rng(0).standard_normal((50, 3))\n"
        "vaeviz.analyze(encoder=lambda x: (x, -1 + 0 * x), decoder=lambda z: z, x=x, labels=x[:, 0] > 0)\n"
        "print('matplotlib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
