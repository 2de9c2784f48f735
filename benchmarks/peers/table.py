"""The results as Markdown tables.

    python -m benchmarks.peers.table RESULTS.json [PAGE.md]

Prints them; with a page, also puts them between its two marks.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.peers.files import TARGETS
from benchmarks.peers.rivals import RIVALS

BEGIN, END = "<!-- peers: begin -->", "<!-- peers: end -->"
HEADINGS = (
    "NDCG@20",
    "95 % interval",
    "recall@20",
    "recall@100",
    "MRR",
    "against the funnel",
)
COSTS = (
    "training, CPU s (wall)",
    "peak memory, MiB",
    "one user, CPU ms (wall)",
    "32 users, CPU ms (wall)",
)
UNKNOWN = "not measured"


def main() -> None:
    """Prints the tables and puts them into a page."""
    results = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    tables = markdown(results)
    print(tables)
    if len(sys.argv) > 2:
        page = Path(sys.argv[2])
        old = page.read_text(encoding="utf-8")
        page.write_text(placed(old, tables), encoding="utf-8")


def markdown(results: dict[str, Any]) -> str:
    """Returns a table of quality for each target and one of cost.

    Rivals of whom there are no results are named.
    """
    tables = [*(quality(results, target) for target in TARGETS), cost(results)]
    there = {rival["name"] for rival in results["rivals"]}
    absent = [rival.title for rival in RIVALS if rival.name not in there]
    if absent:
        tables.append(f"No results yet: {', '.join(absent)}.")
    return "\n\n".join(tables)


def quality(results: dict[str, Any], target: str) -> str:
    """Returns the table of one target, best first."""
    rivals = sorted(
        results["rivals"], key=lambda r: -r["targets"][target]["metrics"]["ndcg@20"]
    )
    rows = []
    for rival in rivals:
        found = rival["targets"][target]
        metrics = found["metrics"]
        low, high = found["intervals"]["ndcg@20"]
        rows.append(
            [
                rival["title"],
                f"{metrics['ndcg@20']:.4f}",
                f"{low:.4f} to {high:.4f}",
                *(f"{metrics[m]:.4f}" for m in ("recall@20", "recall@100", "mrr")),
                against(found["minus_funnel"]),
            ]
        )
    return table((f"target `{target}`", *HEADINGS), rows)


def cost(results: dict[str, Any]) -> str:
    """Returns the table of time and memory, of the models of the first target."""
    rows = []
    for rival in results["rivals"]:
        found = rival["targets"][TARGETS[0]]
        requests = [found["requests"][batch] for batch in ("1", "32")]
        training = found["training"]
        rows.append(
            [
                rival["title"],
                both(training["cpu_s"], training["wall_s"]) if training else UNKNOWN,
                f"{found['peak_mib']:,.0f}" if training else UNKNOWN,
                *(both(r["cpu_ms"], r["wall_ms"]) for r in requests),
            ]
        )
    return table(("cost", *COSTS), rows)


def against(interval: list[float]) -> str:
    """Says what the paired interval of the difference in NDCG@20 comes to."""
    low, high = interval
    if low == high == 0:
        return "itself"
    if low > 0:
        return "better"
    return "worse" if high < 0 else "not distinguishable"


def both(cpu: float, wall: float) -> str:
    """Returns a CPU time and, in brackets, the wall time."""
    return f"{short(cpu)} ({short(wall)})"


def short(value: float) -> str:
    """Returns a time with two digits that count."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def table(headings: tuple[str, ...], rows: list[list[str]]) -> str:
    """Returns a Markdown table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def placed(page: str, tables: str) -> str:
    """Returns the page with the tables between its marks.

    Raises:
        ValueError: a mark is missing.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page lacks {BEGIN} or {END}")
    return f"{before}{BEGIN}\n{tables}\n{END}{after}"


if __name__ == "__main__":
    main()
