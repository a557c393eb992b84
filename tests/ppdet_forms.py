"""The forms in which the tests have PaddleDetection export a PicoDet, and its classes."""

from __future__ import annotations

LABELS = ("with_mask", "without_mask", "mask_weared_incorrect")
FORMS = [f"{year}/{form}" for year in ("2021", "2022") for form in ("nms", "boxes", "heads")]
