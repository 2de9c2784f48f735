"""Writes a snapshot in Prometheus' text format, as TF Serving does."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

from serving.server.operations.metrics.families import Family, Labels, Snapshot

CONTENT_TYPE = "text/plain"


def exposition(snapshot: Snapshot) -> str:
    """Returns the text of all families, by name; series by labels."""
    lines = itertools.chain.from_iterable(
        _family(family, snapshot[family])
        for family in sorted(snapshot, key=lambda family: family.name)
    )
    return "".join(f"{line}\n" for line in lines)


def _family(family: Family, values: dict[Labels, float | list[float]]) -> Iterator[str]:
    yield f"# TYPE {family.name} {family.kind}"
    for labels, value in sorted(values.items()):
        if isinstance(value, list):
            yield from _histogram(family, labels, value)
        else:
            yield f"{family.name}{{{_pairs(family.labels, labels)}}} {_number(value)}"


def _histogram(family: Family, labels: Labels, value: list[float]) -> Iterator[str]:
    pairs = _pairs(family.labels, labels)
    counts = list(itertools.accumulate(value[:-1]))
    limits = [*(f"{limit:g}" for limit in family.limits), "+Inf"]
    separator = "," if pairs else ""
    for limit, count in zip(limits, counts, strict=True):
        yield (
            f'{family.name}_bucket{{{pairs}{separator}le="{limit}"}} {_number(count)}'
        )
    yield f"{family.name}_sum{{{pairs}}} {_number(value[-1])}"
    yield f"{family.name}_count{{{pairs}}} {_number(counts[-1])}"


def _pairs(names: Sequence[str], values: Labels) -> str:
    return ",".join(
        f'{name}="{_escaped(value)}"' for name, value in zip(names, values, strict=True)
    )


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    if math.isfinite(value) and value == int(value):
        return str(int(value))
    return repr(float(value))
