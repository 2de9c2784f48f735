"""Shows on the site what lies outside of docs/, or is no Markdown.

MkDocs calls the functions below (https://www.mkdocs.org/user-guide/configuration/#hooks).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]
PAGES = {
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "reporting.md",
    "CHANGELOG.md": "changelog.md",
}
"""Files of the repository's root -> their pages."""
NOTEBOOKS = {"tour.ipynb": "tour.md"}
"""Notebooks in docs/ -> their pages."""
OUTSIDE = re.compile(r"\[([^\]]*)\]\(\.\./([^)#]+)(#[^)]*)?\)")


def on_files(files: Files, config: Any) -> Files:
    """Adds the pages that are made of other files."""
    for origin, page in PAGES.items():
        text = (ROOT / origin).read_text(encoding="utf-8")
        # On the site a page of the root lies where docs/ does.
        content = _linked(re.sub(r"\]\((?!docs/|https?:|#)", "](../", text))
        content = content.replace("](docs/", "](")
        files.append(File.generated(config, page, content=content))
    for origin, page in NOTEBOOKS.items():
        content = as_markdown(ROOT / "docs" / origin)
        files.append(File.generated(config, page, content=content))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turns links to what has a page of its own here into links to that page."""
    name = page.file.src_uri
    if "/" in name:
        return markdown
    for notebook, made in NOTEBOOKS.items():
        if name != made:
            markdown = markdown.replace(f"]({notebook})", f"]({made})")
    return _linked(markdown)


def _linked(markdown: str) -> str:
    """Returns links to files outside of docs/ as links to pages, or plain text."""
    return OUTSIDE.sub(_inside, markdown)


def _inside(link: re.Match[str]) -> str:
    text, target, anchor = link.groups()
    page = PAGES.get(target)
    return text if page is None else f"[{text}]({page}{anchor or ''})"


def as_markdown(path: Path) -> str:
    """Returns a notebook as Markdown: its words, its code, its texts and pictures."""
    notebook = nbformat.read(path, as_version=4)
    parts = [f"*A notebook: [{path.name}]({path.name}) runs it on your machine.*"]
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            parts.append(cell.source)
        else:
            parts.append(f"```python\n{cell.source}\n```")
            parts.extend(_shown(output) for output in cell.outputs)
    title, *others = parts[1:]
    return "\n\n".join([title, parts[0], *others]) + "\n"


def _shown(output: Any) -> str:
    """Returns an output as Markdown."""
    data = output.get("data", {})
    if "image/png" in data:
        return f"![plot](data:image/png;base64,{data['image/png'].strip()})"
    text = output.get("text") or data.get("text/plain", "")
    return f"```text\n{text.rstrip()}\n```"
