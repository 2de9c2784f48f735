"""Servers that are gone, slow, or alone."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.asking import CARDS, listed, settle


@pytest.fixture(autouse=True)
def mended(request):
    """Puts the proxies right again, whatever a test did to them."""
    yield
    for name in ("toy_site", "little_site"):
        if name in request.fixturenames:
            proxy = request.getfixturevalue(name).proxy
            proxy.is_cut, proxy.delay_s = False, 0.0


@pytest.fixture(params=["toy_site", "little_site"])
def site(request):
    found = request.getfixturevalue(request.param)
    yield found
    found.proxy.is_cut, found.proxy.delay_s = False, 0.0


def test_an_offline_server_is_told_and_its_return_noticed(site, open_page):
    page = open_page(site)
    shown = listed(page)
    site.proxy.is_cut = True
    page.get_by_role("button", name=re.compile("Purchase: ")).first.click()
    expect(page.get_by_role("alert").first).to_contain_text("offline")
    expect(page.locator("#connection")).to_have_attribute("data-state", "offline")
    expect(page.locator("#for-you")).to_contain_text("The model server is not reached")
    expect(page.locator("#for-you-meta")).to_contain_text("these are the last ones")
    assert page.locator(CARDS).count() == len(shown)
    expect(page.locator(".event").first).to_contain_text("just now")
    site.proxy.is_cut = False
    expect(page.locator("#connection")).to_have_attribute("data-state", "online")
    expect(page.locator("#trouble")).to_be_hidden()
    expect(page.locator("#for-you .failure")).to_have_count(0)
    expect(page.locator("#for-you-meta")).to_contain_text("at the model")


def test_a_page_opened_without_a_server_fills_itself_later(site, open_page):
    site.proxy.is_cut = True
    page = open_page(site, cards=False)
    expect(page.get_by_role("alert").first).to_contain_text("offline")
    expect(page.locator("#who")).to_contain_text("event")
    site.proxy.is_cut = False
    page.locator(CARDS).first.wait_for()


def test_answers_that_are_too_late_are_given_up_and_asked_for_again(site, open_page):
    page = open_page(site)
    site.proxy.delay_s = 4
    page.get_by_text("Only new to me").click()
    expect(page.locator("#for-you-meta")).to_have_text("The server takes its time …")
    expect(page.locator("#for-you")).to_have_attribute("aria-busy", "true")
    failure = page.locator("#for-you .failure")
    expect(failure).to_contain_text("too slow")
    expect(failure.get_by_role("button", name="Try again")).to_be_visible()
    site.proxy.delay_s = 0
    page.get_by_text("Only new to me").click()
    expect(page.locator("#for-you .failure")).to_have_count(0)


def test_an_old_answer_never_replaces_a_newer_one(toy_site, open_page):
    page = open_page(toy_site)

    def hold_up(route):
        body = route.request.post_data_json
        if body["k"] == 30:
            page.wait_for_timeout(1500)
        route.continue_()

    page.route("**/api/recommend", hold_up)
    page.get_by_label("How many").fill("30")
    page.wait_for_timeout(300)
    page.get_by_label("How many").fill("4")
    expect(page.locator(CARDS)).to_have_count(4)
    page.wait_for_timeout(2000)
    expect(page.locator(CARDS)).to_have_count(4)


def test_the_pages_own_server_may_be_gone(toy, toy_site):
    toy.route("**/api/**", lambda route: route.abort())
    toy.get_by_text("Only new to me").click()
    expect(toy.locator("#for-you")).to_contain_text("own server does not answer")
    toy.unroute("**/api/**")
    expect(toy.locator("#for-you .failure")).to_have_count(0)


def test_a_question_that_failed_alone_is_asked_again(toy):
    """The trouble was over before anybody looked how the servers are."""
    toy.route("**/api/recommend", lambda route: route.abort(), times=2)
    toy.get_by_text("Only new to me").click()
    expect(toy.locator("#for-you")).to_contain_text("own server does not answer")
    expect(toy.locator("#for-you .failure")).to_have_count(0)
    expect(toy.locator("#connection")).to_have_attribute("data-state", "online")


def test_two_versions_stand_side_by_side(toy):
    toy.get_by_text("Compare two models").click()
    expect(toy.locator(".side-list")).to_have_count(2)
    assert toy.locator(".versus-head").all_inner_texts() == ["Version 2", "Version 1"]
    expect(toy.locator("#for-you-meta")).to_have_text(
        "12 of 12 items are on both lists"
    )
    expect(toy.locator(".note").first).to_have_text("same place on both")
    assert toy.get_by_label("Compare with").inner_text() == "version 1"
    toy.get_by_text("Compare two models").click()
    settle(toy)
    expect(toy.locator(".side-list")).to_have_count(0)


def test_a_server_with_one_version_is_told(little):
    little.get_by_text("Compare two models").click()
    expect(little.locator("#rivals")).to_contain_text("serves version 1 only")
    assert len(listed(little)) == 5
