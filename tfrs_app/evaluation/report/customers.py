"""The examples as cards: history, both lists and what was then bought."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from tfrs_app.evaluation.report.examples import LISTED, Customer, Entry, Event, Examples
from tfrs_app.evaluation.report.words import percentage, spoken, title_of

_HIT = ' <span class="tag">✓ bought</span>'
_LISTED = ' <span class="tag">✓ listed</span>'


def customers(examples: Examples) -> str:
    """Returns the section of the examples."""
    cards = "".join(
        _card(examples, customer, number)
        for number, customer in enumerate(examples.customers, start=1)
    )
    return (
        f'<h2 id="examples">Examples</h2><p class="dim">{rule(examples)}</p>'
        '<p class="dim">Different items may have the same text: only the very item '
        f"that was bought counts as a hit. User ids are left out.</p>{cards}"
    )


def rule(examples: Examples) -> str:
    """Returns in words how the customers were chosen, as HTML."""
    count, model = len(examples.customers), spoken(examples.models[0])
    happened = (
        "the last of them was drawn so"
        if examples.replaced
        else "this was not necessary"
    )
    return (
        f"{count} of the {examples.users:,} customers who were asked about "
        f"“{title_of(examples.target)}”, drawn at random (seed {examples.seed}). If "
        f"{model} had hit with none of them, or with all, the last would give place to "
        f"the next drawn with the other fate: {happened}. Of all customers asked, "
        f"{percentage(examples.hit_share)} have a hit among {model}'s first {LISTED}."
    )


def _card(examples: Examples, customer: Customer, number: int) -> str:
    hits = [sum(entry.hit for entry in entries) for entries in customer.lists]
    told = ", ".join(
        f"{spoken(model)} {count} of {len(entries)}"
        for model, count, entries in zip(
            examples.models, hits, customer.lists, strict=True
        )
    )
    earlier = "".join(
        _event(event, examples.several_types) for event in customer.history
    )
    lists = "".join(
        _list(model, entries, kind)
        for model, entries, kind in zip(
            examples.models, customer.lists, ("m0", "rival"), strict=False
        )
    )
    return (
        f'<article class="card customer"><h4>Customer {number}</h4><small>'
        f"{customer.events:,} earlier events · then bought {customer.bought:,} · hits: "
        f'{told}</small><div class="lists"><div><h5>History, latest first</h5><ul>'
        f"{earlier}</ul></div>{lists}{_then(customer)}</div></article>"
    )


def _event(event: Event, with_type: bool) -> str:
    kind = f" <small>{spoken(event.event_type)}</small>" if with_type else ""
    date = escape(event.date)
    return (
        f'<li><time datetime="{date}">{date}</time><bdi>{escape(event.text)}</bdi>'
        f"{kind}</li>"
    )


def _list(model: str, entries: Sequence[Entry], kind: str) -> str:
    items = "".join(
        f'<li{_marked(entry)}><span class="rank">{rank}</span>'
        f"<bdi>{escape(entry.text)}</bdi>{_HIT if entry.hit else ''}</li>"
        for rank, entry in enumerate(entries, start=1)
    )
    return (
        f'<div><h5><span class="name {kind}">{spoken(model)}</span></h5>'
        f"<ol>{items}</ol></div>"
    )


def _then(customer: Customer) -> str:
    items = "".join(
        f"<li{_marked(entry)}><bdi>{escape(entry.text)}</bdi>"
        f"{_LISTED if entry.hit else ''}</li>"
        for entry in customer.then
    )
    rest = customer.bought - len(customer.then)
    more = f'<li class="dim">and {rest:,} more</li>' if rest else ""
    return f"<div><h5>Then bought</h5><ul>{items}{more}</ul></div>"


def _marked(entry: Entry) -> str:
    return ' class="hit"' if entry.hit else ""
