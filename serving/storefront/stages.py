"""How long each stage of a recommendation takes, each asked alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from serving.client.async_recommender import AsyncRecommender
from serving.client.listing import filter_inputs, length_input
from serving.client.shopper import exclude_inputs, query_inputs
from serving.storefront.bodies import ForVisitor
from serving.storefront.models import hearing

RUNS = 5
CANDIDATES = 100
_MAIN = "serving_default"


async def stages(client: AsyncRecommender, asked: ForVisitor) -> list[dict[str, Any]]:
    """Returns what was measured of each signature that the model has.

    Each is asked once unmeasured and then `RUNS` times, one after the other.

    Raises:
        ClientError: a call was not answered.
    """
    signatures = await client.signatures()
    shopper = asked.visitor.shopper(new_only=asked.new_only)
    query = query_inputs([shopper])
    listing = {**query, **exclude_inputs([shopper]), **filter_inputs(asked.filters)}
    measured = []
    if "embed_query" in signatures:
        measured.append(
            await _measured(client, "embed_query", query, "the shopper as a vector")
        )
    if "retrieve" in signatures:
        inputs = {**listing, "k": length_input(CANDIDATES)}
        note = f"the vector, the index, filters: {CANDIDATES} items"
        measured.append(await _measured(client, "retrieve", inputs, note))
        if "rank" in signatures:
            items = await _found(client, inputs)
            measured.append(await _ranked(client, query, items))
    inputs = {**listing, "k": length_input(asked.k)}
    if "diversity" in signatures[_MAIN].inputs:
        inputs["diversity"] = [asked.diversity]
    measured.append(await _measured(client, _MAIN, inputs, "the whole funnel"))
    return measured


async def _found(client: AsyncRecommender, inputs: Mapping[str, Any]) -> list[str]:
    outputs = await client.predict("retrieve", inputs)
    return [item for item in outputs["item_id"][0].tolist() if item]


async def _ranked(
    client: AsyncRecommender, query: Mapping[str, Any], items: Sequence[str]
) -> dict[str, Any]:
    inputs = {**query, "item_id": [list(items)]}
    note = f"the vector, the features and the ranker: {len(items)} items"
    return await _measured(client, "rank", inputs, note)


async def _measured(
    client: AsyncRecommender, signature: str, inputs: Mapping[str, Any], note: str
) -> dict[str, Any]:
    await client.predict(signature, inputs)
    with hearing() as calls:
        for _ in range(RUNS):
            await client.predict(signature, inputs)
    times_ms = [call.elapsed_s * 1000 for call in calls]
    return {
        "signature": signature,
        "note": note,
        "median_ms": round(median(times_ms), 2),
        "least_ms": round(min(times_ms), 2),
        "most_ms": round(max(times_ms), 2),
        "runs": len(times_ms),
    }
