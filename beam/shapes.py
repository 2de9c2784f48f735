"""Which Beam graphs every engine computes in full, and a check that a graph is one.

Beam 2.77's DaskRunner computes the last branch only, takes every transform that it does
not know for the identity, mixes tagged outputs into the main one and drops what
`finish_bundle` yields, all without an error. So a job's graph is one line of `Create`,
`ParDo` and `GroupByKey`, on every engine: whoever leaves it learns so in the first
local test. May be loosened when apache_beam/runners/dask/transform_evaluator.py refuses
what it cannot do.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import apache_beam as beam
from apache_beam.pipeline import AppliedPTransform, PipelineVisitor
from apache_beam.runners.common import DoFnSignature

_STEPS = (beam.Create, beam.ParDo, beam.GroupByKey)


def check_linear(pipeline: beam.Pipeline) -> None:
    """Checks that a graph is `Create | ParDo or GroupByKey | ...` and nothing else.

    Raises:
        RuntimeError: names the transform that an engine would compute wrongly.
    """
    steps = _Steps()
    pipeline.visit(steps)
    output = None
    for node in steps.found:
        fault = next(_faults(node, output), None)
        if fault:
            raise RuntimeError(
                f"transform {node.full_label!r} {fault}, which an engine may compute "
                "wrongly in silence; a stage is one line of Create, ParDo and "
                "GroupByKey, so make it several stages"
            )
        output = node.outputs[None]


class _Steps(PipelineVisitor):
    """Collects the outermost transforms in the order of their application."""

    def __init__(self) -> None:
        self.found: list[AppliedPTransform] = []

    def enter_composite_transform(self, transform_node: AppliedPTransform) -> None:
        """Collects a composite step, which its parts then do not add to."""
        self.visit_transform(transform_node)

    def visit_transform(self, transform_node: AppliedPTransform) -> None:
        """Collects a step if it stands directly in the pipeline."""
        parent = transform_node.parent
        if parent is not None and parent.parent is None:
            self.found.append(transform_node)


def _faults(node: AppliedPTransform, previous: Any) -> Iterator[str]:
    """Yields what is wrong with a step that should read the previous one's output."""
    transform = node.transform
    # An exact type: engines look it up by type, so a subclass is another transform.
    if type(transform) not in _STEPS:
        yield f"is a {type(transform).__name__}"
        return
    if (type(transform) is beam.Create) != (previous is None):
        yield "is a second root" if previous is not None else "is no Create"
    elif previous is not None and list(node.main_inputs.values()) != [previous]:
        yield "is a branch: it does not read the transform before it"
    if node.side_inputs:
        yield "has side inputs"
    if type(transform) is beam.ParDo:
        yield from _dofn_faults(transform.fn)


def _dofn_faults(dofn: beam.DoFn) -> Iterator[str]:
    for name in ("finish_bundle", "process_batch"):
        if getattr(type(dofn), name) is not getattr(beam.DoFn, name):
            yield f"has a DoFn with {name}"
    signature = DoFnSignature(dofn)
    if signature.is_stateful_dofn():
        yield "has a DoFn with state or timers"
    if signature.is_splittable_dofn():
        yield "has a splittable DoFn"
