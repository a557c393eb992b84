"""Runs model.json and model.pdiparams as Paddle's users do: FOLDER BATCH.npy. Prints rows and counts."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import paddle.inference

folder, batch = Path(sys.argv[1]), np.load(sys.argv[2])
config = paddle.inference.Config(str(folder / "model.json"), str(folder / "model.pdiparams"))
config.disable_glog_info()
predictor = paddle.inference.create_predictor(config)
feed = {"image": batch, "scale_factor": np.ones((len(batch), 2), np.float32)}
for name in predictor.get_input_names():
    predictor.get_input_handle(name).copy_from_cpu(feed[name])
predictor.run()
rows, counts = (predictor.get_output_handle(name).copy_to_cpu() for name in predictor.get_output_names())
sys.stdout.write(json.dumps({"rows": rows.tolist(), "counts": counts.tolist()}) + "\n")
