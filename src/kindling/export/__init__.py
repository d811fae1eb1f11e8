"""Export to ONNX or torch.export, from the user's own columns or pixels to labels."""
