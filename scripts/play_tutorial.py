"""Run the commands of docs/tutorial.md as they stand, one after the other; stops at the first that fails.

They write to runs/first, which must not exist yet.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "docs_site"))

from pages import Fence, fences

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "tutorial.md"
FOLDER = ROOT / "runs" / "first"
SERVE = "maskdet serve"
# The reader's second terminal, and a server that may need a moment.
IN_BACKGROUND = f"""{SERVE} >serve.log 2>&1 &
trap 'kill %1 2>/dev/null || true' EXIT
for _ in $(seq 60); do maskdet status && break; sleep 1; done"""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.parse_args()
    if FOLDER.exists():
        print(f"{FOLDER} exists\n  next: remove it", file=sys.stderr)
        return 1
    commands = "\n".join(["set -euxo pipefail", *steps(fences(PAGE.read_text(encoding="utf-8")))])
    return subprocess.run(
        ["bash", "-c", commands], cwd=ROOT, stdin=subprocess.DEVNULL, check=False
    ).returncode


def steps(blocks: list[Fence]) -> Iterator[str]:
    """What a shell does for each block: run it, save it, or leave it running."""
    for block in blocks:
        if block.language == "yaml":
            yield f"cat >pipeline.yml <<'END'\n{block.code}END"
        else:
            yield IN_BACKGROUND if block.code.strip() == SERVE else block.code


if __name__ == "__main__":
    sys.exit(main())
