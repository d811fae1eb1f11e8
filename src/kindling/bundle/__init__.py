"""The bundle: what a prediction needs, as plain data, written, loaded and predicted with."""
