"""The functions and tests that ``docs/explanation/vae.md`` links are in the files that it names."""

import ast
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "vae.md"
LINKS = sorted(set(re.findall(r"\[`([\w.]+)`\]\(([\w./]+)\)", PAGE.read_text(encoding="utf-8"))))


def defined_in(file):
    """Yield the functions, classes and methods of a file, as ``name`` or ``Class.name``."""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        if isinstance(node, ast.ClassDef):
            yield from (f"{node.name}.{part.name}" for part in node.body if isinstance(part, ast.FunctionDef))


@pytest.mark.parametrize("name, file", LINKS, ids=[name for name, _ in LINKS])
def test_a_linked_name_is_defined_there(name, file):
    assert name in defined_in(PAGE.parent / file)


def test_every_section_names_code_and_test():
    sections = PAGE.read_text(encoding="utf-8").split("\n## ")[1:-1]
    assert len(sections) == 8
    assert all("- Code: " in section and "- Test: " in section for section in sections)
