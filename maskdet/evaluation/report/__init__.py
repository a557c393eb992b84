"""An evaluation in Markdown."""
