"""What a CI job does after the chain of stages: gates, registry, champion, report."""
