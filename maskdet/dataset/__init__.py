"""A Pascal VOC folder: read, check, split, describe."""
