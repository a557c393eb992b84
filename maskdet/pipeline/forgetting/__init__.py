"""Removing a person's pictures from everything that maskdet keeps, and naming the models that saw them."""
