"""By keyboard, on a phone, in the dark, for those who hear the page."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.asking import CARDS, listed, settle

HERE = Path(__file__).parent
POOR_CONTRAST = (HERE / "poor_contrast.js").read_text(encoding="utf-8")
NAMELESS = (HERE / "nameless.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_have_contrast(any_site, open_page, scheme):
    page = open_page(any_site, color_scheme=scheme)
    page.locator("#developer > summary").click()
    settle(page)
    assert page.evaluate(POOR_CONTRAST) == []
    page.locator(f"{CARDS} h3 button").first.click()
    settle(page)
    assert page.evaluate(POOR_CONTRAST) == []


@pytest.mark.parametrize("width", [360, 768])
def test_no_width_scrolls_sideways(any_site, open_page, width):
    page = open_page(any_site, width=width, height=740, has_touch=True)
    for panel in page.locator("details.panel").all():
        if panel.get_attribute("open") is None:
            panel.locator("summary").first.click()
    settle(page)
    wide = "document.documentElement.scrollWidth"
    assert page.evaluate(wide) == width
    page.get_by_text("Compare two models").click()
    settle(page)
    assert page.evaluate(wide) == width
    page.locator(f"{CARDS} h3 button").first.click()
    settle(page)
    dialog = page.locator("#item")
    assert dialog.evaluate("node => node.scrollWidth <= node.clientWidth")
    expect(
        page.locator("#item").get_by_role("button", name="Close")
    ).to_be_in_viewport()


def test_colours_follow_the_system_and_the_button(toy_site, open_page):
    page = open_page(toy_site, color_scheme="dark")
    paper = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(paper) == "rgb(14, 17, 23)"
    button = page.get_by_role("button", name="Dark colours")
    expect(button).to_have_attribute("aria-pressed", "true")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
    assert page.evaluate(paper) == "rgb(244, 245, 248)"
    page.reload()
    assert page.evaluate(paper) == "rgb(244, 245, 248)"


def test_everything_has_a_name(any_site, open_page):
    page = open_page(any_site)
    page.locator("#developer > summary").click()
    page.locator(f"{CARDS} h3 button").first.click()
    settle(page)
    assert page.evaluate(NAMELESS) == []
    for landmark in ("banner", "main", "complementary", "search"):
        expect(page.get_by_role(landmark, include_hidden=True)).to_have_count(1)


def test_changes_are_said(toy):
    title = toy.locator(f"{CARDS} h3").nth(2).inner_text()
    toy.get_by_role("button", name=f"Purchase: {title}", exact=True).first.click()
    expect(toy.locator("#said")).to_have_text(re.compile(f"{title} was added"))
    expect(toy.locator("#for-you-meta")).to_have_attribute("role", "status")


def test_the_page_works_without_a_mouse(toy):
    press = toy.keyboard.press
    press("Tab")
    expect(toy.get_by_text("Skip to the recommendations")).to_be_focused()
    press("Enter")
    press("Tab")
    expect(toy.get_by_label("How many")).to_be_focused()
    press("ArrowLeft")
    assert len(listed(toy)) == 11
    press("Tab")
    press("End")
    expect(toy.locator("output").nth(1)).to_have_text("1.00")
    press("Tab")
    press("Space")
    expect(toy.get_by_label("Only new to me")).to_be_checked()
    settle(toy)
    toy.get_by_role("combobox", name="Search items").focus()
    toy.keyboard.type("odd thing 77")
    expect(toy.locator(".option").first).to_be_visible()
    press("ArrowDown")
    expect(toy.locator(".option").first).to_have_attribute("aria-selected", "true")
    press("Enter")
    expect(toy.locator("#item-title")).to_have_text(re.compile("odd thing 77"))
    for _ in range(4):
        press("Tab")
        if toy.evaluate("document.activeElement.textContent") == "Purchase":
            break
    press("Enter")
    press("Escape")
    expect(toy.locator("#item")).to_be_hidden()
    expect(toy.locator(".event").first).to_contain_text("odd thing 77")


def test_lists_of_choices_close_by_escape_and_obey_arrows(toy):
    field = toy.get_by_role("combobox", name="Colour: find a value")
    field.focus()
    expect(toy.locator(".option:visible")).to_have_count(2)
    toy.keyboard.press("Escape")
    expect(toy.locator(".option:visible")).to_have_count(0)
    toy.keyboard.press("ArrowDown")
    expect(toy.locator(".option:visible")).to_have_count(2)
    toy.keyboard.press("ArrowUp")
    toy.keyboard.press("Enter")
    expect(toy.locator(".chip")).to_contain_text("only white")


def test_focus_is_seen(toy):
    toy.keyboard.press("Tab")
    for _ in range(12):
        toy.keyboard.press("Tab")
        outline = toy.evaluate(
            "[document.activeElement, document.activeElement.nextElementSibling]"
            ".map(node => node ? parseFloat(getComputedStyle(node).outlineWidth) : 0)"
        )
        assert max(outline) >= 2
