"""Checkpoint to Paddle inference format to ONNX bundle, with the proof that they agree."""
