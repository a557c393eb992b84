"""From encoded pictures to results: the queue, the inference threads, the models and their sessions."""
