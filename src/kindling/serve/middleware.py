"""ASGI middleware: who may send a request, how large it may be, and what an answer may tell.

Host names, Origin and Sec-Fetch-Site are checked, so that no other web page can use the server
through somebody's browser; an internal error goes to the log, and the client gets its number.
"""

import ipaddress
import logging
import re
import secrets
import socket
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kindling.errors import ConfigError, Problem
from kindling.serve.answer import Refusal, error_response, refuse

log = logging.getLogger("kindling.serve")

HEADERS = {
    # The page's own files, images that the user chose, and nothing from anywhere else.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
ADDRESS = re.compile(r"(?:\[([0-9a-f:.]+)\]|([0-9.]+))(?::\d+)?")  # IPv6 or IPv4, and a port
OTHER_PAGE = ("cross-site", "same-site")  # Sec-Fetch-Site of a request by another page


@dataclass(frozen=True)
class Limits:
    """Bounds on a request; the defaults suit one machine and people who mean well.

    Args:
        body_bytes: of one request, files included.
        rows: of one table.
        columns: of one table, the unused ones included.
        images: in one request.
        pixels: of one image, as its file says before it is decoded; None is the model's own limit,
            the data.max_pixels of its training.
        seconds: from the first byte of a request to its answer.
        waiting: requests that are read or wait for their turn at one time.
    """

    body_bytes: int = 10 << 20
    rows: int = 100_000
    columns: int = 10_000
    images: int = 64
    pixels: int | None = None
    seconds: float = 30.0
    waiting: int = 64


class RequestMiddleware:
    """Checks a request before the app sees it, and adds security headers to every answer.

    Args:
        app: what answers a request that may pass.
        limits: bounds on a request.
        names: of this machine, under which a browser may ask; addresses and localhost always may.
    """

    def __init__(self, app: ASGIApp, limits: Limits, names: Collection[str] = ()) -> None:
        self.app = app
        self.limits = limits
        known = ["localhost", socket.gethostname(), *names]
        self.app_by_name = TrustedHostMiddleware(app, known, www_redirect=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self.answer(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the app answer, or say why not."""
        is_answered = False

        async def send_on(message: Message) -> None:
            nonlocal is_answered
            if message["type"] == "http.response.start":
                is_answered = True
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        try:
            headers = Headers(scope=scope)
            self.check(headers)
            # A page elsewhere can have its own name point to this machine (DNS rebinding), and its
            # requests then carry that name; an address cannot be borrowed in this way.
            app = self.app if is_address(headers.get("host", "")) else self.app_by_name
            await app(scope, self.bounded(receive), send_on)
        except ClientDisconnect:
            pass  # nobody is there to be told
        except Exception as error:
            refusal = error if isinstance(error, Refusal) else hide_internal_error(error)
            if not is_answered:
                await error_response(refusal)(scope, receive, send_on)

    def check(self, headers: Headers) -> None:
        """Refuse what a browser sends on behalf of somebody else's page, and too large a body."""
        origin = headers.get("origin")
        host = headers.get("host", "").lower()
        is_other = origin is not None and urlsplit(origin).netloc.lower() != host
        # A link that a person follows from another page navigates; its scripts and images do not.
        is_inside = headers.get("sec-fetch-mode") != "navigate"
        if is_other or (is_inside and headers.get("sec-fetch-site") in OTHER_PAGE):
            raise refuse(403, "other pages may not use this server")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self.limits.body_bytes:
            raise self.too_large()
        if headers.get("content-encoding", "identity") != "identity":
            raise refuse(415, "the body must not be compressed")

    def bounded(self, receive: Receive) -> Receive:
        """Count what arrives: a body in chunks does not say how long it will be."""
        count = 0

        async def receive_some() -> Message:
            nonlocal count
            message = await receive()
            count += len(message.get("body", b""))
            if count > self.limits.body_bytes:
                raise self.too_large()
            return message

        return receive_some

    def too_large(self) -> Refusal:
        return refuse(413, f"a request must have at most {self.limits.body_bytes:,} bytes")


def hide_internal_error(error: Exception) -> Refusal:
    """Write an internal error into the log, and give the client the number to ask for."""
    number = secrets.token_hex(4)
    log.error("fault %s", number, exc_info=error)
    return refuse(500, f"a fault of the server; its log has it as fault {number}")


def is_address(host: str) -> bool:
    """Say whether a Host header is an IP address, with or without a port."""
    match = ADDRESS.fullmatch(host.lower())
    if match is None:
        return False
    try:
        ipaddress.ip_address(match[1] or match[2])
    except ValueError:
        return False
    return True


def check_names(names: Collection[str]) -> None:
    """Raise a ConfigError where a name stands for all hosts, or for no host."""
    rule = "--allow-host must be a host's name, or *.example.org for all names below one"
    fix = "--allow-host model.example.org"
    wrong = [name for name in names if not re.fullmatch(r"(\*\.)?[^*:/@\s]+", name)]
    if wrong:
        raise ConfigError(*[Problem(rule, repr(name), fix) for name in wrong])
