"""Other pages, other host names and too large requests are refused before any work is done."""

import asyncio
import io

import pytest
from PIL import Image

from kindling.errors import ConfigError
from tests.kindling.serve.asking import HOME, Asked

ROWS = "island,bill_length_mm,bill_depth_mm,flipper_length_mm,body_mass_g,sex,year\n"
LINE = "Dream,40,18,190,3500,male,2008\n"


@pytest.fixture(scope="module")
def small(penguins_run):
    return Asked(
        penguins_run,
        names=["model.example.org", "*.example.net"],
        body_bytes=2000,
        rows=5,
        columns=20,
    )


def status(answer):
    assert answer.status_code < 400 or answer.json()["errors"][0]["message"]
    return answer.status_code


def of_host(asked, host):
    return asked("GET", "/health", headers={"Host": host}).status_code


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.0.0.1:8000", "[::1]:8000", "10.0.0.7"),
        *("localhost:1", "LOCALHOST", "model.example.org", "a.b.example.net:8000"),
    ],
)
def test_addresses_localhost_and_allowed_names_may_be_asked(small, host):
    assert of_host(small, host) == 200


@pytest.mark.parametrize(
    "host",
    [
        *("", "evil.example:8000", "localhost.evil.example", "127.0.0.1.evil.example", "[::1"),
        *("a@127.0.0.1", "a@127.0.0.1:b", "2130706433", "0x7f.1", "1.2.3.4.5", "example.net"),
    ],
)
def test_a_name_that_points_here_by_somebody_elses_will_is_refused(small, host):
    assert of_host(small, host) == 400


@pytest.mark.parametrize("name", ["*", "*example.org", "a.*.org", "http://a.org", "a.org:80", ""])
def test_a_name_that_is_no_hosts_is_refused_at_the_start(penguins_run, name):
    with pytest.raises(ConfigError, match="--allow-host must be a host's name"):
        Asked(penguins_run, names=["a.org", name])


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:3000", "https://"]
)
def test_other_pages_are_refused(small, origin):
    assert status(small("POST", "/predict", headers={"Origin": origin})) == 403


def test_our_own_page_and_a_link_to_it_are_not(small):
    assert status(small("GET", "/schema", headers={"Origin": HOME})) == 200
    followed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert status(small("GET", "/", headers=followed)) == 200
    inside = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    assert status(small("GET", "/schema", headers=inside)) == 403


def test_every_answer_allows_nothing_from_elsewhere(small):
    for path in ("/", "/page.js", "/schema", "/nothing"):
        headers = small("GET", path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Access-Control-Allow-Origin" not in headers
    assert "http" not in small("GET", "/").text


def test_a_body_is_bounded_whether_or_not_it_says_its_length(small):
    async def drops():
        for _ in range(30):
            yield b"x" * 100

    json = {"Content-Type": "application/json"}
    assert status(small("POST", "/predict", content=b"x" * 2001, headers=json)) == 413
    assert status(small("POST", "/predict", content=drops(), headers=json)) == 413
    assert status(small.file(b"x" * 2001)) == 413


def test_rows_and_columns_are_bounded(small):
    assert status(small.file(ROWS + LINE * 5)) == 200
    assert status(small.file(ROWS + LINE * 6)) == 413
    assert status(small.file("a," * 20 + "b\n")) == 413
    (row,) = small("GET", "/openapi.json").json()["paths"]["/predict"]["post"]["requestBody"][
        "content"
    ]["application/json"]["schema"]["examples"][0]["rows"]
    assert status(small.rows(*[row] * 6)) == 413


@pytest.mark.parametrize("start", [b"\x1f\x8b", b"PAR1", b"PK\x03\x04"])
def test_files_that_unpack_to_any_size_are_refused(small, start):
    assert status(small.file(start + b"0" * 100)) == 415
    packed = {"Content-Encoding": "gzip", "Content-Type": "text/csv"}
    assert status(small("POST", "/predict", content=b"", headers=packed)) == 415


def test_pixels_and_images_are_bounded_before_they_are_decoded(digits_run):
    few = Asked(digits_run, pixels=10_000, images=2)
    file = io.BytesIO()
    Image.new("L", (101, 100)).save(file, "PNG")
    answer = few.file(file.getvalue(), "big.png")
    assert status(answer) == 422
    assert answer.json()["errors"][0]["field"] == "big.png"
    assert "10,000" in answer.text
    assert status(few("POST", "/predict", files=[("file", ("a.png", b"0"))] * 3)) in (400, 413)


def test_an_answer_that_takes_too_long_is_given_up(penguins_run):
    hasty = Asked(penguins_run, seconds=-1.0)
    answer = hasty.file(ROWS + LINE)
    assert status(answer) in (408, 503)


def test_a_body_that_never_ends_is_given_up(penguins_run):
    async def drip():
        for _ in range(100):
            yield b" "
            await asyncio.sleep(0.02)

    patient = Asked(penguins_run, seconds=0.1)
    json = {"Content-Type": "application/json"}
    assert status(patient("POST", "/predict", content=drip(), headers=json)) == 408


def test_more_requests_than_may_wait_are_sent_away(penguins_run):
    busy = Asked(penguins_run, waiting=3)
    requests = [("POST", "/predict", {"files": {"file": ("a.csv", ROWS + LINE)}})] * 8
    answers = busy.at_once(*requests)
    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [503] * 5
    assert {answer.headers.get("Retry-After") for answer in answers} == {None, "1"}
    assert status(busy.file(ROWS + LINE)) == 200
