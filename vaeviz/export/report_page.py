"""A report as HTML: the findings above the figures of a set."""

from __future__ import annotations

import math
from html import escape
from typing import Any

from vaeviz.analysis.estimates import Estimate

STYLE = """
.report { width: 100%; border-collapse: collapse; font-size: .9rem; margin: .5rem 0; }
.report td, .report th { text-align: left; vertical-align: top; padding: .45rem .75rem .45rem 0; font-weight: 400;
  border-top: 1px solid var(--line); }
.report th { font-weight: 600; } .report .number { white-space: nowrap; min-width: 9rem; }
.report small, .sources { display: block; color: var(--soft); font-size: .8rem; white-space: normal; }
.verdict { white-space: nowrap; } .flagged .verdict, .failed .verdict { color: var(--bad); font-weight: 600; }
.healthy .verdict { color: var(--good); }
summary { cursor: pointer; color: var(--soft); font-size: .9rem; }
details dl { margin: .5rem 0 1rem; font-size: .85rem; }
.after { margin-bottom: 2rem; }
@media (max-width: 40rem) {
  .report tr { display: grid; grid-template-columns: 1fr auto; border-top: 1px solid var(--line); padding: .5rem 0; }
  .report td, .report th { border: 0; padding: 0; } .report .said, .report .number { grid-column: 1 / -1; }
  .report th { order: -1; } .report small { display: inline; }
  dl { grid-template-columns: 1fr; } }
"""

MARKS = {"healthy": "✓ healthy", "flagged": "! flagged", "failed": "✗ failed"}


def report_section(findings: list[dict[str, Any]]) -> str:
    """The findings of a manifest: those with a verdict as a table, the rest and the sources folded away."""
    if not findings:
        return ""
    shown = [finding for finding in findings if finding["verdict"] in MARKS]
    rest = [finding for finding in findings if finding["verdict"] not in MARKS]
    flagged = sum(finding["verdict"] == "flagged" for finding in shown)
    answered = sum(finding["verdict"] != "failed" for finding in shown)
    told = f"{flagged} of {answered} findings flagged" if answered else "no finding applies"
    return f"""<h2>Is this latent space healthy? {told[0].upper()}{told[1:]}</h2>
<table class="report">
{"".join(map(_row, shown))}</table>
<div class="after">{_folded("not applicable", {f["name"]: f["sentence"] for f in rest})}{
        _folded("thresholds and sources", {f["name"]: _source(f) for f in shown if f["verdict"] != "failed"})
    }</div>
"""


def _row(finding: dict) -> str:
    return (
        f'<tr class="{finding["verdict"]}"><td class="verdict">{MARKS[finding["verdict"]]}</td>'
        f'<th scope="row">{escape(finding["name"])}</th><td class="said">{escape(finding["sentence"])}</td>'
        f'<td class="number">{_number(finding)}</td></tr>\n'
    )


def _number(finding: dict) -> str:
    if finding["value"] is None:
        return ""
    error = math.nan if finding["error"] is None else finding["error"]
    told = f"{finding['unit']}, flagged {finding['flags']} {finding['threshold']:.3g}"
    return f"{Estimate(finding['value'], error)} <small>{escape(told)}</small>"


def _source(finding: dict) -> str:
    options = ", ".join(f"{name} = {value}" for name, value in finding["options"].items() if value is not None)
    return f"{finding['question']} From {finding['samples']:,} samples; {options}. Source: {finding['source']}."


def _folded(what: str, parts: dict[str, str]) -> str:
    if not parts:
        return ""
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in parts.items())
    count = f"{len(parts)} " if what == "not applicable" else ""
    return f"<details><summary>{count}{what}</summary><dl>{rows}</dl></details>"
