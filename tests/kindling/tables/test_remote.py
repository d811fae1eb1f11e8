"""Tables of a store: fetched whole, kept by version, called by their URL; no credentials kept."""

import json
import shutil
import socket
from collections import namedtuple
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

from kindling.cli.command_line import main
from kindling.errors import ConfigError, DataError
from kindling.files import user_cache
from kindling.images.image_source import ImageSource
from kindling.tables.part_files import find_parts
from kindling.tables.source import TableSource
from tests.kindling.stores import WebFile

PENGUINS = Path(__file__).parents[3] / "data" / "penguins.csv"
CSV = b"size,label\n1,a\n2,b\n3,a\n4,b\n"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Give each test a cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def refusal(url, **settings):
    with pytest.raises(DataError) as error:
        raise DataError(*TableSource(url, "label", **settings).missing())
    return error.value


def kept(cache):
    return [file for file in cache.rglob("*") if file.is_file()]


def test_a_file_is_fetched_once_and_anew_when_it_has_changed(web):
    web.files["/t.csv"] = WebFile(CSV)
    for _ in range(3):
        assert TableSource(f"{web.url}/t.csv", "label").read().y.tolist() == ["a", "b", "a", "b"]
    (file,) = kept(user_cache())
    assert file.read_bytes() == CSV
    web.files["/t.csv"] = WebFile(CSV.replace(b"4,b", b"4,a"), tag='"2"')
    assert TableSource(f"{web.url}/t.csv", "label").read().y.tolist()[-1] == "a"
    assert len(kept(user_cache())) == 2


def test_what_was_fetched_is_not_asked_for_again(web):
    web.files["/t.csv"] = WebFile(CSV)
    (file,) = find_parts(f"{web.url}/t.csv").files
    web.files.clear()
    assert find_parts(file).files == (file,)
    assert str(find_parts(file)) == f"{web.url}/t.csv"


def test_a_file_whose_version_nobody_says_is_kept_by_its_content(web):
    for content in (CSV, CSV, CSV.replace(b"4,b", b"5,b")):
        web.files["/t.csv"] = WebFile(content, tag="")
        assert len(TableSource(f"{web.url}/t.csv", "label").read().y) == 4
    assert len(kept(user_cache())) == 2


def test_a_message_names_the_url_and_never_the_cache(web, build):
    web.files["/t.csv"] = WebFile(b"size,label\n" + b"1,a\n2,b\n" * 20 + b"much,a\n")
    with pytest.raises(DataError) as error:
        build(
            "data=table", f"data.path={web.url}/t.csv", "data.target=size", "data.task=regression"
        )
    (problem,) = error.value.problems
    assert (problem.file, problem.row) == (f"{web.url}/t.csv", 40)
    assert f"of {web.url}/t.csv is a quantity" in str(error.value)
    web.files["/t.csv"] = WebFile(b"size,label\n1\n2,b\n", tag='"2"')
    with pytest.raises(DataError, match=f"every row of {web.url}/t.csv must have 2 cells"):
        TableSource(f"{web.url}/t.csv", "label").read()


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (WebFile(b"", status=404), "nothing is there"),
        (WebFile(b"", status=403), "you are not permitted to read it"),
        (WebFile(b"", status=401), "it asks who you are"),
        (WebFile(b"", status=503), "HTTP 503"),
        (WebFile(b"<html>", kind="text/html; charset=utf-8"), "a web page, perhaps one to log in"),
        (WebFile(CSV, promised=len(CSV) + 7), f"{len(CSV)} of {len(CSV) + 7} bytes, then"),
    ],
)
def test_what_cannot_be_fetched_is_said_and_leaves_nothing(web, cache, file, said):
    web.files["/t.csv"] = file
    (problem,) = refusal(f"{web.url}/t.csv").problems
    assert problem.code == "D022"
    assert said in problem.got
    assert problem.rule.startswith(f"{web.url}/t.csv must be there")
    assert kept(cache) == []


def test_nobody_at_an_address_is_said(cache):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/t.csv"
        assert "Connection refused" in str(refusal(url))
    assert "must be there" in str(refusal("http://host.invalid/t.csv"))
    assert kept(cache) == []


def test_a_full_disk_is_said_before_anything_is_fetched(web, cache, monkeypatch):
    web.files["/t.csv"] = WebFile(CSV)
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(3))
    assert f"0 MB free in {user_cache()}" in str(refusal(f"{web.url}/t.csv"))
    assert kept(cache) == []


