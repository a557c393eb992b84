"""The sheet of the worst mistakes."""
