"""A bundle made by somebody who means harm: its hashes are right, and still it runs nothing.

Each case is (path into the file, what is put there, what the refusal says).
"""

import shutil

import pytest

from kindling.bundle.bundle import read_bundle
from kindling.errors import DataError
from tests.kindling.bundle.damage import put, set_value
from tests.kindling.thinning import thin

HUGE = 10**12
PENGUIN_NUMBERS = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "year"]


@pytest.fixture
def bundle(penguins_run, tmp_path):
    return shutil.copytree(penguins_run / "bundle", tmp_path / "bundle")


@pytest.fixture
def images(digits_run, tmp_path):
    return shutil.copytree(digits_run / "bundle", tmp_path / "images")


def refuse(folder, name, message):
    with pytest.raises(DataError, match=message) as caught:
        read_bundle(folder)
    assert str(folder / name) in str(caught.value)
    assert not (folder.parent / "marker").exists()


NETWORKS = [
    ("torch.nn", "Linear"),
    ("torch.nn.modules.linear", "Linear"),
    ("mlp", "nn.Linear"),
    ("mlp", "nn"),
    ("mlp", "F"),
    ("mlp", "DataSpec"),
    ("mlp", "soft_clip"),
    ("mlp", "__builtins__"),
    ("auto", "auto"),
    ("auto", "MLP"),
    ("os", "system"),
    ("subprocess", "Popen"),
    ("", "MLP"),
    ("..data.preprocess", "TablePreprocessor"),
    ("../model/mlp", "MLP"),
    ("project.models.mlp", "MLP"),
]


@pytest.mark.parametrize(("module", "name"), thin(NETWORKS, 4))
def test_a_network_from_elsewhere_is_refused(bundle, module, name):
    set_value(bundle, "config.json", "network.module", module)
    set_value(bundle, "config.json", "network.name", name)
    refuse(bundle, "config.json", "which is not a network that project.models defines")


CONFIGS = [
    ("_target_", "os.system", r"'_target_'.*, where known keys only"),
    ("network._target_", "os.system", r"'_target_'.*, where known keys only"),
    ("network.module", ["mlp"], "where str is needed"),
    ("network", "project.models.mlp.MLP", "where an object is needed"),
    ("network.arguments", [64], "where an object is needed"),
    ("network.arguments.spec", 1, "multiple values"),
    ("network.arguments.hidden", 1, "unexpected keyword"),
    ("network.arguments.dropout", {"_target_": "os.system"}, "no plain values"),
    ("network.arguments.dropout", [{"_target_": "os.system"}], "no plain values"),
    ("network.arguments.dropout", float("nan"), "the number NaN"),
    ("network.arguments.dropout", -1, "cannot be built: ValueError"),
    ("network.arguments.width", HUGE, "a network of more than"),
    ("network.arguments.width", -1, "cannot be built"),
    ("network.arguments.width", "16", "cannot be built"),
    ("network.arguments.width", 1e300, "cannot be built"),
    ("network.arguments.width", 17, "where the network has"),
    ("network.arguments.depth", HUGE, "a network of more than"),
    ("network.arguments.depth", 3, "where the network has"),
    ("batch_size", 0, "batch_size=0"),
    ("batch_size", HUGE, "batch_size=1000000000000"),
    ("batch_size", True, "where int is needed"),
    ("temperature", 0, "temperature=0"),
    ("temperature", -1.5, "temperature=-1.5"),
    ("temperature", HUGE, "temperature=1000000000000"),
    ("temperature", float("nan"), "the number NaN"),
    ("temperature", "2", "where float is needed"),
    ("threshold", 1, "threshold=1"),
    ("threshold", 0.0, "threshold=0"),
    ("threshold", float("nan"), "the number NaN"),
    ("threshold", 0.5, "between two classes"),
]


@pytest.mark.parametrize(("path", "value", "message"), CONFIGS)
def test_a_config_with_anything_else_is_refused(bundle, path, value, message):
    set_value(bundle, "config.json", path, value)
    refuse(bundle, "", message)


def test_layers_without_numbers_are_counted_too(bundle):
    set_value(bundle, "config.json", "network.arguments.width", 0)
    set_value(bundle, "config.json", "network.arguments.depth", HUGE)
    refuse(bundle, "model.safetensors", "a network of more than")


@pytest.mark.slow
def test_a_deep_image_network_stops_early(images):
    set_value(images, "config.json", "network.arguments.depth", HUGE)
    refuse(images, "model.safetensors", "a network of more than|cannot be built")


TEXTS = [
    (b'!!python/object/apply:os.mkdir ["marker"]', "no JSON"),
    (b"_target_: os.mkdir\npath: marker", "no JSON"),
    (b"", "no JSON"),
    (b"[]", "where an object is needed"),
    (b"null", "where an object is needed"),
    (b'{"batch_size": 1, "batch_size": 1}', "given twice"),
    (b'{"batch_size": 1e999}', "the number 1e999"),
    (b'{"batch_size": ' + b"9" * 5000 + b"}", "no JSON"),
    (b"[" * 100_000, "nested too deep"),
    ("{}".encode("utf-16"), "no JSON"),
    (b"\xef\xbb\xbf{}", "no JSON"),
    (b'{"batch_size": "\xff"}', "no JSON"),
]


@pytest.mark.parametrize(("text", "message"), TEXTS, ids=lambda text: str(text)[:20])
@pytest.mark.parametrize("name", thin(["config.json", "schema.json", "metrics.json"], 3))
def test_what_is_no_strict_json_is_refused(bundle, name, text, message):
    put(bundle, name, text)
    refuse(bundle, name, message)


