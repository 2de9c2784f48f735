"""An item on its own, why it is where it is, and the search for it."""

import re

from playwright.sync_api import expect

from tests.browser.asking import CARDS, choose, listed, settle


def test_an_item_opens_with_its_facts_and_what_is_like_it(toy):
    title = toy.locator(f"{CARDS} h3 button").first
    name = title.inner_text()
    title.click()
    dialog = toy.get_by_role("dialog", name=name)
    expect(dialog).to_contain_text("Colour")
    expect(dialog).to_contain_text("Price")
    expect(dialog.locator(".line")).to_have_count(8)
    expect(dialog.locator(".line").first).to_contain_text("cosine")
    dialog.locator(".line .link").first.click()
    expect(toy.locator("#item-title")).not_to_have_text(name)
    toy.keyboard.press("Escape")
    expect(toy.locator("#item")).to_be_hidden()


def test_a_press_is_finished_on_what_was_pressed(toy):
    settle(toy)
    toy.locator(f"{CARDS} h3 button").first.hover()
    toy.mouse.down()
    with toy.expect_response(re.compile("/api/recommend")):
        toy.get_by_label("from", exact=True).first.fill("1")
    toy.wait_for_timeout(200)
    toy.mouse.up()
    expect(toy.locator("#item-title")).to_be_visible()
    settle(toy)


def test_a_listed_item_is_explained(toy):
    toy.locator(f"{CARDS} h3 button").nth(1).click()
    toy.get_by_role("button", name=re.compile("Why is it")).click()
    fate = toy.locator("#item .fate")
    expect(fate).to_have_attribute("data-fate", "listed")
    expect(toy.locator("#item .explanation")).to_contain_text("2 of 12")


def test_a_missing_item_is_explained_and_follows_the_session(toy):
    choose(toy, "Item that you miss", "odd thing 999")
    why = toy.locator("#why-answer")
    expect(why.locator(".fate")).to_have_attribute("data-fate", "not_proposed")
    expect(why).to_contain_text("rank by the towers")
    toy.get_by_label("from", exact=True).fill("19.5")
    toy.get_by_label("to", exact=True).fill("20")
    choose(toy, "Item that you miss", "odd thing 3")
    expect(why.locator(".fate")).to_have_attribute("data-fate", "filtered")


def test_effects_of_the_history_are_told(toy):
    item = toy.locator(f"{CARDS} h3").first.inner_text()
    choose(toy, "Item that you miss", item)
    effects = toy.locator("#why-answer .effects li")
    expect(effects.first).to_contain_text(re.compile("[+\N{MINUS SIGN}][0-9]"))


def test_without_texts_the_search_finds_words_and_says_so(toy):
    field = toy.get_by_role("combobox", name="Search items")
    expect(field).to_have_attribute("placeholder", re.compile("words"))
    field.fill("even thing 11")
    field.press("Enter")
    expect(toy.locator("#found-meta")).to_contain_text("no text section")
    assert "i11" not in listed(toy, "#found-list")
    assert "i110" in listed(toy, "#found-list")
    toy.get_by_role("button", name="Close the search").click()
    expect(toy.locator("#found")).to_be_hidden()


def test_a_model_with_texts_is_searched_by_its_signature(little):
    field = little.get_by_role("combobox", name="Search items")
    expect(field).to_have_attribute("placeholder", "Say what you look for")
    field.fill("lamp")
    field.press("Enter")
    expect(little.locator("#found-meta")).to_contain_text("by meaning")
    assert listed(little, "#found-list") == ["a", "b"]
    expect(little.locator("#found-list")).to_contain_text("Words")


def test_what_a_model_lacks_is_hidden_or_explained(little):
    expect(little.locator("#basket-section")).to_be_hidden()
    expect(little.get_by_label("Variety")).to_be_hidden()
    expect(little.locator("#why-note")).to_contain_text("no ranker")
    expect(little.get_by_role("combobox", name="Item that you miss")).to_be_hidden()
    expect(little.locator("#for-you-meta")).to_contain_text("no ranker")
    expect(little.get_by_role("combobox", name="Kind: find a value")).to_be_visible()
    expect(little.get_by_text("Height", exact=True).first).to_be_visible()
    expect(little.locator("#filters")).not_to_contain_text("Height")
    little.locator(f"{CARDS} h3 button").first.click()
    expect(little.locator("#item")).not_to_contain_text("Similar items")


def test_every_event_type_of_the_shop_has_a_button(little):
    settle(little)
    names = little.locator(f"{CARDS} .actions").first.get_by_role("button")
    assert names.all_inner_texts() == ["View", "Cart", "Purchase"]


def test_texts_are_never_markup(little):
    bad = little.locator(f"{CARDS}[data-item=c]")
    expect(bad).to_contain_text('<img src=x onerror="window.broken=1"> & <b>bold</b>')
    expect(bad).to_contain_text("<i>odd</i>")
    bad.get_by_role("button", name=re.compile("^Purchase")).click()
    expect(little.locator(".event").first).to_contain_text("<img src=x")
    bad.locator("h3 button").click()
    expect(little.locator("#item-title")).to_contain_text("<b>bold</b>")
    little.keyboard.press("Escape")
    little.get_by_role("combobox", name="Search items").fill("img")
    expect(little.locator(".option").first).to_contain_text("<img src=x")
    assert little.locator("main img, aside img, dialog img, main i").count() == 0
    assert little.evaluate("window.broken") is None
