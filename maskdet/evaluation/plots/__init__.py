"""The plots of an evaluation."""
