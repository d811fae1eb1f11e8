"""Kindling: from a raw table or a folder of images to a trained, tested network."""

__version__ = "0.1.0"
