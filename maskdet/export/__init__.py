"""Checkpoint to Paddle inference format to ONNX bundle, with a check that they agree."""
