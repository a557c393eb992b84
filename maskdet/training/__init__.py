"""PicoDet recipes, PaddleDetection configuration, and the worker process that trains."""
