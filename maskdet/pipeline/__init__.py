"""pipeline.yml and the stages it runs: schema, overrides, cache, run report."""
