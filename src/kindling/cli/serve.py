"""Serve predictions at an address: POST /predict for programs, and a page for a person.

kindling serve latest
kindling serve runs/penguins_auto/2026-01-31_12-00-00_ab12 --port 8080
curl -F file=@new.csv http://127.0.0.1:8000/predict

Only this machine can ask, unless --host says otherwise; there is no login. Ctrl-C or SIGTERM
stop it once all that was asked is answered. docs/deploy.md: from a run to an address for others.
"""

import gc
import ipaddress
import logging
import os
import signal
import socket
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from kindling.cli.input_output import MODEL_OPTIONS, add_device, add_run, require_package
from kindling.errors import ConfigError, Problem
from kindling.fixes import Command

if TYPE_CHECKING:
    import uvicorn

OPTIONS = MODEL_OPTIONS
BACKLOG = 1024  # connections that wait to be taken up


def add_arguments(parser: ArgumentParser) -> None:
    """Add what can be typed behind `kindling serve`."""
    add_run(parser)
    parser.add_argument(
        "--port", type=int, default=8000, metavar="N", help="0 takes a free one (default 8000)"
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="0.0.0.0 lets the network ask (127.0.0.1)"
    )
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a name by which browsers may ask, such as model.example.org; can be repeated",
    )
    add_device(parser)
    parser.add_argument(
        "--max-mb", type=int, default=10, metavar="N", help="size of one request (default 10)"
    )
    parser.add_argument(
        "--max-rows", type=int, default=100_000, metavar="N", help="of one table (100000)"
    )
    parser.add_argument(
        "--max-seconds", type=float, default=30, metavar="S", help="for one request (30)"
    )


def run(arguments: Namespace) -> None:
    """Listen, load, answer until asked to stop."""
    for package in ("fastapi", "uvicorn", "python_multipart"):
        require_package(package, "serve")
    with listen(arguments.host, arguments.port) as place:
        serve(arguments, place)


def listen(host: str, port: int) -> socket.socket:
    """Take the port before anything slow is done; a request is kept waiting from now on."""
    if not 0 <= port < 1 << 16:
        raise ConfigError(
            Problem("--port must be a port, 0 to 65535", str(port), Command("--port", 8000))
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP, or else asyncio leaves Nagle's algorithm on: 40 ms for each answer.
    place = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere it would let two servers have one port
            place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        place.bind((host, port))
        place.listen(BACKLOG)
    except OSError as error:
        place.close()
        rule = "the address must be free, and this machine's own"
        got = f"{host} port {port}: {error.strerror}"
        raise ConfigError(
            Problem(rule, got, (Command("--port", port + 1), "another --host"))
        ) from error
    return place


def serve(arguments: Namespace, place: socket.socket) -> None:
    """Load the model and answer."""
    import torch
    import uvicorn

    from kindling.bundle.predictor import load
    from kindling.serve.app import make_app
    from kindling.serve.middleware import Limits

    limits = Limits(
        body_bytes=arguments.max_mb << 20, rows=arguments.max_rows, seconds=arguments.max_seconds
    )
    model = load(arguments.run, arguments.device)
    if model.spec.image_shape is None:
        torch.set_num_threads(1)  # so little work that a second thread would only wait
    config = uvicorn.Config(
        make_app(model, limits, arguments.allow_host),
        log_level="warning",
        access_log=False,
        server_header=False,
        limit_concurrency=4 * limits.waiting,  # connections; what waits for an answer is fewer
        timeout_graceful_shutdown=round(limits.seconds) + 5,
    )
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # clients hear of it themselves
    gc.freeze()  # what is loaded by now stays: looking through it took 0.15 s each time
    show_address(arguments.host, place.getsockname()[1])
    run_until_stopped(uvicorn.Server(config), place)


def show_address(host: str, port: int) -> None:
    """Print where a person finds it, and who else may."""
    from kindling.run.console import show_plan

    shown = f"[{host}]" if ":" in host else host
    lines = {"address": f"http://{shown}:{port}", "stop": "Ctrl-C"}
    if not is_loopback(host):
        lines["warning"] = "there is no login: whoever reaches this port can ask; docs/deploy.md"
    show_plan(lines)


def is_loopback(host: str) -> bool:
    """Say whether an address can be reached from this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def run_until_stopped(server: "uvicorn.Server", place: socket.socket) -> None:
    """Answer until a signal comes, and then what is asked already; this is no interruption."""
    for number in (signal.SIGINT, signal.SIGTERM):
        # After its own orderly stop, uvicorn raises the signal once more: nothing is left to do.
        signal.signal(number, lambda *_: None)
    server.run(sockets=[place])
    if server.force_exit:  # a second Ctrl-C: requests were cut off
        raise KeyboardInterrupt
