"""Shared by the tests of figure sets."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest


class Page(HTMLParser):
    """The tags of a page with their attributes, and its texts with the tag that each is in."""

    def __init__(self, text):
        super().__init__()
        self.tags, self._texts, self._open = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self._open = tag

    def handle_endtag(self, tag):
        self._open = ""

    def handle_data(self, data):
        self._texts.append((self._open, data))

    @property
    def texts(self):
        return [text for _, text in self._texts]

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]

    def values(self, tag, attribute):
        return [attributes[attribute] for attributes in self.all(tag)]

    def texts_in(self, tag):
        return [text.strip() for name, text in self._texts if name == tag]


@pytest.fixture(scope="session")
def read_page():
    """Read ``index.html`` of a folder."""
    return lambda folder: Page((folder / "index.html").read_text(encoding="utf-8"))
