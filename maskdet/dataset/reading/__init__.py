"""A Pascal VOC folder as it is: its files, annotations, pictures and lists."""
