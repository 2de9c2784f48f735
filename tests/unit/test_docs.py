"""The documents say what the code does."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
import yaml
from pydantic import BaseModel

from tests.program import tfrs_app
from tfrs_app.contract.config import ShopConfig
from tfrs_app.contract.features import Feature
from tfrs_app.contract.loading import load_config

ROOT = Path(__file__).parents[2]
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def models_inside(annotation):
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from models_inside(argument)


def keys_of(model):
    for name, field in model.model_fields.items():
        yield name
        for inner in models_inside(field.annotation):
            yield from keys_of(inner)


@pytest.mark.parametrize("key", sorted({*keys_of(ShopConfig), *keys_of(Feature)}))
def test_every_key_is_documented(key):
    assert re.search(rf"`(\w+\.)*{key}`", CONFIGURATION)


def test_the_shop_of_the_readme_is_valid():
    (block,) = re.findall(r"```yaml\n(.*?)```", README, flags=re.DOTALL)
    shop = ShopConfig.model_validate(yaml.safe_load(block))
    assert shop.shop == "my_shop"


@pytest.mark.parametrize("command", sorted(set(re.findall(r"tfrs-app (\w+)", README))))
def test_every_command_of_the_readme_exists(command):
    done = tfrs_app(command, "--help")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("target", sorted(set(re.findall(r"make (\w+)", README))))
def test_every_make_target_of_the_readme_exists(target):
    done = subprocess.run(["make", "-n", target], check=False, cwd=ROOT)
    assert done.returncode == 0


LINK = re.compile(r"\]\(([^()\s]+)\)")
FENCED = re.compile(r"^ *```.*?^ *```", re.DOTALL | re.MULTILINE)
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]


def named(path):
    return path.relative_to(ROOT).as_posix()


def anchors(path):
    """The places in a page that a link may name, as MkDocs and GitHub call them."""
    found = set()
    for title in re.findall(
        r"^#+ (.*)$", FENCED.sub("", path.read_text("utf-8")), re.M
    ):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title)
        slug = re.sub(r"[^\w\- ]", "", shown).strip().lower().replace(" ", "-")
        found |= {slug, re.sub(r"-+", "-", slug)}
    return found


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_somewhere(page):
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    for link in LINK.findall(text):
        if link.startswith(("http://", "https://")):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def in_navigation(entries):
    for entry in entries:
        value = next(iter(entry.values())) if isinstance(entry, dict) else entry
        yield from in_navigation(value) if isinstance(value, list) else [value]


def test_every_page_is_in_the_navigation_once():
    site = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    listed = sorted(in_navigation(site["nav"]))
    written = {path.relative_to(ROOT / "docs") for path in PAGES[3:]}
    notebooks = {path.relative_to(ROOT / "docs") for path in ROOT.glob("docs/*.ipynb")}
    made = {path.with_suffix(".md") for path in notebooks}
    elsewhere = {"contributing.md", "reporting.md", "changelog.md"}
    pages = {path.as_posix() for path in written | made} | elsewhere
    assert listed == sorted(pages)


@pytest.mark.slow
def test_the_site_builds_without_a_warning_and_without_our_code(tmp_path):
    """The reference is read from the sources: TensorFlow is not even found."""
    for module in ("tensorflow", "apache_beam"):
        (tmp_path / f"{module}.py").write_text("raise RuntimeError('imported')")
    site = tmp_path / "site"
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(site)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    reference = (site / "reference/client/index.html").read_text(encoding="utf-8")
    assert 'href="../../client/"' in reference.partition("<article")[2]
    assert 'id="serving.client.connect.connect"' in reference
    assert 'id="serving.client.questions.Questions.recommend"' in reference
    tour = (site / "tour/index.html").read_text(encoding="utf-8")
    assert "data:image/png;base64," in tour
    assert 'href="../tour.ipynb"' in tour
    first = (site / "index.html").read_text(encoding="utf-8")
    assert '<a href="tour/">the tour</a>' in first


@pytest.mark.parametrize(
    "target", re.findall(r"^([a-z][a-z-]*):(?!=)", MAKEFILE, flags=re.MULTILINE)
)
def test_every_make_target_tells_what_it_does(target):
    assert re.search(rf"^{target}:.* ## \S", MAKEFILE, flags=re.MULTILINE)


def test_the_hooks_before_a_commit_are_those_of_make_lint():
    text = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    (repository,) = yaml.safe_load(text)["repos"]
    assert [hook["entry"] for hook in repository["hooks"]] == ["make lint"]


def test_no_benchmark_hides_a_package():
    """`python benchmarks/NAME.py` looks for modules in its own folder first."""
    packages = {"tfrs_app", "beam", "serving", "tests"}
    assert not packages & {path.stem for path in (ROOT / "benchmarks").iterdir()}


def overriding_commands():
    """Yields each shipped config and what a page, or it itself, overrides of it."""
    configs = sorted((ROOT / "configs").glob("*.yaml"))
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        for config in configs:
            for rest in re.findall(rf"-c configs/{config.name}(.*)", text):
                yield from ((config, override) for override in overrides_in(rest))
    for config in configs:
        for override in overrides_in(config.read_text(encoding="utf-8")):
            yield config, override


def overrides_in(text):
    for quoted, bare in re.findall(r"--set (?:'([^']+)'|([\w.]+=[^\s`]+))", text):
        yield (quoted or bare).replace("=...", "=elsewhere")


@pytest.mark.parametrize(
    ("config", "override"),
    sorted(set(overriding_commands())),
    ids=lambda value: getattr(value, "name", value),
)
def test_what_a_page_overrides_is_there(config, override):
    load_config(config, [override])
