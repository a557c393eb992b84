"""Prints, as a JSON list, how many values the network of each picodet.yml has: RECIPE..."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from maskdet.training.worker.network import build_network, load_config

counts = [
    sum(int(parameter.size) for parameter in build_network(load_config(Path(path))).parameters())
    for path in sys.argv[1:]
]
sys.stdout.write(json.dumps(counts) + "\n")
