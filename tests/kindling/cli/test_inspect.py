import json

import pandas as pd
import pytest

from kindling.cli.command_line import main
from tests.kindling.bad_tables import GOOD


@pytest.fixture
def look(tmp_path, capsys):
    """Run `kindling inspect` on a table; return the exit code and what was printed."""

    def run(frame, *words):
        frame.to_csv(tmp_path / "table.csv", index=False)
        code = 0
        try:
            main(["inspect", str(tmp_path / "table.csv"), *words])
        except SystemExit as stop:
            code = stop.code
        return code, capsys.readouterr().out

    return run


def test_every_column_is_described(look):
    code, out = look(GOOD.assign(key=range(len(GOOD))), "--target", "y", "--json")
    found = json.loads(out)
    kinds = {line["name"]: line["kind"] for line in found["columns"]}
    assert (code, kinds) == (0, {"a": "number", "b": "number", "c": "category", "key": "id"})
    assert [p["code"] for p in found["findings"]] == ["D105"]
    assert "84 train, 18 val, 18 test" in found["facts"]["split"]


def test_an_error_is_shown_beside_all_columns_and_ends_with_3(look):
    code, out = look(GOOD.assign(y=[None, *GOOD.y[1:]]), "--target", "y", "--json")
    found = json.loads(out)
    assert code == 3
    assert found["findings"][0]["code"] == "D201"
    assert len(found["columns"]) == 4


def test_without_a_target_it_says_so_and_goes_on(look):
    code, out = look(GOOD)
    assert code == 0
    assert "--target COLUMN" in out
    assert "red" in out


def test_the_same_is_found_as_by_a_training(look, build, tmp_path):
    frame = pd.concat([GOOD, GOOD])
    _, out = look(frame, "--target", "y", "--json")
    data, _, _ = build("data=table", f"data.path={tmp_path / 'table.csv'}", "data.target=y")
    assert [p["got"] for p in json.loads(out)["findings"]] == [p.got for p in data.findings]


def test_a_kind_can_be_said(look):
    _, out = look(GOOD.assign(a=range(len(GOOD))), "--json", "--kinds", "a=number")
    assert json.loads(out)["columns"][0]["kind"] == "number"


def test_the_page_escapes_names_and_loads_nothing(look, tmp_path):
    page = tmp_path / "page.html"
    look(GOOD.rename(columns={"a": "<script>x</script>"}), "--html", str(page))
    text = page.read_text()
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert "http://" not in text.replace("http-equiv", "")
    assert text.count("<svg") == 4


def test_a_folder_of_images_is_looked_at_too(image_folder, capsys):
    main(["inspect", str(image_folder)])
    assert "2 classes of class: blue, red" in capsys.readouterr().out
