"""The files that the browser gets: complete, local, and shipped."""

import re
from runpy import run_path
from unittest.mock import patch

import pytest

from serving.storefront.app import STATIC
from tests.unit.test_docs import ROOT

FILES = [file for file in STATIC.rglob("*") if file.is_file()]
SCRIPTS = [file for file in FILES if file.suffix == ".js"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_nothing_comes_from_elsewhere(file):
    text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"(src|href|url|import|from)\W{1,4}(https?:)?//", text)
    assert len(text.splitlines()) <= 300


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda file: file.name)
def test_texts_are_never_parsed_as_markup(script):
    text = script.read_text(encoding="utf-8")
    for way in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
    ):
        assert way not in text


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda file: file.name)
def test_modules_import_what_others_export(script):
    text = script.read_text(encoding="utf-8")
    for names, module in re.findall(r'import \{([^}]+)\} from "\./([^"]+)"', text):
        other = (STATIC / "js" / module).read_text(encoding="utf-8")
        for name in re.split(r",\s*", names.strip()):
            declared = rf"export (async )?(function|const|class|let) {name}\b"
            assert re.search(declared, other), (module, name)


def test_every_file_is_shipped():
    with patch("setuptools.setup") as called:
        run_path(str(ROOT / "setup.py"))
    globs = called.call_args.kwargs["package_data"]["serving.storefront"]
    shipped = {file for glob in globs for file in STATIC.parent.glob(glob)}
    assert set(FILES) <= shipped
