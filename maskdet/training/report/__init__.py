"""What a training leaves for people: metrics, curves and a page."""
