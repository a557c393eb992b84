"""A bundle over files, folders, globs and video, written as JSON, CSV or drawn pictures."""
