"""Fuzz a server: damaged pictures and malformed bodies on every route, and schemathesis on its OpenAPI
document. Whatever is sent, the response is a well-formed 2xx or 4xx, and the server stays as fast as before.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fuzz.barrage import under_attack
from fuzz.documented import BenchError, schemathesis
from fuzz.fuzzer import fuzz
from fuzz.target import PATIENCE, fill, good_ms, model_name
from served import ROOT, ServedError, end_on_sigterm, server

SLOWER = 3.0
"""A good request after fuzzing may take this many times as long as one before."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=ROOT / "runs" / "sample" / "export" / "model.onnx")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="fuzz only routes that start like this")
    parser.add_argument("--seconds", type=float, default=900, help="limit for each of the two parts")
    parser.add_argument("--examples", type=int, default=100, help="of schemathesis per route; 0: skip it")
    parser.add_argument("--hostile-bytes", type=int, default=4_000_000, help="per hostile body; 0: skip them")
    options = parser.parse_args()
    end_on_sigterm()
    try:
        with tempfile.TemporaryDirectory() as folder:
            return run(options, Path(folder))
    except (OSError, ServedError, BenchError) as error:
        print(f"fuzz: {error}", file=sys.stderr)
        return 1


def run(options: argparse.Namespace, folder: Path) -> int:
    found: list[str] = []
    log, inbox = folder / "serve.log", folder / "inbox"
    names = fill(inbox)
    with server(log, "--model", str(options.model.resolve()), "--inbox", str(inbox), *PATIENCE) as address:
        port = int(address.rpartition(":")[2])
        before = good_ms(port)
        model = model_name(address)
        statuses, faults = fuzz(
            port, model, options.requests, options.seed, options.seconds, names, options.only
        )
        print(f"{sum(statuses.values())} requests: {dict(sorted(statuses.items()))}")
        found += faults
        found += under_attack(port, model_name(address), options.hostile_bytes)
        if options.examples:
            text, passed = schemathesis(address, options.examples, options.seconds)
            print(text)
            found += [] if passed else ["schemathesis found faults"]
        after = good_ms(port)
        print(f"a good request took {before:.1f} ms before and {after:.1f} ms after")
        if after > SLOWER * before:
            found.append("the server became slower")
    lines = [line for line in log.read_text(errors="replace").splitlines() if '"traceback"' in line]
    found += [f"traceback in the log: {line[:1500]}" for line in lines]
    for fault in found[:20]:
        print(f"FAIL {fault}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
