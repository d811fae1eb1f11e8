"""The report of a run: its page, TensorBoard's figures, and the comparison of runs."""
