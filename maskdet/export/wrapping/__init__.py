"""PaddleDetection's exports as bundles: recognised, rewritten, and proved against its own postprocessing."""
