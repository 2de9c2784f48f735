"""Takes the pictures of docs/storefront.md: `make screenshots`."""

import argparse
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Page
from rich.console import Console

from serving.storefront import Models, serving_page, storefront
from tests.browser.asking import CARDS, settle
from tests.browser.chromium import launched
from tfrs_app.cli.shop import Shop
from tfrs_app.cli.stages import Stages
from tfrs_app.cli.storefront import own_server
from tfrs_app.cli.storefront_catalogue import catalogue_of
from tfrs_app.contract.loading import load_config

FOLDER = Path(__file__).parents[2] / "docs" / "images"
QUALITY = 82


def take(page: Page, url: str, file: Path) -> None:
    """Writes what the page shows of a shopper who has just taken something."""
    page.goto(url)
    page.locator(CARDS).first.wait_for()
    page.get_by_text("Only new to me").click()
    page.get_by_role("slider", name="Variety").fill("0.3")
    settle(page)
    page.locator(f"{CARDS} .actions button").nth(1).click()
    settle(page)
    page.mouse.move(0, 0)
    page.screenshot(path=file, type="jpeg", quality=QUALITY)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-c", "--config", type=Path, required=True)
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    given = parser.parse_args()
    stages = Stages(load_config(given.config, given.overrides), Console())
    FOLDER.mkdir(exist_ok=True)
    with ExitStack() as opened:
        address = opened.enter_context(own_server(stages, None))
        catalogue = catalogue_of(Shop.behind(stages), stages.config.shop)
        app = storefront(catalogue, Models(stages.config.shop, address, timeout_s=30))
        url = opened.enter_context(serving_page(app))
        browser = opened.enter_context(launched())
        for scheme, name in (("light", "storefront"), ("dark", "storefront_dark")):
            context = browser.new_context(
                viewport={"width": 1440, "height": 1000},
                color_scheme=scheme,
                reduced_motion="reduce",
            )
            file = FOLDER / f"{name}.jpg"
            take(context.new_page(), url, file)
            stages.console.print(f"picture {file}, {file.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
