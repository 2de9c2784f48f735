"""The documents say what the code does."""

import re
import subprocess
from pathlib import Path
from typing import get_args

import pytest
import yaml
from pydantic import BaseModel

from tests.program import tfrs_app
from tfrs_app.contract.config import ShopConfig
from tfrs_app.contract.features import Feature

ROOT = Path(__file__).parents[2]
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
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


@pytest.mark.parametrize("link", re.findall(r"\]\((docs/[^)]+)\)", README))
def test_every_linked_page_exists(link):
    assert (ROOT / link).is_file()
