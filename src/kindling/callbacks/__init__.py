"""Callbacks: the pre-flight check, the progress bar, the timer, the profiler."""
