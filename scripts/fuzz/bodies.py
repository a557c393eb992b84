"""Bodies as each route expects them, now and then with something else in their place."""

from __future__ import annotations

import base64
import random
from typing import Any

import numpy as np

from fuzz.pictures import sample_pictures

SURROGATE = "\ud800"
"""Half of a surrogate pair: JSON can escape it, but UTF-8 cannot encode it."""


class Bodies:
    """Values for JSON, and damaged pictures; all draw from the fuzzer's generator."""

    def __init__(self, generator: random.Random) -> None:
        self._random = generator
        self._pictures = sample_pictures()

    def picture(self) -> bytes:
        picture = self._random.choice(self._pictures)
        return self.mutated(picture) if self._random.random() < 0.7 else picture

    def mutated(self, data: bytes) -> bytes:
        changed = bytearray(data)
        for _ in range(self._random.choice((1, 2, 5, 20))):
            if not changed:
                break
            place, draw = self._random.randrange(len(changed)), self._random.random()
            if draw < 0.5:
                changed[place] = self._random.randrange(256)
            elif draw < 0.65:
                del changed[place : place + self._random.randrange(1, 50)]
            elif draw < 0.8:
                changed[place:place] = self._random.randbytes(self._random.randrange(20))
            elif draw < 0.9:
                # The header of one format on the body of another.
                other = self._random.choice(self._pictures)
                changed[: min(16, len(changed))] = other[:16]
            else:
                del changed[place:]
        return bytes(changed)

    def _base64(self) -> str:
        text = base64.b64encode(self.picture()).decode("ascii")
        prefix = self._random.choice(["", "", "data:image/png;base64,", "data:;base64,", "data:image/png,"])
        return prefix + (text if self._random.random() < 0.9 else text[:-3] + "é")

    def _maybe(self, value: Any) -> Any:
        """Mostly the value, sometimes anything else."""
        odd = [None, True, 0, -1, 1e308, "x", "", [], {}, [[]], 10**30, float("nan"), "\ud800", "\u0000"]
        return value if self._random.random() < 0.75 else self._random.choice(odd)

    def _some(self, values: dict[str, Any]) -> Any:
        """Some of the keys, rarely an odd one, rarely something that is not an object."""
        some = {key: value for key, value in values.items() if self._random.random() < 0.8}
        if self._random.random() < 0.05:
            some[self._random.choice([SURROGATE, "", "\u0000", "k" * 300])] = self._maybe(1)
        return self._maybe(some)

    def native(self) -> Any:
        return self._some(
            {
                "image": self._maybe(self._base64()),
                "images": self._maybe(
                    [self._maybe(self._base64()) for _ in range(self._random.randrange(4))]
                ),
                "threshold": self._maybe(self._maybe({"with_mask": self._maybe(0.4)})),
                "max_detections": self._maybe(3),
                "visualize": self._maybe(True),
            }
        )

    def hub(self) -> Any:
        options = {"visualization": self._maybe(True), "confs_threshold": self._maybe(0.4)}
        return self._some({"images": self._maybe([self._maybe(self._base64())]), **options})

    def clas(self) -> Any:
        tensor = base64.b64encode(np.zeros((2, 3, 8, 8), np.float32).tobytes()).decode("ascii")
        shape = self._maybe([self._maybe(2), 3, self._maybe(8), self._maybe(8)])
        params = {
            "shape": shape,
            "dtype": self._maybe(self._random.choice(["float32", "object", "S9", ">U4"])),
        }
        return self._some(
            {"images": self._maybe(tensor), "revert_params": self._maybe(params), "top_k": self._maybe(1)}
        )

    def flask(self) -> Any:
        return self._some({"image": self._maybe(self._base64())})

    def paddle_serving(self) -> Any:
        return self._some(
            {"key": self._maybe([self._maybe("image")]), "value": self._maybe([self._base64()])}
        )

    def paddlex(self) -> Any:
        threshold = self._maybe({"0": self._maybe(0.4)})
        return self._some(
            {"image": self._maybe(self._base64()), "threshold": threshold, "visualize": self._maybe(True)}
        )

    def decision(self) -> Any:
        edges = [self._maybe(self._random.randrange(-10, 300)) for _ in range(4)]
        box = self._some({"label": self._maybe("with_mask"), "box": self._maybe(edges)})
        how = self._random.choice(["accept", "correct", "skip", "reject", "reject", "maybe"])
        return self._some(
            {
                "decision": self._maybe(how),
                "revision": self._maybe(self._random.randrange(1, 40)),
                "boxes": self._maybe([box] * self._random.choice((0, 1, 1, 2, 1001))),
            }
        )

    def oip(self) -> Any:
        tensor = {
            "name": self._maybe("image"),
            "shape": self._maybe([self._maybe(1), self._maybe(4)]),
            "datatype": self._maybe(self._random.choice(["BYTES", "UINT8", "FP32", "INT64"])),
            "data": self._maybe([self._maybe(self._base64())]),
            "parameters": self._maybe({"binary_data_size": self._maybe(9)}),
        }
        output = {"name": self._maybe("boxes"), "parameters": self._maybe({"binary_data": self._maybe(True)})}
        return self._some(
            {
                "id": self._maybe("1"),
                "inputs": self._maybe([self._maybe(tensor)]),
                "outputs": self._maybe([self._maybe(output)]),
                "parameters": self._maybe(
                    {"threshold": self._maybe(0.4), "binary_data_output": self._maybe(True)}
                ),
            }
        )
