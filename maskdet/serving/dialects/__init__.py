"""The wire forms of older systems, each a thin module over the same engine."""
