"""What is done to Lightning's Trainer: devices, chunks, threads, checkpoints, compile."""