@pytest.mark.parametrize(
    "url",
    [
        "s3://NAME:SECRET@bucket/t.csv",
        "https://host/t.csv?X-Amz-Credential=SECRET&X-Amz-Signature=SECRET",
        "https://host/t.csv?sv=2024&sig=SECRET",
        "https://host/t.csv?access_token=SECRET",
        "s3://bucket/t.csv?secret_key=SECRET",
    ],
)
def test_credentials_in_a_url_are_refused_and_not_repeated(url):
    with pytest.raises(ConfigError) as error:
        TableSource("a.csv", "label", test_path=url)
    assert "data.test_path must be a URL without credentials" in str(error.value)
    assert "SECRET" not in str(error.value)


def test_what_no_store_is_known_by_is_refused():
    with pytest.raises(ConfigError, match="begins with s3, gs, https"):
        TableSource("ftp://host/t.csv", "label").missing()
    with pytest.raises(ConfigError, match=r"behind the \? of a s3://"):
        TableSource("s3://bucket/t.csv?regoin=x", "label").missing()


def test_images_at_a_url_are_refused():
    with pytest.raises(ConfigError, match=r"data.path=s3://bucket/photos"):
        ImageSource("s3://bucket/photos")


@pytest.mark.slow
def test_a_bucket_gives_the_run_of_the_local_file(s3, run, tmp_path, capsys):
    frame = pd.read_csv(PENGUINS)
    frame.to_parquet(tmp_path / "whole.parquet", index=False)
    s3.objects["whole.parquet"] = (tmp_path / "whole.parquet").read_bytes()
    for number, rows in enumerate(np.array_split(np.arange(len(frame)), 3)):
        frame.iloc[rows].to_parquet(tmp_path / "part.parquet", index=False)
        s3.objects[f"parts/part-{number}.parquet"] = (tmp_path / "part.parquet").read_bytes()
    s3.objects["parts/_SUCCESS"] = b""
    places = (tmp_path / "whole.parquet", "s3://bucket/whole.parquet", "s3://bucket/parts/part-*")
    words = ["data=table", "data.target=species", "model=mlp", "trainer.max_epochs=1"]
    runs = [
        run(*words, f"data.path={place}", folder=f"run{number}")
        for number, place in enumerate(places)
    ]
    first = load_file(runs[0] / "bundle/model.safetensors")
    digests = {json.loads((each / "data.json").read_text())["inputs"] for each in runs}
    assert len(digests) == 1
    for other in runs[1:]:
        weights = load_file(other / "bundle/model.safetensors")
        assert all(np.array_equal(weights[name], first[name]) for name in first)
        texts = [file.read_bytes() for file in other.rglob("*") if file.is_file()]
        assert not [text for text in texts if b"VERYSECRET" in text or b"NAMEOFME" in text]
    capsys.readouterr()
    main(["evaluate", str(runs[2]), "--json"])  # its own rows, read again from the bucket
    assert json.loads(capsys.readouterr().out)["same"] is True
    found = []
    for place in (places[0], places[1]):
        main(["predict", str(runs[0]), str(place), "-o", str(tmp_path / "found.csv")])
        found.append((tmp_path / "found.csv").read_bytes())
        capsys.readouterr()
        main(["evaluate", str(runs[0]), str(place), "--json"])
        found.append(json.loads(capsys.readouterr().out))
    assert found[:2] == found[2:]


@pytest.mark.slow
def test_what_a_bucket_does_not_have_is_said(s3, cache, monkeypatch):
    assert "nothing is there" in str(refusal("s3://bucket/none.parquet"))
    assert "nothing is there" in str(refusal("s3://nobucket/none.parquet"))
    assert "no table is there" in str(refusal("s3://bucket/x-*.csv"))
    for year in (1, 2):
        s3.objects[f"hive/year={year}/a.csv"] = CSV
    assert "folders year=1, year=2, whose names" in str(refusal("s3://bucket/hive"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "SOMEBODY")
    s3.objects["whole.csv"] = CSV
    assert "ACCESS_DENIED" in str(refusal("s3://bucket/whole.csv"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert "Could not connect" in str(refusal("s3://bucket/whole.parquet"))
    assert kept(cache) == []
