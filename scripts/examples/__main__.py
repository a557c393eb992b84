"""Run the examples of the documentation as they stand, each page in a folder of its own: `make examples`.

A page is run up to its first example that fails. What is not run is listed with the reason (not_run.py), and
the logs of failures are kept in build/examples.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


from examples.blocks import ROOT, Example, every_page, examples
from examples.lanes import Lanes
from examples.not_run import reason_of
from examples.scenes import scene_of
from served import end_on_sigterm


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "pages", nargs="*", metavar="PAGE", help="a page, or its path within the repository; default: all"
    )
    parser.add_argument(
        "--logs", type=Path, default=ROOT / "build" / "examples", help="folder for the logs of failures"
    )
    parser.add_argument(
        "--short", action="store_true", help="without pages that take a minute or more, but for README.md"
    )
    given = parser.parse_args()
    pages = given.pages or [page for page in every_page() if not (given.short and scene_of(page).long)]
    end_on_sigterm()
    shutil.rmtree(given.logs, ignore_errors=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="maskdet-examples-", ignore_cleanup_errors=True) as folder:
        try:
            done = Lanes(Path(folder), given.logs).play(pages)
        except OSError as error:
            print(f"examples: {error}", file=sys.stderr)
            return 1
    report_left_out(pages)
    print(
        f"\n{done.run} examples of {len(pages)} pages run in {time.monotonic() - began:.0f} s, "
        f"{len(done.failures)} failed"
    )
    for failure in done.failures:
        print(failure.partition("\n")[0])
    return 1 if done.failures else 0


def report_left_out(pages: Sequence[str]) -> None:
    """What is not run, by its reason."""
    reasons: dict[str, list[Example]] = {}
    for example in (each for page in pages for each in examples(page)):
        if reason := reason_of(example):
            reasons.setdefault(reason, []).append(example)
    print(f"\nnot run: {sum(map(len, reasons.values()))}")
    for reason, left_out in sorted(reasons.items(), key=lambda item: -len(item[1])):
        print(f"{len(left_out):4} {reason}")
        for example in left_out:
            print(f"       {example.place}  {example.headline}")


if __name__ == "__main__":
    sys.exit(main())
