"""Connections that send no request are closed; a request may take its time."""

import socket
import threading
import time

import pytest
import uvicorn

from kindling.serve import listener

HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
LENGTH = [(b"content-length", b"2")]
MOST = 8  # connections at once


async def echo(scope, receive, send):
    body, more = b"", scope["type"] == "http"
    while more:
        message = await receive()
        body, more = body + message["body"], message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": LENGTH})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
def address(monkeypatch):
    """Serve `echo` in a thread, with little patience."""
    monkeypatch.setattr(listener, "HEADER_SECONDS", 0.3)
    place = listener.listen("127.0.0.1", 0)
    config = uvicorn.Config(
        echo,
        http=listener.BoundedProtocol,
        limit_concurrency=MOST,
        lifespan="off",
        timeout_keep_alive=60,
        log_config=None,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([place],), daemon=True)
    thread.start()
    yield place.getsockname()
    server.should_exit = True
    thread.join(60)
    place.close()
    assert not thread.is_alive()


def connect(address, content):
    connection = socket.create_connection(address, timeout=60)
    connection.sendall(content)
    return connection


def answer(connection):
    """Read until the server has sent a body of two bytes, or closed."""
    content = b""
    while not content.endswith(b"hi"):
        more = connection.recv(4096)
        if not more:
            break
        content += more
    return content


@pytest.mark.parametrize("start", [b"", b"GET", HEAD], ids=["silent", "a word", "half a head"])
def test_those_who_send_nothing_do_not_keep_the_others_out(address, start):
    waiting = [connect(address, start) for _ in range(MOST)]
    for connection in waiting:
        assert connection.recv(1) == b""  # it was closed
        connection.close()
    with connect(address, HEAD + b"\r\nhi") as connection:
        assert answer(connection).startswith(b"HTTP/1.1 200")


@pytest.mark.slow
def test_a_second_request_on_a_connection_must_come_whole_as_well(address):
    with connect(address, HEAD + b"\r\nhi") as connection:
        assert b" 200 " in answer(connection)
        time.sleep(1.0)  # silence between requests is keep-alive's
        connection.sendall(HEAD + b"\r\nhi")
        assert b" 200 " in answer(connection)
        connection.sendall(HEAD)
        assert connection.recv(1) == b""


@pytest.mark.slow
def test_a_body_may_take_its_time(address):
    with connect(address, HEAD + b"\r\nh") as connection:
        time.sleep(1.0)
        connection.sendall(b"i")
        assert b" 200 " in answer(connection)
