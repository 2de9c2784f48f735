"""Reads a page as a browser would: nesting, attributes, and the text of tables."""

from html.parser import HTMLParser

VOID = ("meta", "br")


class Page(HTMLParser):
    """Collects tags, attributes and tables; fails where a tag is not closed.

    `tables` is a list of (heading before it, rows of cell texts).
    """

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.open = [], [], []
        self.tables, self.heading, self.text = [], "", ""
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)
        if tag in ("h2", "h3"):
            self.heading = ""
        if tag == "table":
            self.tables.append((self.heading, []))
        if tag == "tr":
            self.tables[-1][1].append([])
        if tag in ("td", "th"):
            self.tables[-1][1][-1].append("")

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" in self.open:
            return
        self.text += data
        if self.open and self.open[-1] in ("h2", "h3"):
            self.heading += data
        if ("td" in self.open or "th" in self.open) and "svg" not in self.open:
            parted = " " if self.open[-1] == "small" else ""
            self.tables[-1][1][-1][-1] += parted + data

    def table(self, heading, number=0):
        """Rows of the table below the given occurrence of a heading: name -> cells."""
        found = [rows for title, rows in self.tables if title == heading][number]
        head, *rows = found
        assert all(len(row) == len(head) for row in rows)
        return {row[0]: dict(zip(head[1:], row[1:], strict=True)) for row in rows}
