"""What a load test found: figures as JSON, and a page for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from html import escape
from typing import Any

from serving.load.plan import Plan
from serving.load.session import Outcome
from tfrs_app.data.html import document, section, table
from tfrs_app.evaluation.report.plot import Plot, decades, linear
from tfrs_app.evaluation.report.style import STYLE

_INTERVALS = 60
"""Points of the curves at most."""
_STRONG = {"p50": "m0", "p99": "rival"}
"""Percentiles that are drawn, and their colours."""


def figures_of(
    plan: Plan, about: Mapping[str, Any], outcome: Outcome
) -> dict[str, Any]:
    """Returns all that a load test found, as JSON has it.

    Args:
        plan: what was sent.
        about: what it was sent to.
        outcome: what became of it.
    """
    record = outcome.record
    interval_s = max(1.0, plan.seconds / _INTERVALS)
    return {
        **about,
        **asdict(plan),
        **record.summary(),
        "swaps": [asdict(swap) for swap in outcome.swaps],
        "memory_mib": [list(sample) for sample in outcome.memory_mib],
        "interval_s": interval_s,
        "intervals": record.by_interval(interval_s),
    }


def rows_of(figures: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Returns what a table says of a load test, name and value."""
    requests, answered = figures["requests"], figures["answered"]
    rows = [
        ("asked for", f"{figures['rate']:g}/s for {figures['seconds']:g} s"),
        ("requests", f"{requests:,}"),
        ("answered", f"{answered:,} ({answered / requests:.3%})"),
        ("answered a second", f"{figures['answered_per_s']:,.1f}"),
    ]
    for kind, n in figures["failures"].items():
        words = figures["first_words"][kind]
        rows.append(
            (f"failed: {kind}", f"{n:,}; the first: {words}" if words else f"{n:,}")
        )
    rows += [
        (f"latency {name}", f"{value:,.2f} ms")
        for name, value in figures["latency_ms"].items()
    ]
    rows += [
        (f"left late {name}", f"{figures['late_ms'][name]:,.2f} ms")
        for name in ("p50", "p99", "max")
    ]
    if figures["swaps"]:
        rows.append(("versions published", _swaps(figures["swaps"])))
    if figures["memory_mib"]:
        sizes = [size for _, size in figures["memory_mib"]]
        rows.append(
            ("server's memory", f"{sizes[0]:,.0f} MiB, {sizes[-1]:,.0f} at the end, "
             f"{max(sizes):,.0f} at most")
        )  # fmt: skip
    return rows


def page(figures: Mapping[str, Any]) -> str:
    """Returns a page that loads nothing from anywhere."""
    title = f"Load on {figures['model']}, {figures['signature']}"
    rows = [[escape(name), escape(value)] for name, value in rows_of(figures)]
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="dim">{escape(figures["address"])}, {escape(figures["at"])}. '
        "Latencies count from when a request was due to its last byte, read and "
        "checked.</p>",
        section("Figures", table(("", ""), rows)),
        section("Latency over time", _latency_plot(figures)),
    ]
    if figures["failures"]:
        parts.append(section("Failed requests over time", _failure_plot(figures)))
    if figures["memory_mib"]:
        parts.append(section("Memory of the server", _memory_plot(figures)))
    return document(title, "".join(parts), STYLE)


def _latency_plot(figures: Mapping[str, Any]) -> str:
    told = [i for i in figures["intervals"] if i["latency_ms"]]
    curves = {
        name: [(i["from_s"], max(i["latency_ms"][name], 1e-3)) for i in told]
        for name in _STRONG
    }
    values = [value for points in curves.values() for _, value in points]
    plot = Plot(_seconds(figures), decades("ms", values))
    shapes = [plot.line(points, _STRONG[name]) for name, points in curves.items()]
    shapes += [
        plot.label(*points[-1], name) for name, points in curves.items() if points
    ]
    shapes += [
        plot.whisker(swap["at_s"], (plot.y.ticks[0], plot.y.ticks[-1]), "other")
        for swap in figures["swaps"]
    ]
    told_of_swaps = "; upright: a version was published" if figures["swaps"] else ""
    caption = f"median and p99 of {figures['interval_s']:g} s each{told_of_swaps}"
    return _figure(plot.svg("Latency over time", shapes), caption)


def _failure_plot(figures: Mapping[str, Any]) -> str:
    points = [(i["from_s"], float(i["failed"])) for i in figures["intervals"]]
    plot = Plot(_seconds(figures), linear("requests", [0.0, *(y for _, y in points)]))
    svg = plot.svg("Failed requests over time", [plot.line(points, "rival")])
    return _figure(svg, f"in {figures['interval_s']:g} s each")


def _memory_plot(figures: Mapping[str, Any]) -> str:
    points: Sequence[tuple[float, float]] = figures["memory_mib"]
    plot = Plot(_seconds(figures), linear("MiB", [0.0, *(y for _, y in points)]))
    svg = plot.svg("Memory of the server", [plot.line(points, "m0")])
    return _figure(svg, "resident, with the processes that it started")


def _seconds(figures: Mapping[str, Any]) -> Any:
    return linear("seconds from the start", [0.0, figures["seconds"]])


def _figure(svg: str, caption: str) -> str:
    return f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>"


def _swaps(swaps: Sequence[Mapping[str, Any]]) -> str:
    taken = [s["available_after_s"] for s in swaps]
    known = [seconds for seconds in taken if seconds is not None]
    if not known:
        return f"{len(swaps)}, none was served"
    return f"{len(swaps)}, {len(known)} served, after {max(known):.1f} s at most"
