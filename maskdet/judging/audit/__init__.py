"""Labels that a model contradicts with certainty: found, ranked, and shown to a person."""
