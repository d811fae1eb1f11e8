"""The finished runs that the bundle's tests have."""

from tests.kindling.bundle.conftest import digits_run, penguins_run, train, weight_run

__all__ = ["digits_run", "penguins_run", "train", "weight_run"]
