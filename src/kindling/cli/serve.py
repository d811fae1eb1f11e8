"""Serve predictions at an address: POST /predict for programs, and a page for a person.

kindling serve latest
kindling serve runs/penguins_auto/2026-01-31_12-00-00_ab12 --port 8080
curl -F file=@new.csv http://127.0.0.1:8000/predict

Only this machine can ask, unless --host says otherwise; there is no login. Ctrl-C or SIGTERM
stop it once all that was asked is answered. docs/deploy.md: from a run to an address for others.
"""

import gc
import logging
import socket
from argparse import ArgumentParser, Namespace

from kindling.cli.input_output import MODEL_OPTIONS, add_device, add_run, require_package
from kindling.errors import ConfigError, Problem
from kindling.fixes import Command

OPTIONS = MODEL_OPTIONS
# Option -> the least and the most that makes sense on one machine, and the default.
LIMITS = {
    "max_mb": (1, 4096, 10),
    "max_rows": (1, 10_000_000, 100_000),
    "max_seconds": (0.1, 3600, 30),
}


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
        "--max-mb",
        type=int,
        default=LIMITS["max_mb"][2],
        metavar="N",
        help="size of one request (default %(default)s)",
    )
    parser.add_argument(
        "--max-rows",
        type=int,
        default=LIMITS["max_rows"][2],
        metavar="N",
        help="of one table (%(default)s)",
    )
    parser.add_argument(
        "--max-seconds",
        type=float,
        default=LIMITS["max_seconds"][2],
        metavar="S",
        help="for one request (%(default)s)",
    )


def run(arguments: Namespace) -> None:
    """Listen, load, answer until asked to stop."""
    for package in ("fastapi", "uvicorn", "python_multipart"):
        require_package(package, "serve")
    check_limits(arguments)
    from kindling.serve.listener import listen  # once uvicorn is known to be there

    with listen(arguments.host, arguments.port) as place:
        serve(arguments, place)


def check_limits(arguments: Namespace) -> None:
    """Raise a ConfigError where a limit would let nobody ask, or is none."""
    given = vars(arguments)
    problems = [
        Problem(
            f"--{name.replace('_', '-')} must be from {low:,} to {high:,}",
            str(given[name]),
            Command(f"--{name.replace('_', '-')}", default),
        )
        for name, (low, high, default) in LIMITS.items()
        if not low <= given[name] <= high
    ]
    if problems:
        raise ConfigError(*problems)


def serve(arguments: Namespace, place: socket.socket) -> None:
    """Load the model and answer."""
    import torch
    import uvicorn

    from kindling.bundle.predictor import load
    from kindling.serve.app import make_app
    from kindling.serve.listener import BoundedProtocol, run_until_stopped
    from kindling.serve.middleware import Limits

    limits = Limits(
        body_bytes=arguments.max_mb << 20, rows=arguments.max_rows, seconds=arguments.max_seconds
    )
    model = load(arguments.run, arguments.device)
    if model.spec.image_shape is None:
        torch.set_num_threads(1)  # so little work that a second thread would only wait
    config = uvicorn.Config(
        make_app(model, limits, arguments.allow_host),
        http=BoundedProtocol,
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
    from kindling.serve.listener import is_loopback

    shown = f"[{host}]" if ":" in host else host
    lines = {"address": f"http://{shown}:{port}", "stop": "Ctrl-C"}
    if not is_loopback(host):
        lines["warning"] = "there is no login: whoever reaches this port can ask; docs/deploy.md"
    show_plan(lines)
