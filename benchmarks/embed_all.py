"""t-SNE of all 70,000 codes: once each, without scikit-learn, which takes several times as long."""

from __future__ import annotations

from pathlib import Path

from benchmarks.cases import Case
from benchmarks.embed import case


def cases(data_dir: Path | None) -> list[Case]:
    return [case(70_000, data_dir, with_scikit_learn=False)]
