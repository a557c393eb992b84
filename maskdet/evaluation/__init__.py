"""Matching, average precision, thresholds and plots, in numpy, the same for every model file."""
