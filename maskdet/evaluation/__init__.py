"""Matching, average precision, thresholds and plots, in numpy, identical for every model file."""
