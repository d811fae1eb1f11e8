"""Send requests to the application of a run, in this process or to `kindling serve` itself."""

import asyncio
import io
import subprocess
import sys
from contextlib import contextmanager

import httpx
import numpy as np
import pandas as pd
from PIL import Image

from kindling import load
from kindling.serve.app import make_app
from kindling.serve.middleware import Limits

HOME = "http://127.0.0.1:8000"
SHOUT, QUOTES, CATEGORIES = "<b>x</b>", 'a "b" ☃', ["<i>one</i>", "it's, two", "3"]
CLASSES = ["<img src=x onerror=document.title='hacked'>", 'say "yes" 🎉']


class Asked:
    """Sends requests to an application; nothing goes over the network."""

    def __init__(self, run, *, names=(), **limits):
        self.model = load(run)
        self.app = make_app(self.model, Limits(**limits), names)

    def __call__(self, method, path, **what):
        (answer,) = self.at_once((method, path, what))
        return answer

    def at_once(self, *requests):
        async def send():
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url=HOME) as client:
                return await asyncio.gather(
                    *(client.request(method, path, **what) for method, path, what in requests)
                )

        return asyncio.run(send())

    def rows(self, *rows):
        return self("POST", "/predict", json={"rows": list(rows)})

    def file(self, content, name="new.csv", **what):
        return self("POST", "/predict", files={"file": (name, content)}, **what)


ODD_ROW = {SHOUT: 60.5, QUOTES: CATEGORIES[0], "is, or not": True, "day": "31.03.2024"}

PENGUIN = {
    "island": "Torgersen",
    "bill_length_mm": 39.1,
    "bill_depth_mm": 18.7,
    "flipper_length_mm": 181,
    "body_mass_g": None,
    "sex": "male",
    "year": 2007,
}
TABLE = pd.read_csv("data/penguins.csv")


def png(level, size=(8, 8)):
    file = io.BytesIO()
    Image.new("L", size, level).save(file, "PNG")
    return file.getvalue()


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def errors(answer, status=422):
    assert answer.status_code == status, answer.text
    return answer.json()["errors"]


@contextmanager
def serving(run, *words):
    """Start `kindling serve` on a free port; give its process and its address, then stop it."""
    start = [sys.executable, "-c", "from kindling.cli.command_line import main; main()"]
    command = [*start, "serve", str(run), "--port", "0", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            yield process, process.stdout.readline().split()[-1].decode()
        finally:
            process.terminate()
            process.communicate(timeout=60)
