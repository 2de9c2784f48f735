"""The developers' part: what was sent, what came, how long it took."""

import json
import re
from urllib.request import Request, urlopen

from playwright.sync_api import expect

from tests.browser.asking import settle


def test_the_request_shown_gives_the_response_shown(little, little_site):
    little.locator("#developer > summary").click()
    request = little.locator("#request-json").inner_text()
    response = json.loads(little.locator("#response-json").inner_text())
    assert json.loads(request)["inputs"]["history_item_id"] == [["d"]]
    place = f"http://{little_site.proxy.address}/v1/models/little:predict"
    answer = json.load(urlopen(Request(place, data=request.encode())))
    assert answer == response
    expect(little.locator(".exchange")).to_contain_text("over REST")


def test_calls_are_kept_and_can_be_looked_at(toy):
    settle(toy)
    toy.locator("#developer > summary").click()
    toy.get_by_label("How many").fill("7")
    settle(toy)
    assert toy.locator(".call").count() >= 3
    toy.get_by_role("button", name="complete_basket").first.click()
    expect(toy.locator("#request-json")).to_contain_text("basket_item_id")
    expect(toy.locator(".exchange")).to_contain_text(re.compile(r"\d ms from the page"))
    expect(toy.locator(".exchange")).to_contain_text("over gRPC")


def test_stages_are_measured_one_by_one(toy):
    toy.locator("#developer > summary").click()
    expect(toy.locator("#developer")).to_contain_text("do not add up to the whole")
    toy.get_by_role("button", name="Measure each stage").click()
    rows = toy.locator("#stages tbody tr")
    expect(rows).to_have_count(4)
    named = rows.evaluate_all("rows => rows.map(row => row.dataset.stage)")
    assert named == ["embed_query", "retrieve", "rank", "serving_default"]
    expect(rows.first).to_contain_text("ms")


def test_a_request_is_copied_as_a_command(little, little_site):
    little.context.grant_permissions(["clipboard-read", "clipboard-write"])
    little.locator("#developer > summary").click()
    little.get_by_role("button", name="Copy as curl").click()
    expect(little.locator("#said")).to_have_text("The command is copied.")
    copied = little.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("curl -s -d '{")
    assert copied.endswith("/v1/models/little:predict")
