"""maskdet: from a Pascal VOC folder to a running face-mask detection service."""

__version__ = "0.1.0"
