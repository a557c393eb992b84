"""Take every screenshot in docs/images again, from real servers in a real browser.

`make demo` and `make loop` have to have run: the web page shows the model of the former, the pages of the
loop show what the latter left. Needs Chromium.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.sync_api import sync_playwright

from served import ROOT, end_on_sigterm
from write_figures import loop_pages, monitor_page, web_page

MODEL = ROOT / "runs" / "sample" / "export" / "model.onnx"
LOOP = ROOT / "runs" / "loop"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images", help="folder for the pictures")
    out = parser.parse_args().out
    for path, command in ((MODEL, "make demo"), (LOOP / "pipeline.yml", "make loop")):
        if not path.is_file():
            print(f"{path} does not exist\n  next: run `{command}`", file=sys.stderr)
            return 1
    end_on_sigterm()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        web_page.picture(browser, MODEL, Path(name), out)
        monitor_page.picture(browser, Path(name), out)
        loop_pages.picture(browser, LOOP, Path(name), out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
