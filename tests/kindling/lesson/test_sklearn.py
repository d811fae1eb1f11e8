"""From a fitted scikit-learn preprocessor to a network that learns."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


@pytest.fixture
def split():
    """Return train and test rows and labels: x_train, x_test, y_train, y_test."""
    x, y = load_iris(return_X_y=True)
    return train_test_split(x, y, test_size=0.3, random_state=0, stratify=y)


def to_tensors(scaler, x, y):
    x = torch.from_numpy(scaler.transform(x).astype(np.float32))
    return x, torch.from_numpy(y).long()


def test_scikit_learn_hands_out_float64(split):
    x_train, *_ = split
    assert StandardScaler().fit_transform(x_train).dtype == np.float64


def test_scaled_rows_become_float32_tensors_and_labels_int64(split):
    x_train, _, y_train, _ = split
    x, y = to_tensors(StandardScaler().fit(x_train), x_train, y_train)
    assert (x.dtype, y.dtype) == (torch.float32, torch.int64)
    assert torch.allclose(x.mean(dim=0), torch.zeros(4), atol=1e-5)
    assert torch.allclose(x.std(dim=0, correction=0), torch.ones(4), atol=1e-5)


def test_long_turns_other_whole_numbers_into_int64():
    labels = np.array([0, 2, 1], dtype=np.int32)
    assert torch.from_numpy(labels).dtype == torch.int32
    assert torch.from_numpy(labels).long().dtype == torch.int64


def test_a_scaler_fitted_on_train_rows_does_not_center_the_others(split):
    x_train, x_test, _, _ = split
    scaler = StandardScaler().fit(x_train)
    assert np.allclose(scaler.transform(x_train).mean(axis=0), 0)
    assert not np.allclose(scaler.transform(x_test).mean(axis=0), 0, atol=1e-3)


def test_pca_and_scaling_are_one_preprocessor(split):
    x_train, x_test, _, _ = split
    steps = make_pipeline(StandardScaler(), PCA(2)).fit(x_train)
    assert torch.from_numpy(steps.transform(x_test).astype(np.float32)).shape == (45, 2)


def test_a_fitted_preprocessor_gives_the_same_numbers_each_time(split):
    x_train, x_test, _, _ = split
    once, again = (make_pipeline(StandardScaler(), PCA(2)).fit(x_train) for _ in range(2))
    assert np.array_equal(once.transform(x_test), again.transform(x_test))


def test_a_loader_hands_out_every_row_once_in_batches(split):
    x_train, _, y_train, _ = split
    x, y = to_tensors(StandardScaler().fit(x_train), x_train, y_train)
    loader = DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True)
    batches = list(loader)
    assert [len(labels) for _, labels in batches] == [32, 32, 32, 9]
    seen = torch.cat([labels for _, labels in batches])
    assert torch.equal(seen.bincount(), y.bincount())


def test_the_whole_way_from_scikit_learn_ends_with_a_network_that_learnt(split):
    x_train, x_test, y_train, y_test = split
    scaler = StandardScaler().fit(x_train)
    train, (x, y) = to_tensors(scaler, x_train, y_train), to_tensors(scaler, x_test, y_test)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 3)).to(device)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(20):
        for rows, labels in DataLoader(TensorDataset(*train), batch_size=32, shuffle=True):
            optimizer.zero_grad()
            logits = network(rows.to(device))
            loss = nn.functional.cross_entropy(logits, labels.to(device))
            loss.backward()
            optimizer.step()
    network.eval()
    with torch.no_grad():
        classes = network(x.to(device)).argmax(dim=1).cpu()
    assert (classes == y).float().mean() > 0.9