@pytest.mark.parametrize("depth", [100, 300, 900, 2000])
def test_arguments_in_many_brackets_are_refused(bundle, depth):
    text = (bundle / "config.json").read_text()
    put(bundle, "config.json", text.replace("0.2", "[" * depth + "{}" + "]" * depth).encode())
    refuse(bundle, "", "no plain values|nested too deep")


SCHEMAS = [
    ("spec._target_", "os.system", "known keys only"),
    ("spec.problem_type", "clustering", "where one of"),
    ("spec.problem_type", "binary", "3 classes of a binary problem"),
    ("spec.problem_type", "regression", "3 classes of a regression problem"),
    ("spec.classes", ["a", "b"], "2 classes of a multiclass problem"),
    ("spec.classes", ["a", "a", "b"], "classes of the same name"),
    ("spec.classes", ["a", "b", 3], "where str is needed"),
    ("spec.classes", "abc", "where a list is needed"),
    ("spec.class_counts", [1, 2], "2 counts of 3 classes"),
    ("spec.label_kind", "integer", "classes that are no integer labels"),
    ("spec.label_kind", "boolean", "classes that are no boolean labels"),
    ("spec.target_scale", float("inf"), "the number Infinity"),
    ("spec.target_scale", "1", "where float is needed"),
    ("spec.target_scale", 10**400, "where a number is needed"),
    ("spec.cardinalities", [HUGE, 4], "two more than the categories"),
    ("spec.cardinalities", [4], "two more than the categories"),
    ("spec.numbers", ["a"], "a spec of other columns"),
    ("spec.numbers.0", "flipper_length_mm", "a spec of other columns"),
    ("spec.categories", ["sex", "island"], "a spec of other categories"),
    ("spec.image_shape", [1, 8, 8], "a table with pixels"),
    ("spec.image_shape", [1, 8], "where 3 values is needed"),
    ("schema.columns.0.column_type", "function", "where one of"),
    ("schema.columns.0.categories", ["a", "a", "b"], "that are empty or of the same name"),
    ("schema.columns.0.categories", ["", "a", "b"], "that are empty or of the same name"),
    ("schema.columns.0.features", ["a", "b"], "a spec of other columns"),
    ("schema.columns.0.name", "sex", "columns of the same name"),
    ("schema.dialect.separator", "ab", "separator that no file can have"),
    ("schema.dialect.separator", "\n", "separator that no file can have"),
    ("schema.dialect.encoding", "base64", "encoding that no file can have"),
    ("schema.dialect.encoding", "../os", "encoding that no file can have"),
    ("schema.dialect.quote", "", "quote that no file can have"),
    ("schema.dialect.quote", 1, "where str is needed"),
    ("schema.dialect.more", "x", "where known keys only is needed"),
    ("schema.columns.1.low", float("nan"), "the number NaN"),
    ("schema.columns.1.low", "0", "where float is needed"),
    ("schema.columns.1._target_", "os.system", "known keys only"),
    ("schema.columns", [], "a spec of other columns"),
    ("schema.columns", {}, "where a list is needed"),
    ("schema", "table", "where an object is needed"),
]


@pytest.mark.parametrize(("path", "value", "message"), thin(SCHEMAS, 3))
def test_a_schema_that_no_table_has_is_refused(bundle, path, value, message):
    set_value(bundle, "schema.json", path, value)
    refuse(bundle, "schema.json", message)


@pytest.mark.parametrize("features", [["year", "a", "b"], []])
def test_a_column_with_other_features_than_its_type_has_is_refused(bundle, features):
    set_value(bundle, "schema.json", "schema.columns.6.features", features)
    numbers = [name for name in PENGUIN_NUMBERS if name != "year"] + features
    set_value(bundle, "schema.json", "spec.numbers", numbers)
    refuse(bundle, "schema.json", "a column of more features than its type has, or of none")


def test_categories_that_swap_their_features_are_refused(bundle):
    for number, name in ((0, "sex"), (5, "island")):
        set_value(bundle, "schema.json", f"schema.columns.{number}.features", [name])
    refuse(bundle, "schema.json", "not the column of its name")


IMAGES = [
    ("spec.image_shape", [1, 9, 8], "a spec that is not of images of"),
    ("spec.numbers", ["a"], "a spec that is not of images of"),
    ("spec.pixel_mean", [], "0 pixel means of 1 channels"),
    ("spec.pixel_scale", [0.0], r"pixel_scale=\(0.0,\)"),
    ("schema.background", [0, 0, 300], "background"),
    ("schema.background", [0, 0], "where 3 values is needed"),
    ("schema.fit", "explode", "where one of"),
    ("schema.dtype", "float64", "where one of"),
    ("schema.dtype", "object", "where one of"),
]


@pytest.mark.parametrize(("path", "value", "message"), IMAGES)
def test_a_schema_that_no_images_have_is_refused(images, path, value, message):
    set_value(images, "schema.json", path, value)
    refuse(images, "schema.json", message)


@pytest.mark.parametrize("shape", [[10**6, 1000, 1000], [1, 10**6, 10**6], [1, 0, 8], [-1, 8, 8]])
def test_images_of_absurd_shapes_are_refused(images, shape):
    set_value(images, "schema.json", "spec.image_shape", shape)
    for name, size in zip(("channels", "height", "width"), shape, strict=True):
        set_value(images, "schema.json", f"schema.{name}", size)
    refuse(images, "schema.json", "images of")


@pytest.mark.slow
def test_the_scale_of_a_target_is_no_zero(weight_run, tmp_path):
    bundle = shutil.copytree(weight_run / "bundle", tmp_path / "bundle")
    set_value(bundle, "schema.json", "spec.target_scale", 0)
    refuse(bundle, "schema.json", "target_scale=0")
