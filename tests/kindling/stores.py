"""Stores of files on loopback: a web server, and one that answers as S3 does."""

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

LISTED, CHANGED = "2026-01-31T12:00:00.000Z", "Sat, 31 Jan 2026 12:00:00 GMT"


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
    """A web server and its files by their paths."""

    url: str = ""
    files: dict[str, WebFile] = field(default_factory=dict)


@dataclass
class Bucket:
    """The bucket `bucket` of an S3 server; it is read by who has the key NAMEOFME only."""

    url: str = ""
    objects: dict[str, bytes] = field(default_factory=dict)


class Quiet(BaseHTTPRequestHandler):
    """Answers without a line on the console."""

    def log_message(self, *_):
        pass

    def answer(self, status, content, headers=None):
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(content))} | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


class WebAnswer(Quiet):
    """Answers with the files of a `Web`."""

    state: Web

    def do_GET(self):
        file = self.state.files.get(self.path, WebFile(b"", status=404))
        size = str(file.promised or len(file.content))
        headers = {"Content-Type": file.kind, "Content-Length": size}
        tag = {"ETag": file.tag} if file.tag else {}
        self.answer(file.status, file.content, headers | tag)


class S3Answer(Quiet):
    """Answers with the objects of a `Bucket`."""

    state: Bucket
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        parts = urlsplit(self.path)
        bucket, _, key = unquote(parts.path).strip("/").partition("/")
        if "NAMEOFME" not in self.headers.get("Authorization", ""):
            self.refuse(403, "AccessDenied")
        elif bucket != "bucket":
            self.refuse(404, "NoSuchBucket")
        elif not key:
            self.answer(200, listing(self.state.objects, parse_qs(parts.query)).encode())
        elif key not in self.state.objects:
            self.refuse(404, "NoSuchKey")
        else:
            self.send(self.state.objects[key])

    def refuse(self, status, code):
        words = f"<Error><Code>{code}</Code><Message>{code}</Message></Error>"
        self.answer(status, words.encode(), {"Content-Type": "application/xml"})

    def send(self, content):
        headers = {"ETag": f'"{md5(content).hexdigest()}"', "Last-Modified": CHANGED}
        if wanted := self.headers.get("Range"):
            first, _, end = wanted.removeprefix("bytes=").partition("-")
            part = content[int(first) : int(end) + 1]
            place = f"bytes {first}-{int(first) + len(part) - 1}/{len(content)}"
            self.answer(206, part, headers | {"Content-Range": place})
        else:
            self.answer(200, content, headers)


@contextmanager
def serving(handler, state):
    """Serve in a thread; the state gets the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Answer", (handler,), {"state": state}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        state.url = f"http://127.0.0.1:{server.server_port}"
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def web():
    """Serve `web.files` on loopback."""
    with serving(WebAnswer, Web()) as state:
        yield state


@pytest.fixture
def s3(monkeypatch):
    """Serve `s3.objects` as S3 does; who asks stands in the environment only."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "NAMEOFME")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "VERYSECRET")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    with serving(S3Answer, Bucket()) as state:
        monkeypatch.setenv("AWS_ENDPOINT_URL", state.url)
        yield state


def listing(objects, query):
    """Answer ListObjectsV2: what lies at a prefix, what lies deeper as one prefix each."""
    prefix, sign = query.get("prefix", [""])[0], query.get("delimiter", [""])[0]
    found, deeper = [], set()
    for key in sorted(objects):
        rest = key.removeprefix(prefix)
        if not key.startswith(prefix):
            continue
        if sign and sign in rest:
            deeper.add(prefix + rest.partition(sign)[0] + sign)
        else:
            size = f"<Size>{len(objects[key])}</Size><LastModified>{LISTED}</LastModified>"
            found.append(f"<Contents><Key>{key}</Key>{size}</Contents>")
    folders = [f"<CommonPrefixes><Prefix>{p}</Prefix></CommonPrefixes>" for p in sorted(deeper)]
    count = f"<KeyCount>{len(found) + len(folders)}</KeyCount><IsTruncated>false</IsTruncated>"
    inside = "".join([f"<Name>bucket</Name><Prefix>{prefix}</Prefix>", count, *found, *folders])
    return f'<?xml version="1.0"?><ListBucketResult>{inside}</ListBucketResult>'
