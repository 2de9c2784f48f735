"""Writes reports/data.html: one file, no external resources, every value escaped."""

from __future__ import annotations

from html import escape
from pathlib import Path

from tfrs_app.contract.artifacts import write_atomically
from tfrs_app.contract.dataset import EVERY_SPAN
from tfrs_app.contract.quality import (
    ColumnQuality,
    Histogram,
    Tokens,
    share,
)
from tfrs_app.data.drift import CHANGED, STABLE
from tfrs_app.data.gates import written
from tfrs_app.data.html import document, section, table
from tfrs_app.data.quality_bars import bars, number_bars, token_bars
from tfrs_app.data.validation import (
    MANY_NULLS,
    MANY_OOV,
    Validation,
    by_oddness,
    percent,
    suspicions,
)

DATA_PAGE = "data.html"
_STYLE = """
svg{display:block;width:100%;height:3rem;margin:.5rem 0 .3rem;fill:var(--bar)}
"""
_NAMED_TOKENS = 5
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def write_page(path: Path, found: Validation) -> None:
    """Writes the page atomically."""
    write_atomically(path, page(found).encode())


def page(found: Validation) -> str:
    """Returns the page of a dataset."""
    body = (
        f"{_head(found)}{_gates(found)}{_features(found)}{_drift(found)}"
        f"{_time(found)}{_labels(found)}{_spread(found)}{_balance(found)}"
    )
    return document(f"{found.shop}: data {found.identity}", body, _STYLE)


def _head(found: Validation) -> str:
    odd = [f"<li>{escape(text)}</li>" for text in suspicions(found)]
    listed = f"<ul>{''.join(odd)}</ul>" if odd else '<p class="good">Nothing.</p>'
    time = found.quality.time
    return (
        f"<h1>{escape(found.shop)}</h1>"
        f'<p class="dim">Dataset {escape(found.identity)}, '
        f"{found.quality.rows['events']:,} events from {_minute(time.first)} to "
        f"{_minute(time.last)} UTC</p>"
        f'<h2>What stands out</h2><div class="wide">{listed}</div>'
    )


def _gates(found: Validation) -> str:
    if not found.verdicts:
        return ""
    rows = [
        (
            escape(verdict.key.removeprefix("data.gates.")),
            written(verdict.value),
            written(verdict.limit),
            '<span class="good">kept</span>'
            if verdict.kept
            else '<span class="bad">not kept</span>',
        )
        for verdict in found.verdicts
    ]
    return section("Gates", table(("gate", "value", "limit", ""), rows))


def _features(found: Validation) -> str:
    """Returns a card a feature, the one that most likely has a fault first."""
    columns = found.columns
    cards = "".join(_card(found, name, columns[name]) for name in by_oddness(found))
    return f'<h2>Features</h2><div class="cards">{cards}</div>' if cards else ""


def _card(found: Validation, name: str, column: ColumnQuality) -> str:
    drift, total, judged = found.drift_of(name), column.total, column.judged
    facts = [_fact("no value", percent(total.null_rate), total.null_rate >= MANY_NULLS)]
    if column.has_vocabulary:
        where = "unknown in test" if column.table == "events" else "unknown"
        odd = judged.oov_rate >= MANY_OOV
        facts.append(_fact(where, percent(judged.oov_rate), odd))
    if drift is not None:
        facts.append(_fact("drift", f"{drift:.2f}", drift >= STABLE))
    source = ", ".join(column.columns)
    return (
        f'<div class="card"><h3>{escape(name)}</h3><small>{escape(column.table)} · '
        f"{escape(column.kind)} · {escape(source)}</small>"
        f"{_drawn(column)}<p>{' · '.join(facts)}</p></div>"
    )


