"""What users refer to by name: a model, a run, a manifest."""
