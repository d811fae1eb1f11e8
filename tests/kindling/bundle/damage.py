"""Ways to damage a copy of a bundle, and to seal it again so that only the content is wrong."""

import hashlib
import io
import json
import os
import pickle
import zipfile

MANIFEST = "MANIFEST.json"


class Payload:
    """Creates a file when it is unpickled; the tests look whether it is there."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


def pickled(marker):
    return pickle.dumps(Payload(marker))


def seal(folder):
    """Give every file that is listed the hash and size that it has now."""
    manifest = json.loads((folder / MANIFEST).read_text())
    for name in manifest["files"]:
        content = (folder / name).read_bytes()
        manifest["files"][name] = {
            "sha256": hashlib.sha256(content).hexdigest(),
            "size": len(content),
        }
    (folder / MANIFEST).write_text(json.dumps(manifest))


def put(folder, name, content):
    (folder / name).write_bytes(content)
    seal(folder)


def edit_json(folder, name, change):
    """Let `change` edit what a JSON file holds; NaN stays NaN."""
    content = json.loads((folder / name).read_bytes())
    change(content)
    (folder / name).write_text(json.dumps(content))
    if name != MANIFEST:
        seal(folder)


def at(content, path):
    """Follow "a.b.0" into nested dicts and lists; return the last container and key."""
    *way, last = [int(word) if word.isdigit() else word for word in path.split(".")]
    for word in way:
        content = content[word]
    return content, last


def set_value(folder, name, path, value):
    def change(content):
        container, key = at(content, path)
        container[key] = value

    edit_json(folder, name, change)


def edit_weights(folder, change):
    """Let `change(header, numbers)` edit a safetensors file; it may return other numbers."""
    content = (folder / "model.safetensors").read_bytes()
    length = int.from_bytes(content[:8], "little")
    header, numbers = json.loads(content[8 : 8 + length]), content[8 + length :]
    changed = change(header, numbers)
    text = json.dumps(header).encode()
    numbers = numbers if changed is None else changed
    put(folder, "model.safetensors", len(text).to_bytes(8, "little") + text + numbers)


def read_zip(folder):
    with zipfile.ZipFile(folder / "preprocess.skops") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def put_zip(folder, members, compression=zipfile.ZIP_STORED, comment=b""):
    """Write (name, bytes) pairs as they are, twice the same name if asked."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
        archive.comment = comment
    put(folder, "preprocess.skops", buffer.getvalue())


def edit_skops(folder, path, change):
    """Let `change` edit the node at a path of the description; it may return another one."""
    files = read_zip(folder)
    whole = {"root": json.loads(files["schema.json"])}
    container, key = at(whole, path)
    changed = change(container[key])
    if changed is not None:
        container[key] = changed
    put_zip(folder, (files | {"schema.json": json.dumps(whole["root"]).encode()}).items())


def edit_array(folder, change):
    """Let `change` turn the bytes of the first array of three numbers or more into others."""
    files = read_zip(folder)
    name = next(name for name, content in files.items() if len(content) >= 152 and "npy" in name)
    put_zip(folder, (files | {name: change(files[name])}).items())
