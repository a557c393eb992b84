"""Running stages: what a stage is, when one is up to date, and what a run tells."""
