"""Writes files as paddle.save does, for the reader without Paddle: FOLDER. Prints what it wrote."""

from __future__ import annotations

import json
import sys
from collections import OrderedDict
from pathlib import Path

from maskdet.training.worker.compat import paddle

folder = Path(sys.argv[1])
values = {"conv.weight": [[1.5, -2.0], [0.25, 3.0]], "bn._mean": [0.5, 0.125]}
tensors = {name: paddle.to_tensor(value, dtype="float32") for name, value in values.items()}
paddle.save(tensors, str(folder / "tensors.pdparams"))
paddle.save(OrderedDict(tensors), str(folder / "ordered.pdparams"))
paddle.save({name: tensor.numpy() for name, tensor in tensors.items()}, str(folder / "arrays.pdparams"))
paddle.save(tensors, str(folder / "protocol2.pdparams"), protocol=2)
paddle.save(paddle.nn.Linear(2, 3).state_dict(), str(folder / "layer.pdparams"))
paddle.save([1, 2], str(folder / "list.pdparams"))
paddle.save({"epoch": 3}, str(folder / "number.pdparams"))
sys.stdout.write(json.dumps(values) + "\n")
