"""Print the values of every health check for healthy controls and for planted defects.

    python examples/reproductions/threshold_table.py

The controls and the defects are those of ``tests/health/test_planted_defects.py``. It takes some minutes.
"""

import runpy
from collections import Counter
from pathlib import Path

PLANTED = runpy.run_path(str(Path(__file__).parents[2] / "tests" / "health" / "test_planted_defects.py"))
LATENT_DIMS = (1, 2, 4, 8)
N_SEEDS = 10


def main():
    """Print a row for each check, and one for each defect."""
    reports = [PLANTED["report_of"](PLANTED["control"](size, seed)) for size in LATENT_DIMS for seed in range(N_SEEDS)]
    print(f"| check | {len(reports)} healthy controls | threshold | status |\n|---|---|---|---|")
    for name in (result.name for result in reports[0].checks):
        results = [report[name] for report in reports if report[name].value is not None]
        values, limits = ([getattr(result, key) for result in results] for key in ("value", "threshold"))
        counts = Counter(f"{result.status}, D = {report_dim}" for report_dim, result in zip(dims_of(reports), results))
        unhealthy = "; ".join(f"{n} {status}" for status, n in counts.items() if not status.startswith("healthy"))
        numbers = f"{min(values):.3g} to {max(values):.3g} | {min(limits):.3g} to {max(limits):.3g}"
        print(f"| `{name}` | {numbers} | {unhealthy or 'healthy'} |")
    three = PLANTED["control"](3, 0)
    print("\n| check | planted defect | value | threshold |\n|---|---|---|---|")
    for name, defect, _ in PLANTED["DEFECTS"]:
        encode, decode = defect(three)
        result = PLANTED["report_of"](three, encode=encode, decode=decode, checks=[name])[name]
        print(f"| `{name}` | {defect.__name__} | {result.value:.3g} | {result.threshold:.3g} |")


def dims_of(reports):
    """Return the number of latent dimensions of each control."""
    return [size for size in LATENT_DIMS for _ in range(len(reports) // len(LATENT_DIMS))]


if __name__ == "__main__":
    main()
