"""Judging any model on the pictures of a manifest."""
