"""Parts of PaddleDetection that maskdet does not use, but that take a third of the time of a worker's start.

They import scikit-learn, pandas and matplotlib's pyplot. Empty modules take their place before ppdet's own
`__init__` files ask for them.
"""

from __future__ import annotations

import sys
from types import ModuleType

__all__ = ["leave_out"]

_UNUSED: dict[str, tuple[str, ...]] = {
    "ppdet.engine": (),
    "ppdet.metrics.mot_metrics": (),
    "ppdet.metrics.mcmot_metrics": (),
    "ppdet.modeling.mot": (),
    # Imported by name in modeling/architectures/deepsort.py.
    "ppdet.modeling.mot.utils": ("Detection", "get_crops", "scale_coords", "clip_box"),
    "ppdet.data.transform.keypoints_3d_operators": (),
}


def leave_out() -> None:
    """Has no effect on what is imported already."""
    for name, members in _UNUSED.items():
        sys.modules.setdefault(name, _Empty(name, members))


class _Empty(ModuleType):
    def __init__(self, name: str, members: tuple[str, ...]) -> None:
        super().__init__(name, "Left out: maskdet does not use it.")
        # ppdet's `__init__` files add up these lists and import * from each module.
        self.__all__ = list(members)
        self.__dict__.update(dict.fromkeys(members))
