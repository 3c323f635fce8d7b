"""The table of inputs, and what is generated from it."""

from dataclasses import fields

import pytest

from vaeviz.plugins.inputs import INPUTS, PER_SAMPLE_INPUTS, describe_missing, find_input, input_table
from vaeviz.plugins.signature import InputSignature


def test_the_table_has_a_row_for_every_input_in_order():
    assert list(INPUTS) == [
        "encoder",
        "decoder",
        "x",
        "labels",
        "condition",
        "factors",
        "history",
        "likelihood",
        "other_x",
        "other_encoder",
        "runs",
        "feature_names",
        "factor_names",
    ]
    assert PER_SAMPLE_INPUTS == ("labels", "condition", "factors")
    assert [name for name, spec in INPUTS.items() if spec.repeatable] == ["history", "runs"]


@pytest.mark.parametrize("spec", INPUTS.values(), ids=lambda spec: spec.name)
def test_every_row_is_complete(spec):
    assert spec.flag.startswith("--")
    assert all(getattr(spec, field.name) for field in fields(spec)[:6])
    assert spec.help.endswith((".", "]"))
    assert spec.flag in spec.usage
    assert len({other.flag for other in INPUTS.values()}) == len(INPUTS)


def test_a_missing_input_is_described_for_scripts_and_for_the_command_line():
    fix = describe_missing(["likelihood", "temperatures"])
    assert "likelihood" in fix.python and "temperatures" in fix.python and "--" not in fix.python
    assert "--likelihood NAME" in fix.command_line
    assert "--input temperatures=package.module:attribute" in fix.command_line


def test_an_input_that_is_not_in_the_table_has_a_general_row():
    assert find_input("encoder") is INPUTS["encoder"]
    assert find_input("temperatures").reader == "object"


def test_the_table_is_rendered_as_markdown():
    lines = input_table().splitlines()
    assert len(lines) == 2 + len(INPUTS)
    assert all(line.replace(r"\|", "").count("|") == 5 for line in lines)
    assert lines[2].startswith("| `encoder` |")


@pytest.fixture
def signature():
    def measure(encoder, x, labels=None, *, count: int = 3):
        """Measure something."""
        return encoder, x, labels, count

    return InputSignature(measure, "measure")


def test_a_signature_reads_inputs_and_options(signature):
    assert (signature.required, signature.optional, list(signature.options)) == (
        ("encoder", "x"),
        ("labels",),
        ["count"],
    )
    assert signature.summary == "Measure something."
    assert signature(1, 2, count=4) == (1, 2, None, 4)


def test_a_signature_names_missing_inputs(signature):
    assert signature.missing_inputs({"x": None, "labels": 1}) == ("encoder", "x")
    assert "encoder and x" in signature.why_not_applicable({})
    assert signature.why_not_applicable({"encoder": 1, "x": 2}) == ""


def test_a_signature_selects_its_inputs(signature):
    inputs = {"encoder": 1, "x": 2, "labels": None, "history": 3}
    assert signature.select_inputs(inputs) == {"encoder": 1, "x": 2}
