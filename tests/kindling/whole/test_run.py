"""The story of train.py, told whole in this process, and what it leaves behind."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn import metrics

from tests.conftest import newest


def read(run):
    return json.loads((run / "metrics.json").read_text()), pd.read_csv(run / "predictions.csv")


def among(scores, expected):
    """Those of the scores that are expected: a project may have metrics of its own beside them."""
    return {name: scores[name] for name in expected}


@pytest.mark.parametrize(
    "data", ["penguins", *(pytest.param(d, marks=pytest.mark.slow) for d in ("credit", "digits"))]
)
def test_class_metrics_follow_from_the_predictions(run, data):
    numbers, table = read(run(f"data={data}", "trainer.max_epochs=2"))
    classes = [name.removeprefix("prob_") for name in table if name.startswith("prob_")]
    truth, probs = table.truth.astype(str), table[[f"prob_{name}" for name in classes]].to_numpy()
    assert table.prediction.astype(str).tolist() == [classes[k] for k in probs.argmax(1)]
    predicted = table.prediction.astype(str)
    expected = {
        "accuracy": metrics.accuracy_score(truth, predicted),
        "balanced_accuracy": metrics.balanced_accuracy_score(truth, predicted),
        "macro_f1": metrics.f1_score(truth, predicted, average="macro"),
        "log_loss": metrics.log_loss(truth, probs, labels=classes),
    }
    if len(classes) == 2:
        expected["roc_auc"] = metrics.roc_auc_score(truth == classes[1], probs[:, 1])
    assert among(numbers["test"], expected) == pytest.approx(expected)


def test_value_metrics_follow_from_the_predictions_in_the_users_unit(run):
    numbers, table = read(run("data.target=body_mass_g"))
    expected = {
        "rmse": metrics.root_mean_squared_error(table.truth, table.prediction),
        "mae": metrics.mean_absolute_error(table.truth, table.prediction),
        "r2": metrics.r2_score(table.truth, table.prediction),
    }
    assert among(numbers["test"], expected) == pytest.approx(expected, rel=1e-6)
    assert table.truth.between(2700, 6300).all()  # grams, as in the file


@pytest.mark.slow
def test_rows_in_the_predictions_are_those_of_the_file(run, table_csv):
    _, table = read(run("data=table", f"data.path={table_csv}", "data.target=price"))
    assert table.truth.tolist() == pd.read_csv(table_csv).price[table.row].tolist()


@pytest.mark.slow
def test_a_thousand_times_the_target_is_a_thousand_times_the_error(run, table_csv):
    frame, errors = pd.read_csv(table_csv), []
    for factor in (1, 1000):
        frame.assign(price=frame.price * factor).to_csv(table_csv, index=False)
        overrides = ["data=table", f"data.path={table_csv}", "data.target=price"]
        errors.append(read(run(*overrides, folder=str(factor)))[0]["test"])
    assert errors[1]["rmse"] == pytest.approx(1000 * errors[0]["rmse"], rel=1e-4)
    assert errors[1]["r2"] == pytest.approx(errors[0]["r2"], rel=1e-4)


@pytest.mark.slow
def test_shuffled_labels_score_near_chance(run, table_csv):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(1500, 5)), columns=list("abcde"))
    frame["label"] = rng.permutation(np.where(frame.a > 0, "u", "v"))
    frame.to_csv(table_csv, index=False)
    numbers, _ = read(run("data=table", f"data.path={table_csv}", "data.target=label"))
    assert numbers["test"]["roc_auc"] == pytest.approx(0.5, abs=0.1)


@pytest.mark.slow
def test_the_test_has_the_best_weights_and_not_the_last(run, build):
    # A rate this high makes the last epochs worse than an early one.
    overrides = ["data=credit", "trainer.max_epochs=6", "scheduler=constant", "optimizer.lr=0.02"]
    folder = run(*overrides)
    numbers, _ = read(folder)
    assert numbers["best_epoch"] < numbers["epochs"] == 6
    scores = {}
    for name in ("best", "last"):
        data, task, trainer = build(*overrides, folder=name)
        state = torch.load(newest(folder, best=name == "best"), weights_only=True)
        task.load_state_dict(state["state_dict"])
        trainer.test(task, data, verbose=False)
        scores[name] = task.results["test"].scores
    assert numbers["test"] == scores["best"]
    assert numbers["test"] != scores["last"]


@pytest.mark.nightly
@pytest.mark.slow
def test_three_hundred_levels_survive_half_precision(run, table_csv):
    # Each level is its own label: in bf16 codes above 256 would fall together.
    levels = np.tile(np.arange(300), 12)
    sign = np.random.default_rng(0).permutation(300) % 2
    names = [f"level {level}" for level in levels]
    pd.DataFrame({"level": names, "label": sign[levels]}).to_csv(table_csv, index=False)
    numbers, _ = read(
        run(
            "data=table",
            f"data.path={table_csv}",
            "data.target=label",
            "trainer.precision=bf16-mixed",
            "trainer.max_epochs=15",
            "optimizer.lr=0.01",
        )
    )
    assert numbers["test"]["accuracy"] == 1.0


@pytest.mark.slow
def test_balanced_classes_find_more_of_the_rare_one(run):
    plain, _ = read(run("data=credit", folder="plain"))
    balanced, _ = read(run("data=credit", "task.class_weight=balanced", folder="balanced"))
    gain = balanced["test"]["balanced_accuracy"] - plain["test"]["balanced_accuracy"]
    assert gain > 0.03


def test_a_checkpoint_holds_plain_values_only(run):
    folder = run()
    for name in ("best", "last"):
        state = torch.load(newest(folder, best=name == "best"), weights_only=True)
        assert set(state["state_dict"]) >= {"network.head.weight", "network.head.bias"}
        # No class weights, no sums of an epoch: what a resumed run makes anew.
        assert all(name.startswith("network.") for name in state["state_dict"])


def test_baselines_are_scored_with_the_same_metrics(run):
    numbers, _ = read(run("baselines=true", "data.target=body_mass_g"))
    assert {"dummy", "linear", "hist_gradient_boosting"} <= set(numbers["baselines"])
    for scores in numbers["baselines"].values():
        assert set(scores) == set(numbers["test"])
    assert numbers["baselines"]["dummy"]["r2"] == pytest.approx(0, abs=0.2)
    assert numbers["baselines"]["linear"]["r2"] > 0.7


@pytest.mark.slow
def test_images_have_baselines_too(run, image_folder):
    folder = run("data=images", f"data.path={image_folder}", "baselines=true")
    numbers, table = read(folder)
    assert numbers["baselines"]["linear"]["accuracy"] == 1.0
    assert table.row.iloc[0].endswith(".png")


def test_the_run_folder_is_complete(run):
    folder = run()
    assert {path.name for path in folder.iterdir()} >= {  # a callback may write more
        "config.yaml",
        "overrides.txt",
        "environment.json",
        "settings.json",
        "data.json",
        "metrics.json",
        "predictions.csv",
        "bundle",
        "checkpoints",
        "tensorboard",
    }
    environment = json.loads((folder / "environment.json").read_text())
    assert environment["packages"]["torch"] == torch.__version__
    assert environment["seed"] == 0


class Interrupt(Exception):
    pass


@pytest.mark.parametrize(
    "data",
    [
        "data=penguins",
        *(
            pytest.param(word, marks=pytest.mark.slow)
            for word in ("data=digits", "model=tabm", "experiment=realmlp")
        ),
    ],
)
def test_resumed_at_an_epochs_end_is_bitwise_the_uninterrupted_run(build, compose, data):
    from lightning.pytorch.callbacks import Callback

    class StopAfterTwo(Callback):
        def on_train_epoch_start(self, trainer, pl_module):
            if trainer.current_epoch == 2:
                raise Interrupt

    overrides = [data, "trainer.max_epochs=4", "data.num_workers=0"]
    whole_data, whole, trainer = build(*overrides, folder="whole")
    trainer.fit(whole, whole_data)

    first_data, first, trainer = build(*overrides, folder="parts")
    trainer.callbacks.append(StopAfterTwo())
    with pytest.raises(Interrupt):
        trainer.fit(first, first_data)
    cfg = compose(*overrides, "resume=parts", folder="parts")
    second_data, second, trainer = build(*overrides, folder="parts")
    trainer.fit(second, second_data, ckpt_path=newest(cfg.run_dir), weights_only=True)
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, second.state_dict()[name]), name
