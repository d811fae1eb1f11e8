"""Bring tables from s3://, gs:// and https:// into a local cache, each version whole or not at all.

What is behind it reads local files, which every message calls by their URL. A version is what the
store says of it (ETag, size, time of change); a file that has changed there is fetched anew.
Credentials come from where the store's own tools find them, never from the URL: what is typed is
kept with the run.
"""

import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase
from hashlib import sha256
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qsl, urlsplit
from urllib.request import Request, urlopen
from uuid import uuid4

from pyarrow import fs

from kindling.errors import ConfigError, DataError, Problem
from kindling.files import open_atomically, user_cache
from kindling.fixes import Setting
from kindling.formatting import first_few, printable

TIMEOUT_S, TRIES, AT_ONCE = 30, 3, 8  # of a connection; files that are fetched together
BLOCK_BYTES = 1 << 20
SCHEMES = ("s3", "gs", "https", "http")
# What may stand behind the ? of s3:// and gs://: where the store is, never who asks.
OPTIONS = ("region", "endpoint_override", "scheme", "anonymous")
ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")  # in the order in which AWS takes them
REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")
# Words of which one in the name of what stands behind a ? says that it is a secret.
SECRETS = re.compile(r"signature|credential|token|secret|passw|key|\bsig\b|auth", re.IGNORECASE)
LONGEST = 200  # letters of a store's own reason
REASONS = {
    401: "it asks who you are",
    403: "you are not permitted to read it",
    404: "nothing is there",
}


class CachedFile(type(Path())):  # type: ignore[misc]  # the class of the system's paths
    """The local copy of a file, which is opened as one, and called by its URL in every message."""

    url: str = ""

    def __str__(self) -> str:
        return self.url or super().__str__()

    def __fspath__(self) -> str:
        return super().__str__()


@dataclass(frozen=True)
class RemoteFile:
    """A file of a store.

    Args:
        url: without what stands behind its ?.
        size: in bytes; None where the server does not say.
        version: differs where the content does; "" where the server says nothing of it.
        open: gives its bytes.
    """

    url: str
    size: int | None
    version: str
    open: Callable[[], Any]


def refuse_credentials(url: str, key: str) -> None:
    """Raise a ConfigError where a URL says who asks: it is written into the run's folder.

    Args:
        url: as it was typed.
        key: of the setting.
    """
    parts = urlsplit(url)
    names = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    secret = [name for name in names if SECRETS.search(name)]
    found = ["a user or password before @"] if "@" in parts.netloc else []
    found += [f"{name}= behind the ?" for name in secret]
    if found:
        rule = f"{key} must be a URL without credentials: it is kept with the run"
        fix = "give them as the store's own tools take them, such as AWS_PROFILE or ~/.aws"
        raise ConfigError(Problem(rule, printable(first_few(found)), fix))


def fetch_files(files: Sequence[RemoteFile]) -> list[CachedFile]:
    """Fetch what the cache does not have yet, several files at once; in their order.

    Raises:
        DataError: a file cannot be fetched, or the disk has no room for it.
    """
    refuse_full_disk(files)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(_fetch, files))


def refuse_full_disk(files: Sequence[RemoteFile]) -> None:
    """Raise a DataError where the files would not fit into the cache."""
    cache = user_cache()
    cache.mkdir(parents=True, exist_ok=True)
    needed = sum(file.size or 0 for file in files if not _place_of(file).exists())
    free = shutil.disk_usage(cache).free
    if needed > free:
        rule = "the cache must have room for what is fetched"
        got = f"{needed / 1e6:,.0f} MB to fetch, {free / 1e6:,.0f} MB free in {cache}"
        fix = "make room, or set the environment's XDG_CACHE_HOME to a folder with room"
        raise DataError(Problem(rule, got, fix, "D022"))


def _place_of(file: RemoteFile, content: str = "") -> Path:
    """Return where a version of a file is kept; one without a version by its content."""
    name = sha256(f"{file.url}\n{file.version or content}\n{file.size}".encode()).hexdigest()[:32]
    return user_cache() / "tables" / name / (PurePosixPath(urlsplit(file.url).path).name or "table")


def _fetch(file: RemoteFile) -> CachedFile:
    place = _place_of(file)
    if not (file.version and place.exists()):
        place = _download(file, place)
    cached = CachedFile(place)
    cached.url = file.url
    return cached


def _download(file: RemoteFile, place: Path) -> Path:
    digest, size = sha256(), 0

    def named() -> Path:
        place = _place_of(file, digest.hexdigest())
        place.parent.mkdir(parents=True, exist_ok=True)
        return place

    place.parent.mkdir(parents=True, exist_ok=True)
    # A name of its own: another process may fetch the same file.
    with (
        told(file.url),
        file.open() as source,
        open_atomically(place.with_name(f"{place.name}.{uuid4().hex}"), named) as stream,
    ):
        while block := source.read(BLOCK_BYTES):
            digest.update(block)
            size += stream.write(block)
        if file.size is not None and size != file.size:
            got = f"{size:,} of {file.size:,} bytes, then the connection was closed"
            raise unreachable(file.url, got)
    return named()


@contextmanager
def told(url: str) -> Iterator[None]:
    """Say in words why a store gives nothing."""
    try:
        yield
    except HTTPError as error:
        raise unreachable(url, REASONS.get(error.code, f"HTTP {error.code}")) from error
    except (OSError, HTTPException) as error:
        if isinstance(error, OSError) and error.filename:  # of our own disk
            raise
        lines = str(getattr(error, "reason", error)).splitlines()
        raise unreachable(url, (lines or [type(error).__name__])[0][:LONGEST]) from error


