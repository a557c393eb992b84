"""A training's output for people: metrics, curves and a page."""
