"""The libraries of the published image answer as this TensorFlow does.

Beside these, tests/integration/export/test_texts.py asks a model that searches texts.
"""

import pytest
from tensorflow.core.framework import op_def_pb2
from tensorflow.core.protobuf import saved_model_pb2

from tests.runtime.gate import TOLERANCE, compared, published_ops
from tests.runtime.mark import needs_libraries

pytestmark = [pytest.mark.runtime, pytest.mark.slow, needs_libraries]

USERS = 40
FUNNEL = {"recommend", "rank", "complete_basket", "explain", "serving_default"}
TOWERS = {"retrieve", "embed_query", "similar_items"}


def test_every_signature_answers_alike(ranked, toy_encoded):
    ops = ("scann",) if ranked.index == "scann" else ()
    found = compared(ranked.folder, toy_encoded.dataset, USERS, ops)
    assert found.keys() >= FUNNEL | TOWERS
    for name, agreement in found.items():
        assert agreement.rows == USERS, name
        assert agreement.same == USERS, name
        assert agreement.difference < TOLERANCE, name


def test_the_exact_index_needs_core_ops_only(ranked):
    known = {op.name for op in op_def_pb2.OpList.FromString(published_ops()).op}
    unknown = ops_of(ranked.folder) - known
    if ranked.index == "exact":
        assert not unknown
    else:
        assert unknown == {"Scann>ScannSearchBatched", "Scann>TensorsToScann"}


def saved_model_of(folder):
    data = (folder / "saved_model.pb").read_bytes()
    return saved_model_pb2.SavedModel.FromString(data)


def ops_of(folder):
    """All ops that the graph and its functions name, the functions aside."""
    (meta_graph,) = saved_model_of(folder).meta_graphs
    library = meta_graph.graph_def.library.function
    named = {node.op for node in meta_graph.graph_def.node}
    named |= {node.op for function in library for node in function.node_def}
    return named - {function.signature.name for function in library}
