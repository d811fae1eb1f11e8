"""Listen on a port: take it, close connections that send no request, stop when asked to."""

import asyncio
import ipaddress
import os
import signal
import socket

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from kindling.errors import ConfigError, Problem
from kindling.fixes import Command

BACKLOG = 1024  # connections that wait to be taken up
HEADER_SECONDS = 10.0  # for the head of a request, from the first byte or the connection on


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, for clients that send the head of a request in time.

    Without this, as many silent connections as the server takes at once would keep all others out.
    """

    waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before:
            self._stop_waiting()  # a request has begun; the time for its body is the app's
        elif before is None or before.response_complete:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self.waiting is None:
            self.waiting = self.loop.call_later(HEADER_SECONDS, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self.waiting is not None:
            self.waiting.cancel()
            self.waiting = None


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


def is_loopback(host: str) -> bool:
    """Say whether an address can be reached from this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def run_until_stopped(server: uvicorn.Server, place: socket.socket) -> None:
    """Answer until a signal comes, and then what is asked already; this is no interruption."""
    for number in (signal.SIGINT, signal.SIGTERM):
        # After its own orderly stop, uvicorn raises the signal once more: nothing is left to do.
        signal.signal(number, lambda *_: None)
    server.run(sockets=[place])
    if server.force_exit:  # a second Ctrl-C: requests were cut off
        raise KeyboardInterrupt
