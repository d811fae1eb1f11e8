"""Open a page in Chromium, and record what it asks for and what its console reports."""

import os
import shutil
from dataclasses import dataclass, field

import pytest

QUIET = (  # nothing of the browser's own may ask the network, or need a screen
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
NEEDED = "a browser is needed: apt-get install chromium"


@dataclass
class Visit:
    """One page in a window of its own.

    Args:
        page: Playwright's page: `page.fill(...)`, `page.click(...)`, `page.screenshot(...)`.
        requests: every address that was asked for, the page's own first.
        errors: what the console or an exception reported.
    """

    page: object
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def overflow_px(self) -> int:
        """How far the page sticks out of its window to the right."""
        root = "document.documentElement"
        return self.page.evaluate(f"{root}.scrollWidth - {root}.clientWidth")


def find_chromium() -> str:
    """Return the browser's path; without one a test is skipped, and in CI it fails."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    if os.environ.get("CI"):
        pytest.fail(NEEDED)
    pytest.skip(NEEDED)


@pytest.fixture
def open_page():
    """Open pages by address or file: `open_page(file, width=390, is_dark=True)` gives a Visit."""
    from playwright.sync_api import sync_playwright

    path = find_chromium()
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=list(QUIET))

        def visit(address, *, width=1280, height=900, is_dark=False) -> Visit:
            scheme = "dark" if is_dark else "light"
            page = browser.new_page(
                viewport={"width": width, "height": height}, color_scheme=scheme
            )
            seen = Visit(page)
            page.on("request", lambda request: seen.requests.append(request.url))
            page.on("console", lambda m: m.type == "error" and seen.errors.append(m.text))
            page.on("pageerror", lambda error: seen.errors.append(str(error)))
            page.goto(str(address) if "://" in str(address) else address.as_uri())
            return seen

        yield visit
        browser.close()
