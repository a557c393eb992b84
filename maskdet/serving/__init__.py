"""HTTP over one detector queue; one module a dialect."""
