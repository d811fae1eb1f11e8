"""Stores of files on loopback: an HTTP server of this process, and moto's S3 in one of its own."""

import subprocess
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pyarrow import fs

SERVE = """
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print("PORT", server.get_host_and_port()[1], flush=True)
input()
"""


@dataclass
class WebFile:
    """What is answered at a path."""

    content: bytes
    tag: str = '"1"'
    status: int = 200
    kind: str = "text/csv"
    promised: int | None = None


@dataclass
class Web:
    """An HTTP server; `sent` counts the bytes of bodies."""

    url: str
    files: dict[str, WebFile] = field(default_factory=dict)
    sent: int = 0


@pytest.fixture
def web():
    """Serve `web.files` on loopback."""
    state = Web("")

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            file = state.files.get(self.path, WebFile(b"", status=404))
            self.send_response(file.status)
            self.send_header("Content-Type", file.kind)
            self.send_header("Content-Length", str(file.promised or len(file.content)))
            if file.tag:
                self.send_header("ETag", file.tag)
            self.end_headers()
            self.wfile.write(file.content)
            state.sent += len(file.content)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def s3_address():
    """Start an S3 server of its own process; it ends with the tests."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([sys.executable, "-c", SERVE], text=True, **pipes) as server:
        port = next(line.split()[1] for line in server.stdout if line.startswith("PORT"))
        yield f"http://127.0.0.1:{port}"
        server.kill()


@pytest.fixture
def s3(s3_address, monkeypatch):
    """Give the S3 server's bucket `bucket`; credentials stand in the environment only."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "NAMEOFME")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "VERYSECRET")
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_address)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    host = s3_address.partition("://")[2]
    store = fs.S3FileSystem(
        endpoint_override=host, scheme="http", region="us-east-1", allow_bucket_creation=True
    )
    if store.get_file_info("bucket").type == fs.FileType.NotFound:
        store.create_dir("bucket")
    return store
