"""The lists: for whom, how long, which, and what changes them."""

import re

from playwright.sync_api import expect

from tests.browser.asking import CARDS, changed, choose, listed, open_filters, settle
from tests.toy_shop import parity_of


def test_a_card_tells_all_that_the_model_says(toy):
    card = toy.locator(CARDS).first
    expect(card).to_contain_text(re.compile("(even|odd) thing"))
    expect(card).to_contain_text("Price")
    expect(card).to_contain_text("because")
    expect(card.locator(".badge")).to_have_text(
        re.compile("Taste|Again|Together|Popular|New")
    )
    for told in ("View", "Purchase", "Score"):
        expect(card.locator(".odds")).to_contain_text(told)
    expect(card.locator(".odds")).to_contain_text("%")
    expect(toy.locator("#for-you-meta")).to_contain_text("at the model")


def test_lists_have_the_length_of_the_slider(toy):
    assert len(listed(toy)) == 12
    slider = toy.get_by_label("How many")
    slider.fill("20")
    assert len(listed(toy)) == 20
    expect(toy.locator("output").first).to_have_text("20")


def test_variety_changes_the_list(toy):
    changed(toy, lambda: toy.get_by_label("Variety").fill("1"))


def test_only_new_leaves_the_history_out(toy):
    toy.get_by_role("button", name="Show all").click()
    toy.get_by_text("Only new to me").click()
    titles = set(toy.locator(".event .link").all_inner_texts())
    settle(toy)
    shown = set(toy.locator(f"{CARDS} h3").all_inner_texts())
    assert titles
    assert shown
    assert not titles & shown


def test_lists_follow_the_shopper(toy):
    before = listed(toy)
    toy.get_by_role("button", name="Next example").click()
    assert listed(toy) != before
    toy.get_by_role("button", name="Somebody new").click()
    expect(toy.locator("#who")).to_contain_text("Somebody new")
    expect(toy.locator("#history")).to_contain_text("Nothing yet")
    assert len(listed(toy)) == 12


def test_an_example_is_found_by_a_part_of_its_id(toy):
    field = toy.get_by_role("combobox", name="Find an example shopper")
    field.click()
    option = toy.locator(".option").nth(3)
    name = option.locator("span").inner_text()
    field.fill(name.rstrip("…"))
    toy.locator(".option").filter(has_text=name).first.click()
    expect(toy.locator("#who strong")).to_have_text(name)


def test_a_shopper_is_invented_by_taking_items(toy):
    toy.get_by_role("button", name="Somebody new").click()
    settle(toy)
    for number in (1, 3, 5, 7):
        choose(toy, "Search items", f"odd thing {number}")
        dialog = toy.locator("#item")
        dialog.get_by_role("button", name=f"Purchase: odd thing {number}").first.click()
        dialog.get_by_role("button", name="Close").click()
    expect(toy.locator("#who")).to_contain_text("4 just now")
    found = listed(toy)
    odd = [item for item in found if parity_of(item) == "odd"]
    assert len(odd) > len(found) / 2


def test_each_event_type_goes_into_the_history_at_once(toy):
    card = toy.locator(CARDS).last
    title = card.locator("h3").inner_text()
    for event in ("View", "Purchase"):
        count = int(toy.locator("#history-count").inner_text())
        toy.get_by_role("button", name=f"{event}: {title}", exact=True).first.click()
        newest = toy.locator(".event").first
        expect(newest).to_contain_text(title)
        expect(newest).to_contain_text(f"{event} · just now")
        expect(toy.locator("#history-count")).to_have_text(str(count + 1))
        settle(toy)
    expect(toy.locator("#basket-meta")).to_contain_text(f"you took just now: {title}")


def test_events_can_be_taken_out(toy):
    count = int(toy.locator("#history-count").inner_text())
    toy.locator(".event").first.get_by_role("button", name="out of").click()
    expect(toy.locator("#history-count")).to_have_text(str(count - 1))
    toy.get_by_role("button", name="Forget all").click()
    expect(toy.locator("#history-count")).to_have_text("0")
    assert len(listed(toy)) == 12


def test_a_profile_is_told_with_the_request(toy):
    toy.locator(".profile summary").click()
    toy.get_by_label("Team").select_option(label="not told")
    settle(toy)
    toy.locator("#developer > summary").click()
    toy.get_by_role("button", name="serving_default").first.click()
    expect(toy.locator("#request-json")).not_to_contain_text('"team"')
    toy.get_by_label("Team").select_option("t0")
    settle(toy)
    toy.get_by_role("button", name="serving_default").first.click()
    expect(toy.locator("#request-json")).to_contain_text('"team": ["t0"]')


def test_categories_are_allowed_and_blocked(toy):
    open_filters(toy)
    field = toy.get_by_role("combobox", name="Colour: find a value")
    field.fill("bl")
    toy.locator(".option").filter(has_text="black").click()
    assert {parity_of(item) for item in listed(toy)} == {"odd"}
    expect(toy.locator("#filters-count")).to_have_text("1 set")
    toy.get_by_role("button", name="Remove the filter only black").click()
    toy.locator(".segment").filter(has_text="Not").click()
    field.fill("")
    toy.locator(".option").filter(has_text="black").click()
    expect(toy.locator(".chip")).to_contain_text("not black")
    assert {parity_of(item) for item in listed(toy)} == {"even"}


def test_a_band_of_prices_bounds_the_list(toy):
    open_filters(toy)
    toy.get_by_label("to", exact=True).fill("3")
    settle(toy)
    prices = toy.locator(f"{CARDS} .number b").all_inner_texts()
    assert prices
    assert all(float(price) <= 3 for price in prices)
    toy.get_by_label("to", exact=True).fill("0.5")
    expect(toy.locator("#for-you")).to_contain_text("No item passes")
    toy.get_by_role("button", name="Clear all filters").click()
    assert len(listed(toy)) == 12


def test_a_basket_is_completed(toy):
    toy.get_by_role("button", name="Somebody new").click()
    expect(toy.locator("#basket-meta")).to_contain_text("empty")
    settle(toy)
    toy.get_by_role("button", name=re.compile("Purchase: ")).first.click()
    expect(toy.locator("#basket-meta")).to_contain_text("with what you took just now")
    settle(toy)
    assert listed(toy, "#basket") or toy.locator("#basket .empty").count()
