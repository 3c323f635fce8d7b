"""Messages spell a declaration as Python; the command line shows it as an option of its own."""

import re
from pathlib import Path

import pytest

import vaeviz
from vaeviz.cli.declarations import DECLARATION, as_flags
from vaeviz.cli.source import MODEL_AND_DATA_OPTIONS

SOURCES = [*Path(vaeviz.__file__).parent.rglob("*.py")]


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("write Encoder(fn, input_shape=...)", "write --input-shape N,..."),
        ("write Decoder(fn, latent_shape=(D,)), or", "write --latent-shape D, or"),
        ("Encoder(fn, batch_size=4, pad=True)", "--batch-size 4 --pad"),
        ("a tanh, Decoder(fn, value_range=(-1, 1));", "a tanh, --value-range -1,1;"),
        ('Decoder(fn, layout="channels_first")', "--layout channels_first"),
        ("Encoder(fn, returns='z,mean') or Encoder(fn, prior='normal')", "--returns z,mean or --prior normal"),
        ("Decoder(fn, sample_shape=(H, W))", "--sample-shape H,W"),
        ("got a batch of shape (3, 4)", "got a batch of shape (3, 4)"),
        ("Encoder(fn, what is this)", "Encoder(fn, what is this)"),
    ],
)  # fmt: skip
def test_a_declaration_is_shown_as_options(message, shown):
    assert as_flags(message) == shown


def test_what_messages_tell_to_declare_can_be_declared_on_the_command_line():
    def command(): ...

    for decorate in MODEL_AND_DATA_OPTIONS:
        command = decorate(command)
    options = {flag for param in command.__click_params__ for flag in param.opts}
    told = [text for path in SOURCES for text in re.findall(r"(?:coder|kind\}|call\})\(fn, (\w+)=", path.read_text())]
    assert len(told) > 10
    assert {f"--{name}".replace("_", "-") for name in told} <= options
    assert DECLARATION.search('Encoder(fn, returns="mean,std")')
