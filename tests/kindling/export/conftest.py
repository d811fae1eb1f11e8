"""The finished runs that bundles are tested with."""

from tests.kindling.bundle.conftest import digits_run, penguins_run, train, weight_run

__all__ = ["digits_run", "penguins_run", "train", "weight_run"]
