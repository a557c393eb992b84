"""Further figures of an evaluation: one module each."""
