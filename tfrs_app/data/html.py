"""What the HTML reports share: one file, no external resources, light and dark."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

_STYLE = """
:root{color-scheme:light dark;--ink:#1c2430;--dim:#5b6675;--line:#d9dee5;
--page:#f6f7f9;--card:#fff;--bar:#4c78a8;--bad:#b42318;--good:#1a7f4b}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ee;--dim:#9aa5b4;--line:#2f3844;
--page:#14181e;--card:#1c222a;--bar:#7aa6d6;--bad:#ff8a7a;--good:#6fd39b}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:70rem;padding:1rem;color:var(--ink);
background:var(--page);font:15px/1.45 system-ui,sans-serif}
h1{font-size:1.4rem;margin:.2rem 0}h2{font-size:1.05rem;margin:1.8rem 0 .5rem}
p{margin:.2rem 0}ul{margin:0;padding-left:1.1rem}.dim,small{color:var(--dim)}
.bad{color:var(--bad);font-weight:600}.good{color:var(--good)}
.cards{display:grid;gap:.7rem;
grid-template-columns:repeat(auto-fill,minmax(min(100%,19rem),1fr))}
.card,.wide{background:var(--card);border:1px solid var(--line);border-radius:.5rem;
padding:.7rem .8rem;min-width:0;overflow-wrap:anywhere}.wide{overflow-x:auto}
.card h3{font-size:.95rem;margin:0}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:right;padding:.2rem .5rem;border-bottom:1px solid var(--line)}
thead th{color:var(--dim);font-weight:500}tbody th{font-weight:400}
tbody tr:last-child>*{border-bottom:0}
th:first-child,td:first-child{text-align:left;padding-left:0}
@media print{body{max-width:none;padding:0;background:none}
h2,h3{break-after:avoid}tr,.card{break-inside:avoid}.wide{overflow:visible}}
"""


def document(title: str, body: str, style: str = "") -> str:
    """Returns a whole page.

    Args:
        title: plain text.
        body: HTML.
        style: CSS beyond what all pages share.
    """
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}{style}</style></head><body>"
        f"{body}</body></html>\n"
    )


def section(title: str, content: str) -> str:
    """Returns a titled frame; both arguments are HTML already."""
    return f'<h2>{title}</h2><div class="wide">{content}</div>'


def table(
    head: Sequence[str], rows: Iterable[Sequence[str]], classes: Sequence[str] = ()
) -> str:
    """Returns a table whose first column names its rows.

    Args:
        head: HTML of the column names.
        rows: HTML of the cells.
        classes: one a row, empty for none; without it no row has one.
    """
    heads = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    lines = [_line(row) for row in rows]
    marks = [f' class="{escape(name)}"' if name else "" for name in classes]
    marks = marks or [""] * len(lines)
    body = "".join(
        f"<tr{mark}>{line}</tr>" for mark, line in zip(marks, lines, strict=True)
    )
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"


def _line(row: Sequence[str]) -> str:
    name, *cells = row
    return f'<th scope="row">{name}</th>{"".join(f"<td>{c}</td>" for c in cells)}'
