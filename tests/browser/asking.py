"""What the tests read off a page."""

from playwright.sync_api import Page, expect

CARDS = "#for-you .card[data-item]"


def listed(page: Page, within: str = "#for-you") -> list[str]:
    """The ids of the items shown, the best first, once no answer is awaited."""
    settle(page)
    return page.locator(f"{within} [data-item]").evaluate_all(
        "nodes => nodes.map(node => node.dataset.item)"
    )


def settle(page: Page) -> None:
    """Waits until every change has been asked for and answered."""
    page.wait_for_timeout(100)  # some changes need an answer of the page's server first
    expect(page.locator("main [aria-busy=true]")).to_have_count(0)


def changed(page: Page, act, within: str = "#for-you") -> list[str]:
    """What is listed after an action, which has to change it."""
    before = listed(page, within)
    act()
    after = listed(page, within)
    assert after != before
    return after


def open_filters(page: Page) -> None:
    """Opens the filters where the page is too narrow to show them at once."""
    if page.locator("#filters-panel").get_attribute("open") is None:
        page.locator("#filters-panel > summary").click()


def choose(page: Page, field: str, text: str) -> None:
    """Types a text into a field and takes the choice that is called so."""
    page.get_by_role("combobox", name=field).fill(text)
    page.locator(f'.option:has(span:text-is("{text}"))').click()
