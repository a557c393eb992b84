"""HTTP over one detector queue; one module per dialect."""
