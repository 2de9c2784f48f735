"""The page's API in front of a real server, of a model whose answers are known."""

import socket
from contextlib import contextmanager

import httpx
import pytest

from serving.server.server import running
from serving.storefront import Models, listening, serving_page, storefront
from serving.storefront.answers import MOST_BYTES
from tests.integration.serving.clients import options_of
from tests.little_recommender import (
    MOMENT,
    little_catalogue,
    save_little_recommender,
)

EVENT = {"item_id": "d", "event_type": "cart", "timestamp": 5}


@pytest.fixture(scope="module")
def addresses(tmp_path_factory):
    base = tmp_path_factory.mktemp("little")
    save_little_recommender(base / "1")
    with running(options_of({"little": base})) as found:
        yield found


@contextmanager
def page_of(first, second=None, **options):
    app = storefront(little_catalogue(), Models("little", first, second, **options))
    with serving_page(app) as url, httpx.Client(base_url=url, timeout=30) as client:
        yield client


@pytest.fixture(scope="module", params=["grpc", "rest"])
def page(request, addresses):
    with page_of(getattr(addresses, request.param)) as client:
        yield client


def asked(page, name, status=200, **body):
    answer = page.post(f"/api/{name}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def ids(answer):
    return [item["item_id"] for item in answer["items"]]


def test_lists_are_the_models(page):
    assert ids(asked(page, "recommend", k=5)) == ["a", "b", "c", "d", "e"]
    answer = asked(page, "recommend", k=2, visitor={"events": [EVENT]})
    assert ids(answer) == ["d", "a"]
    assert answer["items"][0]["title"] == "green chair"
    assert answer["items"][0]["score"] == 12.0
    assert answer["items"][0]["reason"] is None


def test_new_only_and_filters_go_with_the_request(page):
    body = {"visitor": {"events": [EVENT]}, "k": 5}
    assert ids(asked(page, "recommend", new_only=True, **body)) == ["a", "b", "c", "e"]
    only = {"allow_kind": ["seat"]}
    assert ids(asked(page, "recommend", filters=only, **body)) == ["d", "e"]


def test_the_search_is_the_models(page):
    answer = asked(page, "search", text="lamp", k=5)
    assert ids(answer) == ["a", "b"]
    assert answer["items"][0]["relevance"] == 0.5


def test_the_call_is_told_as_rest_has_it(page):
    (call,) = asked(page, "recommend", k=1, visitor={"events": [EVENT]})["calls"]
    assert call["request"] == {
        "signature_name": "serving_default",
        "inputs": {
            "history_item_id": [["d"]],
            "history_event_type": [["cart"]],
            "history_timestamp": [[5]],
            "k": 1,
        },
    }
    assert call["response"] == {"outputs": {"item_id": [["d"]], "score": [[12.0]]}}
    assert call["ms"] > 0


def test_stages_are_those_of_the_model(page):
    stages = asked(page, "stages")["stages"]
    assert [stage["signature"] for stage in stages] == ["retrieve", "serving_default"]
    for stage in stages:
        assert stage["runs"] == 5
        assert 0 < stage["least_ms"] <= stage["median_ms"] <= stage["most_ms"]


def test_the_state_tells_what_can_be_asked(page):
    state = page.get("/api/state").json()
    (server,) = state["servers"]
    assert server["online"]
    assert server["versions"] == [1]
    assert server["searches"]
    assert not server["ranks"]
    assert server["filters"] == ["allow_kind"]


@pytest.mark.parametrize(
    ("name", "body", "status", "kind"),
    [
        ("explain", {"item_ids": ["a"]}, 400, "InvalidRequest"),
        ("basket", {"item_ids": ["a"]}, 400, "InvalidRequest"),
        ("recommend", {"filters": {"max_x": 3}}, 400, "InvalidRequest"),
        ("recommend", {"filters": {"sort": ["x"]}}, 400, "InvalidRequest"),
        ("recommend", {"model": {"version": 9}}, 404, "ModelNotFound"),
        ("recommend", {"model": {"server": "second"}}, 404, "ModelNotFound"),
        ("recommend", {"k": "many"}, 400, "BadBody"),
    ],
)
def test_what_cannot_be_answered_is_told_by_its_kind(page, name, body, status, kind):
    error = asked(page, name, status, **body)["error"]
    assert error["kind"] == kind
    assert "\n" not in error["says"]


def test_bodies_are_json_of_a_bounded_size(page):
    headers = {"content-type": "application/json"}
    for content, sent in [
        (b"{", headers),
        (b"{}", {"content-type": "text/plain"}),
        (b" " * (MOST_BYTES + 1), headers),
    ]:
        answer = page.post("/api/recommend", content=content, headers=sent)
        assert answer.status_code == 400
        assert answer.json()["error"]["kind"] == "BadBody"


def test_versions_and_servers_are_chosen(addresses):
    with page_of(addresses.grpc, addresses.rest, compared=1) as page:
        second = asked(page, "recommend", k=1, model={"server": "second"})
        assert ids(second) == ids(asked(page, "recommend", k=1, model={"version": 1}))
        state = page.get("/api/state").json()
        assert [server["name"] for server in state["servers"]] == ["first", "second"]
        assert state["compared"] == 1


def test_a_server_that_is_gone_is_told():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with page_of(f"http://127.0.0.1:{port}") as page:
        error = asked(page, "recommend", 503)["error"]
        assert error["kind"] == "Unavailable"
        (server,) = page.get("/api/state").json()["servers"]
        assert not server["online"]
        assert page.get("/api/items?words=lamp").json()["items"]


def test_a_server_that_keeps_silent_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with page_of(address, timeout_s=0.3) as page:
            assert asked(page, "recommend", 504)["error"]["kind"] == "DeadlineExceeded"


def test_the_catalogue_is_told(page):
    shop = page.get("/api/shop").json()
    assert (shop["items"], shop["examples"], shop["moment"]) == (4, 2, MOMENT)
    assert shop["event_types"] == ["view", "cart", "purchase"]
    assert shop["facets"] == [
        {"name": "kind", "kind": "category", "count": 3},
        {"name": "height", "kind": "number", "range": [1.5, 90.0]},
    ]
    items = page.get("/api/items?words=lamp").json()["items"]
    assert [item["item_id"] for item in items] == ["b", "a"]
    values = page.get("/api/values/kind?words=se").json()
    assert values == {"values": [{"value": "seat", "items": 2}], "of": 3}
    assert page.get("/api/values/height").status_code == 404
    shoppers = page.get("/api/shoppers?words=AN").json()["shoppers"]
    assert shoppers == [{"shopper_id": "ann", "events": 1, "features": {}}]
    ann = page.get("/api/shoppers/ann").json()
    assert ann["events"][0]["title"] == "green chair"
    assert page.get("/api/shoppers/nobody").status_code == 404


@pytest.mark.parametrize("host", ["127.0.0.1:8600", "localhost", "[::1]:80"])
def test_this_machine_is_answered(page, host):
    assert page.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "127.0.0.1@evil:80", "10.0.0.1", ""],
)
def test_other_names_are_refused(page, host):
    for path in ("/", "/api/shop", "/static/js/main.js"):
        assert page.get(path, headers={"host": host}).status_code == 421


def test_other_sites_are_refused(page):
    for site, status in [("cross-site", 403), ("same-origin", 200), ("none", 200)]:
        answer = page.get("/api/shop", headers={"sec-fetch-site": site})
        assert answer.status_code == status


def test_browsers_are_kept_to_the_page(page):
    for path in ("/", "/api/shop", "/static/js/main.js", "/nothing"):
        headers = page.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'self';")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
    assert page.get("/static/../app.py").status_code == 404


def test_the_page_listens_on_the_loopback_alone():
    with listening(0) as opened:
        assert opened.getsockname()[0] == "127.0.0.1"
        with pytest.raises(OSError), listening(opened.getsockname()[1]):  # noqa: PT011
            pass
