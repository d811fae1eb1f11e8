"""Make docs/report.png, docs/serve.png and docs/serve_phone.png anew: half a minute.

python docs/make_pictures.py

Trains on the embedded penguins, opens the report and the served page in Chromium, and takes their
pictures. Needs what `make test` installs, and Debian's browser: apt-get install chromium.
"""

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
DESKTOP = {"viewport": {"width": 1100, "height": 900}}
WIDE = {"viewport": {"width": 1280, "height": 1400}}
PHONE = {"viewport": {"width": 390, "height": 1400}, "device_scale_factor": 1.5}
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
COLOURS = 64  # of a PNG: flat colours look the same, and take half of the bytes
ROW = {  # a penguin that the network is not quite sure of
    "island": "Biscoe",
    "bill_length_mm": 46.4,
    "bill_depth_mm": 17.3,
    "flipper_length_mm": 202,
    "body_mass_g": 4500,
    "sex": "female",
    "year": 2008,
}


def main() -> None:
    """Train once, then look at what came of it."""
    chromium = find_chromium()
    from playwright.sync_api import sync_playwright

    with TemporaryDirectory() as folder, sync_playwright() as driver:
        run = Path(folder) / "penguins"
        command = [sys.executable, "train.py", "device=cpu", f"run_dir={run}"]
        subprocess.run(command, cwd=ROOT, env=environment(), check=True)
        browser = driver.chromium.launch(executable_path=chromium, args=FLAGS)
        picture_report(browser, run / "report.html")
        with serving(run) as address:
            picture_page(browser, address, "serve", upload=True, **WIDE)
            picture_page(browser, address, "serve_phone", upload=False, **PHONE)
        browser.close()


def find_chromium() -> str:
    """Return the browser's path, or end with what to install."""
    try:
        import playwright  # noqa: F401
    except ImportError:
        raise SystemExit("playwright is needed: type pip install -e '.[dev]'") from None
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        raise SystemExit("a browser is needed: type apt-get install chromium")
    return found


def environment() -> dict[str, str]:
    """Let this checkout be imported, whatever is installed."""
    return os.environ | {"PYTHONPATH": str(ROOT / "src")}


@contextmanager
def serving(run: Path) -> Iterator[str]:
    """Start `kindling serve` on a free port, give its address, then stop it."""
    start = "from kindling.cli.command_line import main; main()"
    command = [sys.executable, "-c", start, "serve", str(run), "--port", "0"]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[-1].decode()  # address  http://...
        finally:
            process.terminate()


def picture_report(browser: Any, file: Path) -> None:
    """Take the report down to the curves; the rest is as long again."""
    page = browser.new_page(**DESKTOP)
    page.goto(file.as_uri())
    end = page.locator("#test").bounding_box()["y"]
    clip = {"x": 0, "y": 0, "width": DESKTOP["viewport"]["width"], "height": end}
    save(page.screenshot(clip=clip, full_page=True), "report")


def picture_page(browser: Any, address: str, name: str, *, upload: bool, **window: Any) -> None:
    """Take the served page with a row that is filled in, and a file that is predicted."""
    page = browser.new_page(**window)
    page.goto(address)
    page.wait_for_selector("[data-ready]")
    for column, value in ROW.items():
        field = page.get_by_label(column, exact=True)
        field.select_option(value) if isinstance(value, str) else field.fill(str(value))
    page.get_by_role("button", name="Predict").click()
    page.wait_for_selector("#form-result .label")
    if upload:
        page.set_input_files("#file", ROOT / "data" / "penguins.csv")
        page.wait_for_selector("tbody tr")
        page.evaluate("window.scrollTo(0, 0)")
    page.wait_for_timeout(500)  # ms; until the bars have grown
    save(page.screenshot(), name)


def save(png: bytes, name: str) -> None:
    """Write a picture with few colours."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(DOCS / f"{name}.png", optimize=True)
    print(f"docs/{name}.png: {image.width} x {image.height} pixels")


if __name__ == "__main__":
    main()
