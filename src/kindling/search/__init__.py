"""Search for good settings by trials, each a run of its own: `hydra/sweeper=optuna`."""
