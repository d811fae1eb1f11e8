"""The browser, for all tests of pages."""

from tests.kindling.browser import open_page  # noqa: F401  (a fixture)
