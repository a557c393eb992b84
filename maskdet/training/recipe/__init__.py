"""From the pipeline file to one complete PaddleDetection configuration."""
