"""A bundle over files, folders, globs and video, written as JSON, CSV, drawn pictures or annotations."""
