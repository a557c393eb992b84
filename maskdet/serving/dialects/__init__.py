"""The wire formats of older systems, each a thin module over the same engine."""
