"""The configuration: composed by Hydra, every key and value checked before anything is built."""
