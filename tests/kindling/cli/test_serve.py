"""`kindling serve` takes its port first, warns where it must, and loses nothing at a stop."""

import signal
import socket
from argparse import ArgumentParser
from http.client import HTTPConnection

import httpx
import pandas as pd
import pytest

from kindling.cli.serve import add_arguments, check_limits
from kindling.errors import ConfigError
from kindling.serve.listener import is_loopback, listen
from tests.kindling.serve.asking import TABLE, serving
from tests.kindling.thinning import thin


def test_a_port_that_is_taken_is_named():
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port}.*--port {port + 1}"):
            listen("127.0.0.1", port)


@pytest.mark.parametrize(
    ("host", "port"), [("192.0.2.1", 0), ("no.such.host.invalid", 0), ("127.0.0.1", 70000)]
)
def test_an_address_that_cannot_be_taken_is_refused(host, port):
    with pytest.raises(ConfigError, match="port"):
        listen(host, port)


def test_an_ipv6_address_can_be_taken():
    if not socket.has_ipv6:
        pytest.fail("this Python was built without IPv6")
    with listen("::1", 0) as place:
        assert place.family == socket.AF_INET6


@pytest.mark.parametrize(
    ("host", "alone"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("example.org", False),
    ],
)
def test_only_loopback_is_for_this_machine_alone(host, alone):
    assert is_loopback(host) is alone


def test_only_this_machine_may_ask_unless_told_otherwise():
    parser = ArgumentParser()
    add_arguments(parser)
    assert is_loopback(parser.parse_args(["latest"]).host)


@pytest.mark.parametrize("value", ["0", "-1", "99999999999"])
@pytest.mark.parametrize("option", ["--max-mb", "--max-rows", "--max-seconds"])
def test_a_limit_that_makes_no_sense_is_refused(option, value):
    refuse_limit(option, value)


@pytest.mark.parametrize("value", ["nan", "inf", "1e-9"])
def test_a_time_that_is_none_is_refused(value):
    refuse_limit("--max-seconds", value)


def refuse_limit(option, value):
    parser = ArgumentParser()
    add_arguments(parser)
    check_limits(parser.parse_args(["latest"]))
    with pytest.raises(ConfigError, match=rf"{option} must be from .* to .*{option} \d"):
        check_limits(parser.parse_args(["latest", option, value]))


@pytest.mark.slow
@pytest.mark.parametrize("number", thin([signal.SIGTERM, signal.SIGINT], 2, pytest.mark.nightly))
def test_a_stop_answers_what_is_asked_already_and_ends_well(penguins_run, number):
    content = pd.concat([TABLE] * 20).to_csv(index=False)
    with serving(penguins_run) as (process, address):
        asked = [HTTPConnection(address.removeprefix("http://"), timeout=60) for _ in range(8)]
        for connection in asked:
            connection.request("POST", "/predict", content, {"Content-Type": "text/csv"})
        statuses = [asked[0].getresponse().status]  # the others are read and wait for their turn
        process.send_signal(number)
        statuses += [connection.getresponse().status for connection in asked[1:]]
        for connection in asked:
            connection.close()
        assert statuses == [200] * 8
        assert process.wait(timeout=60) == 0
        assert process.stderr.read() == b""


@pytest.mark.slow
def test_a_host_that_others_reach_is_told_to_have_no_login(penguins_run):
    with serving(penguins_run, "--host", "0.0.0.0", "--allow-host", "model.example.org") as (
        process,
        address,
    ):
        httpx.get(f"http://127.0.0.1:{address.rpartition(':')[2]}/health")
        process.terminate()
        assert b"no login" in process.stdout.read()
