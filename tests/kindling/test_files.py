"""A file is there whole or not at all."""

import os

import pytest

from kindling.files import open_atomically, write_atomically


def test_text_is_utf8_and_bytes_are_as_they_are(tmp_path):
    write_atomically(tmp_path / "text", "\N{SNOWMAN}\n")
    write_atomically(tmp_path / "bytes", b"\xff\r\n")
    assert (tmp_path / "text").read_bytes() == b"\xe2\x98\x83\n"
    assert (tmp_path / "bytes").read_bytes() == b"\xff\r\n"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["bytes", "text"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("before", [None, b"before"])
def test_what_fails_halfway_leaves_what_was_there(tmp_path, before, error):
    file = tmp_path / "file"
    if before is not None:
        file.write_bytes(before)

    def break_off():
        with open_atomically(file) as stream:
            stream.write(b"half of it")
            assert not file.exists() or file.read_bytes() == before
            raise error

    with pytest.raises(error):
        break_off()
    assert {f.name: f.read_bytes() for f in tmp_path.iterdir()} == (
        {"file": before} if before else {}
    )


def test_nothing_stays_where_the_name_is_a_folders(tmp_path):
    (tmp_path / "file").mkdir()
    with pytest.raises(OSError, match="file"):
        write_atomically(tmp_path / "file", "text")
    assert [f.name for f in tmp_path.iterdir()] == ["file"]


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        write_atomically(tmp_path / "nowhere" / "file", "text")


def test_a_link_is_replaced_and_not_followed(tmp_path):
    (tmp_path / "other").write_text("other")
    (tmp_path / "link").symlink_to(tmp_path / "other")
    write_atomically(tmp_path / "link", "new")
    assert (tmp_path / "other").read_text() == "other"
    assert not (tmp_path / "link").is_symlink()


def test_a_pipe_is_written_to(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    write_atomically(tmp_path / "pipe", "through it")
    assert os.read(reader, 100) == b"through it"
    os.close(reader)
    assert [f.name for f in tmp_path.iterdir()] == ["pipe"]
