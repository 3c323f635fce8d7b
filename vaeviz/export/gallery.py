"""``index.html``: one page that shows a figure set. No script, nothing loaded from elsewhere."""

from __future__ import annotations

from html import escape
from typing import Any

from vaeviz.export.report_page import STYLE as REPORT_STYLE
from vaeviz.export.report_page import report_section

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #5b6570; --line: #d9dee3; --paper: #fff; --bad: #b3261e;
  --good: #1e7d32; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ec; --soft: #9aa4ae; --line: #343b42; --paper: #16191d; --bad: #ff8a80;
    --good: #7bd88f; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 60rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2.5rem 0 .5rem; }
p.about { color: var(--soft); margin: .25rem 0 2rem; }
.set { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 2rem;
  grid-auto-flow: dense; align-items: start; }
figure { margin: 0; } figure.full { grid-column: 1 / -1; }
figure img { width: 100%; height: auto; background: #fff; border: 1px solid var(--line); border-radius: 4px; }
figcaption { font-size: .9rem; margin-top: .4rem; } figcaption b { font-weight: 600; }
.options, .files { color: var(--soft); font-size: .8rem; overflow-wrap: anywhere; }
.warning { color: var(--bad); font-size: .8rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.25rem; margin: 0; }
dt { font-weight: 600; } dd { margin: 0; color: var(--soft); }
pre { overflow-x: auto; font-size: .8rem; border: 1px solid var(--line); border-radius: 4px; padding: .75rem; }
"""


def page(manifest: dict[str, Any]) -> str:
    """The page of a manifest."""
    figures = manifest["figures"]
    by_status = {status: [f for f in figures if f["status"] == status] for status in ("drawn", "failed", "skipped")}
    title = escape(manifest["title"])
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{STYLE}{REPORT_STYLE}</style>
<h1>{title}</h1>
<p class="about">{_about(manifest, by_status)}</p>
{_told(manifest["warnings"])}{report_section(manifest["report"])}<div class="set">
{"".join(map(_figure, by_status["drawn"]))}</div>
{_failed(by_status["failed"])}{_skipped(by_status["skipped"])}<p class="options">{_versions(manifest)}</p>
</html>
"""


def _about(manifest: dict, by_status: dict[str, list]) -> str:
    counts = ", ".join(f"{len(figures)} {status}" for status, figures in by_status.items() if figures)
    x = manifest["inputs"].get("x")
    data = f" · x: {' × '.join(map(str, x['shape']))}" if x and "shape" in x else ""
    codes = manifest["inputs"].get("encoder", {}).get("posterior")
    latent = f" · latent: {codes['shape'][1]} dimensions" if codes else ""
    return f"{counts}{data}{latent} · seed {manifest['seed']} · <a href='manifest.json'>manifest.json</a>"


def _figure(record: dict) -> str:
    name = escape(record["plot"])
    shown = next((file for ending in (".png", ".svg") for file in record["files"] if file.endswith(ending)), None)
    image = f'<img src="{escape(shown)}" alt="{_caption(record)}">' if shown else ""
    links = " · ".join(f'<a href="{escape(file)}">{escape(file)}</a>' for file in record["files"])
    return f"""<figure class="{escape(record["width"])}" id="{name}">{image}
<figcaption><b>{name}</b> {_caption(record)}
<div class="options">{_options(record["options"])}</div>
{_told(record["warnings"])}<div class="files">{links}</div></figcaption></figure>
"""


def _told(warnings: list[str]) -> str:
    return "".join(f'<div class="warning">{escape(warning)}</div>\n' for warning in warnings)


def _caption(record: dict) -> str:
    return escape(record["summary"].replace("`", ""))


def _options(options: dict) -> str:
    said = (f"{name} = {_plain(value)}" for name, value in options.items() if value is not None)
    return escape(", ".join(said))


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def _failed(records: list[dict]) -> str:
    if not records:
        return ""
    parts = (
        f"<p><b>{escape(r['plot'])}</b> <span class='warning'>{escape(r['reason'])}</span></p>"
        f"<details><summary>traceback</summary><pre>{escape(r['traceback'])}</pre></details>"
        for r in records
    )
    return f"<h2>Failed</h2>\n{''.join(parts)}\n"


def _skipped(records: list[dict]) -> str:
    if not records:
        return ""
    rows = "".join(f"<dt>{escape(r['plot'])}</dt><dd>{escape(r['reason'])}</dd>" for r in records)
    return f"<h2>Skipped</h2>\n<dl>{rows}</dl>\n"


def _versions(manifest: dict) -> str:
    return escape(", ".join(f"{name} {version}" for name, version in manifest["versions"].items()))
