"""From the pipeline file to one whole PaddleDetection configuration."""