def unreachable(url: str, got: str) -> DataError:
    """Say that nothing can be read at a URL."""
    rule = f"{url} must be there, and you must be permitted to read it"
    fix = (
        "correct the URL, the network, or what the store knows you by (AWS_PROFILE, ~/.aws, "
        "AWS_ENDPOINT_URL, GOOGLE_APPLICATION_CREDENTIALS)"
    )
    return DataError(Problem(rule, printable(got), fix, "D022", file=url))


def list_remote(url: str) -> tuple[list[RemoteFile], list[str]]:
    """Return the files at a URL of a store (below it, if it is a folder) and the names of folders.

    Raises:
        ConfigError: no store is known by such a URL.
        DataError: it cannot be reached.
    """
    scheme = urlsplit(url).scheme
    if scheme not in SCHEMES:
        rule = f"a URL of a table begins with {', '.join(SCHEMES[:3])}"
        raise ConfigError(Problem(rule, printable(url), Setting("data.path")))
    with told(url):
        return ([_http_file(url)], []) if scheme[0] == "h" else _list_store(url)


def _http_file(url: str) -> RemoteFile:
    with _open_http(url) as answer:
        kind, version = answer.headers.get_content_type(), answer.headers.get("ETag")
        if kind == "text/html":
            raise unreachable(url, "a web page, perhaps one to log in")
        size = answer.headers.get("Content-Length")
        version = version or answer.headers.get("Last-Modified") or ""
    return RemoteFile(url, size and int(size), version, lambda: _open_http(url))


def _open_http(url: str) -> Any:
    answer = urlopen(Request(url, headers={"User-Agent": "kindling"}), timeout=TIMEOUT_S)
    if urlsplit(url).scheme == "https" and urlsplit(answer.geturl()).scheme != "https":
        raise unreachable(url, "it sends on to an address without encryption")
    return answer


def _list_store(url: str) -> tuple[list[RemoteFile], list[str]]:
    """List what a bucket has at a path, in a folder, or by a pattern in the last of its names."""
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    if unknown := options.keys() - {*OPTIONS}:
        rule = f"behind the ? of a {parts.scheme}:// may stand {', '.join(OPTIONS)}"
        raise ConfigError(Problem(rule, printable(first_few(sorted(unknown))), "correct it"))
    store = (_s3 if parts.scheme == "s3" else _gcs)(parts.netloc, options)
    path = f"{parts.netloc}{parts.path}".rstrip("/")
    folder, _, last = path.rpartition("/")
    if any(sign in folder for sign in "*[") or "**" in last:
        rule = "a pattern of a store may stand in the names of files, not of folders"
        raise DataError(Problem(rule, url, "give a folder, or its files by a pattern", "D022"))
    is_pattern = any(sign in last for sign in "*[")
    found = store.get_file_info(path) if not is_pattern else None
    if found is not None and found.type == fs.FileType.NotFound:
        raise unreachable(url, REASONS[404])
    if found is not None and found.is_file:
        infos = [found]
    else:
        infos = store.get_file_info(fs.FileSelector(folder if is_pattern else path))
        infos = [info for info in infos if not is_pattern or fnmatchcase(info.base_name, last)]
    infos.sort(key=lambda info: info.base_name)
    folders = [info.base_name for info in infos if not info.is_file]
    files = [info for info in infos if info.is_file and info.base_name]
    with ThreadPoolExecutor(AT_ONCE) as pool:  # each is asked for its ETag
        return list(pool.map(lambda info: _store_file(store, parts.scheme, info), files)), folders


def _store_file(store: fs.FileSystem, scheme: str, info: fs.FileInfo) -> RemoteFile:
    def open_file() -> Any:
        return store.open_input_stream(info.path)

    with open_file() as stream:  # nothing is read of it
        tag = (stream.metadata() or {}).get(b"ETag", b"").decode(errors="replace")
    return RemoteFile(f"{scheme}://{info.path}", info.size, f"{tag} {info.mtime_ns}", open_file)


def _s3(bucket: str, options: dict[str, str]) -> fs.FileSystem:
    endpoint = options.get("endpoint_override", "") or _set_to(*ENDPOINTS)
    scheme, _, host = endpoint.rpartition("://")
    region = options.get("region", "") or _set_to(*REGIONS)
    if not region:
        region = "us-east-1" if host else fs.resolve_s3_region(bucket)
    return fs.S3FileSystem(
        endpoint_override=host or None,
        scheme=options.get("scheme") or scheme or "https",
        region=region,
        anonymous=options.get("anonymous") == "true",
        connect_timeout=TIMEOUT_S,
        request_timeout=TIMEOUT_S,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=TRIES),
    )


def _set_to(*names: str) -> str:
    """Return the first of these variables of the environment that is set."""
    return next((os.environ[name] for name in names if os.environ.get(name)), "")


def _gcs(_: str, options: dict[str, str]) -> fs.FileSystem:
    return fs.GcsFileSystem(
        endpoint_override=options.get("endpoint_override"),
        scheme=options.get("scheme", "https"),
        anonymous=options.get("anonymous") == "true",
        retry_time_limit=timedelta(seconds=TIMEOUT_S),
    )
