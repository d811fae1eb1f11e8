"""The ends that are put around a network: here one that only adds up what it is given."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from kindling.errors import ConfigError
from kindling.export.onnx_file import IR_VERSION, OPSET, add_ends
from kindling.tables.column import Column
from kindling.tables.schema import TableSchema

WORDS = np.array(["low", "high \N{SNOWMAN}"], dtype=object)


def network(width, is_regression=False):
    """Make a graph: `y` is the sum of `x`, or that sum and its opposite as two scores."""
    nodes = [helper.make_node("ReduceSum", ["x", "axis"], ["y" if is_regression else "s"])]
    nodes[0].attribute.append(helper.make_attribute("keepdims", int(not is_regression)))
    if not is_regression:
        nodes.append(helper.make_node("Neg", ["s"], ["n"]))
        nodes.append(helper.make_node("Concat", ["n", "s"], ["y"], axis=1))
    x = helper.make_tensor_value_info("x", TensorProto.DOUBLE, ["rows", width])
    shape = ["rows"] if is_regression else ["rows", 2]
    y = helper.make_tensor_value_info("y", TensorProto.DOUBLE, shape)
    axis = helper.make_tensor("axis", TensorProto.INT64, [1], [1])
    graph = helper.make_graph(nodes, "sum", [x], [y], [axis])
    opset = [helper.make_opsetid("", OPSET)]
    return helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION)


def opened(columns, labels):
    schema = TableSchema(tuple(columns))
    model = add_ends(network(len(columns), labels is None), schema, labels)
    onnx.checker.check_model(model)
    return onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )


def ask(session, feed):
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, feed), strict=True))


def number(name):
    return Column(name, "number")


@pytest.mark.parametrize(
    ("kind", "cell", "dtype"),
    [
        ("number", 1.0, "tensor(double)"),
        ("boolean", 1.0, "tensor(double)"),
        ("date", 1.0, "tensor(double)"),
        ("category", "", "tensor(string)"),
    ],
)
def test_a_column_is_an_input_of_its_kind_whatever_the_batch(kind, cell, dtype):
    session = opened([Column("a", kind)], None)
    (value,) = session.get_inputs()
    assert (value.name, value.type, value.shape) == ("a", dtype, ["rows", 1])
    for rows in (1, 3):
        column = np.full((rows, 1), cell, dtype=object if kind == "category" else float)
        assert ask(session, {"a": column})["value"].tolist() == [1.0] * rows


def test_levels_become_codes_unknown_ones_0_and_missing_ones_1():
    levels = tuple(f"level {number:04} \N{SNOWMAN}" for number in range(5000))
    session = opened([Column("a", "category", categories=levels)], None)
    cells = ["level 0000", "", levels[0], levels[4999]]
    column = np.array(cells, dtype=object).reshape(-1, 1)
    assert ask(session, {"a": column})["value"].tolist() == [0, 1, 2, 5001]


def test_large_whole_numbers_stay_apart():
    column = 2.0**30 + np.arange(3.0).reshape(-1, 1)  # float32 would hold the first and the last
    assert (
        ask(opened([number("a")], None), {"a": column})["value"].tolist() == column[:, 0].tolist()
    )


ODD = ["x", "y", "s", "index", "inner/x", "inner_", "a b", "it's", '"q"', "\N{SNOWMAN}", "a\nb"]


def test_any_name_of_a_column_works():
    session = opened([number(name) for name in ODD], None)
    feed = {name: np.full((2, 1), 10.0**power) for power, name in enumerate(ODD)}
    assert ask(session, feed)["value"].tolist() == [11111111111.0] * 2


def test_a_column_named_as_an_output_keeps_its_name():
    session = opened([number(name) for name in ("label", "label_", "value")], WORDS)
    assert [output.name for output in session.get_outputs()] == ["label__", "probabilities"]
    session = opened([number("value")], None)
    assert [output.name for output in session.get_outputs()] == ["value_"]


def test_a_column_without_a_name_is_refused():
    with pytest.raises(ConfigError, match=r"has a name; got a column of none.*--format torch"):
        opened([number(""), number("b")], None)


@pytest.mark.parametrize(
    ("labels", "dtype"),
    [
        (np.array([3, 2**60]), "tensor(int64)"),
        (np.array([0.5, 1.5]), "tensor(double)"),
        (np.array([False, True]), "tensor(bool)"),
        (WORDS, "tensor(string)"),
    ],
)
def test_labels_come_in_the_users_own_type(labels, dtype):
    session = opened([number("a")], labels)
    label, probs = session.get_outputs()
    assert (label.type, label.shape) == (dtype, ["rows"])
    assert (probs.type, probs.shape) == ("tensor(double)", ["rows", 2])
    answer = ask(session, {"a": np.array([[-1.0], [2.0], [0.0]])})["label"]
    assert answer.tolist() == labels[[0, 1, 0]].tolist()  # of equal ones, the first
