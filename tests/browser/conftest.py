import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from playwright.sync_api import expect

from serving.server.models.model_config import Every, ModelConfig
from serving.server.options import ServerOptions
from serving.server.server import running
from serving.storefront import Models, serving_page, storefront
from tests.browser.chromium import launched
from tests.little_recommender import little_catalogue, save_little_recommender
from tests.proxy import Proxy, proxied

CHROMIUM = shutil.which("chromium")
PATIENCE_MS = 20_000
"""For what a busy machine may take."""


def pytest_collection_modifyitems(items):
    for item in items:
        if "tests/browser/" in item.nodeid:
            item.add_marker("browser")
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="no chromium on the PATH"))


@dataclass(frozen=True)
class Site:
    """A page that is served, and the way to its model server."""

    url: str
    proxy: Proxy


@pytest.fixture(scope="package")
def browser():
    """Ends with its package: while it is there, an event loop runs in this thread."""
    expect.set_options(timeout=PATIENCE_MS)
    with launched() as browser:
        yield browser


@pytest.fixture(scope="session")
def toy_site(toy_run, tmp_path_factory) -> Iterator[Site]:
    """The toy shop over gRPC, served in two versions."""
    from tfrs_app.cli.shop import Shop
    from tfrs_app.cli.storefront_catalogue import catalogue_of

    stages = toy_run.stages
    base = tmp_path_factory.mktemp("two_versions")
    for version in ("1", "2"):
        shutil.copytree(stages.model_base / "1", base / version)
    models = {"smoke": ModelConfig(base, Every())}
    with running(ServerOptions(models, grpc_port=0, rest_port=None)) as addresses:
        catalogue = catalogue_of(Shop.behind(stages), "smoke")
        with site_of(catalogue, "smoke", addresses.grpc) as site:
            yield site


@pytest.fixture(scope="session")
def little_site(tmp_path_factory) -> Iterator[Site]:
    """A model without a ranker, over REST, in one version; its texts are hostile."""
    base = tmp_path_factory.mktemp("little")
    save_little_recommender(base / "1")
    models = {"little": ModelConfig(base)}
    with (
        running(ServerOptions(models, grpc_port=0, rest_port=0)) as addresses,
        site_of(little_catalogue(), "little", addresses.rest, "http://") as site,
    ):
        yield site


@contextmanager
def site_of(catalogue, model, address, scheme=""):
    with proxied(address) as proxy:
        models = Models(model, scheme + proxy.address, timeout_s=3)
        with serving_page(storefront(catalogue, models)) as url:
            yield Site(url, proxy)


@pytest.fixture
def open_page(browser, request):
    """Opens sites; at the end of the test no page may have had an error."""
    contexts, errors = [], []

    def open_(site, *, cards=True, width=1280, height=900, **options):
        context = browser.new_context(
            viewport={"width": width, "height": height},
            reduced_motion="reduce",
            **options,
        )
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: _note(message, errors))
        page.goto(site.url)
        if cards:
            page.locator("#for-you .card[data-item]").first.wait_for()
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not errors


def _note(message, errors):
    # A refused request is told on the console too; pages have to live with those.
    if message.type == "error" and "Failed to load resource" not in message.text:
        errors.append(message.text)


@pytest.fixture(params=["toy_site", "little_site"])
def any_site(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def toy(toy_site, open_page):
    """The toy shop's page, opened for its first example shopper."""
    return open_page(toy_site)


@pytest.fixture
def little(little_site, open_page):
    return open_page(little_site)
