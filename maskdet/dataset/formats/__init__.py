"""Labelled sets in the formats of other tools: VOC, COCO and YOLO, read into one type and written from it."""
