"""What stands around the app: who may ask, how much may be sent, and what an answer may tell."""

import ipaddress
import logging
import re
import secrets
import socket
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kindling.serve.answer import error_response
from kindling.serve.limits import Limits, Refusal, refuse

log = logging.getLogger("kindling.serve")

HEADERS = {
    # The page's own files, pictures that the user chose, and nothing from anywhere else.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^:@/\[\]]+)(:\d+)?")  # a name or an address, and a port
ELSEWHERE = ("cross-site", "same-site")  # what a browser says of a request by another page


class Guard:
    """ASGI around an app: refuses strangers and floods, and keeps faults of ours to the log.

    Args:
        names: of this machine, under which a browser may ask; addresses and localhost always may.
    """

    def __init__(self, app: ASGIApp, limits: Limits, names: Collection[str] = ()) -> None:
        self.app = app
        self.limits = limits
        self.names = {"localhost", socket.gethostname().lower(), *map(str.lower, names)}

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
            self.check(Headers(scope=scope))
            await self.app(scope, self.bounded(receive), send_on)
        except ClientDisconnect:
            pass  # nobody is there to be told
        except Exception as error:
            refusal = error if isinstance(error, Refusal) else fault_of(error)
            if not is_answered:
                await error_response(refusal)(scope, receive, send_on)

    def check(self, headers: Headers) -> None:
        """Refuse what a browser sends on behalf of somebody else's page, and too large a body."""
        host = headers.get("host", "")
        if not is_known_host(host, self.names):
            name = host.rpartition(":")[0] or host
            message = (
                f"this server goes by another name; to serve this one too: --allow-host {name}"
            )
            raise refuse(421, message)
        origin = headers.get("origin")
        is_strange = origin is not None and urlsplit(origin).netloc.lower() != host.lower()
        is_inside = headers.get("sec-fetch-mode") != "navigate"  # no link that a person followed
        if is_strange or (is_inside and headers.get("sec-fetch-site") in ELSEWHERE):
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


def fault_of(error: Exception) -> Refusal:
    """Keep a fault of ours for the log, and give the client the number to ask for."""
    number = secrets.token_hex(4)
    log.error("fault %s", number, exc_info=error)
    return refuse(500, f"a fault of the server; its log has it as fault {number}")


def is_known_host(host: str, names: Collection[str]) -> bool:
    """Say whether a Host header is an address, or a name that is known to be this machine's.

    A page elsewhere can have its own name point to this machine (DNS rebinding), and its requests
    then carry that name. An address cannot be borrowed in this way.
    """
    name = HOST.fullmatch(host.lower())
    if name is None:
        return False
    try:
        ipaddress.ip_address(name[1].strip("[]"))
    except ValueError:
        return name[1] in names
    return True