def _drawn(column: ColumnQuality) -> str:
    counts = column.distribution
    if isinstance(counts, Tokens) and (counts.listed or counts.other):
        return token_bars(counts) + f"<small>{_named(counts)}</small>"
    if isinstance(counts, Histogram) and counts.count:
        ends = f"{counts.low[0]:.4g} to {counts.high[-1]:.4g}"
        return number_bars(counts) + f"<small>{ends}</small>"
    return ""


def _named(tokens: Tokens) -> str:
    rows = sum(tokens.listed.values()) + tokens.other
    named = list(tokens.listed.items())[:_NAMED_TOKENS]
    rest = rows - sum(count for _, count in named)
    shown = [*named, *([("others", rest)] if rest else [])]
    return escape(", ".join(f"{name} {percent(n / rows)}" for name, n in shown))


def _minute(moment: str) -> str:
    return escape(moment[:16].replace("T", " "))


def _fact(label: str, value: str, odd: bool) -> str:
    text = f"{escape(label)} {escape(value)}"
    return f'<span class="bad">{text}</span>' if odd else text


def _drift(found: Validation) -> str:
    if found.previous is None:
        none = "<p>There is no earlier dataset of these features to compare with.</p>"
        return section("Drift", none)
    rows = [
        (escape(part.name), _fact("", f"{part.psi:.3f}", part.psi >= STABLE))
        for part in found.drift
    ]
    note = (
        f'<p class="dim">Population stability index against dataset '
        f"{escape(found.previous)}: below {STABLE} stable, above {CHANGED} changed.</p>"
    )
    return section("Drift", note + table(("what", "PSI"), rows))


def _time(found: Validation) -> str:
    time = found.quality.time
    hours = time.hours_of_week
    titles = [
        f"{_WEEKDAYS[hour // 24]} {hour % 24}:00 UTC: {count:,}"
        for hour, count in enumerate(hours)
    ]
    days = ", ".join(f"{name} {n:,.0f}" for name, n in time.events_a_day.items())
    facts = (
        f"<p>{time.days:,} days, {time.days_without_events:,} without events; events a "
        f"day: {days}</p>"
    )
    week = "<small>Hours of the week, Monday to Sunday, UTC</small>"
    return section("Time", facts + bars(hours, titles) + week)


def _labels(found: Validation) -> str:
    rows = [
        (escape(name), *(f"{spans[span]:,}" for span in EVERY_SPAN))
        for name, spans in found.quality.labels.items()
    ]
    users = found.quality.users
    rows.append(("users", *(f"{users.spans[span]:,}" for span in EVERY_SPAN)))
    return section("Events by type and span", table(("", *EVERY_SPAN), rows))


def _spread(found: Validation) -> str:
    items, users = found.quality.items, found.quality.users
    events = found.quality.rows["events"]
    tests = users.spans["test"]
    quantiles = users.quantiles.items()
    shares = ", ".join(f"{float(q):.0%}: {n:,}" for q, n in quantiles)
    facts = (
        f"{items.orphans:,} of {items.catalogue:,} items "
        f"({percent(share(items.orphans, items.catalogue))}) have no event",
        f"the most frequent {items.top_items:,} items have "
        f"{percent(share(items.top_events, events))} of the events",
        f"{percent(items.spans['test'].oov_rate)} of the test span's events are of "
        "items outside the vocabulary",
        f"{users.new_in_test:,} of the test span's {tests:,} users "
        f"({percent(share(users.new_in_test, tests))}) are new",
        f"events a user, by share of users: {shares}",
    )
    listed = "".join(f"<li>{escape(fact)}</li>" for fact in facts)
    return section("Items and users", f"<ul>{listed}</ul>")


def _balance(found: Validation) -> str:
    fates = ("rows_in", "rows_out", "filtered", "rejected", "duplicates", "returned")
    rows = [
        (escape(name), *(f"{counts[fate]:,}" for fate in fates))
        for name, counts in found.counts.items()
    ]
    return section("Rows", table(("", *(f.replace("_", " ") for f in fates)), rows))
