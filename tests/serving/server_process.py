"""Runs the server as its own process: BUNDLE SETTINGS_JSON SLOW_MS. Prints its URL when ready.

BUNDLE may be REGISTRY:REFERENCE, such as /data/models:models:face-mask@champion.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from maskdet.errors import MaskdetError
from maskdet.serving.engine.served_model import ServedModel
from maskdet.serving.engine.source import Source
from maskdet.serving.process.logs import log_to
from maskdet.serving.process.serve import serve
from maskdet.serving.settings import ServeSettings


def slow_down(milliseconds: int) -> None:
    """Make each pass through the real model take longer, as a large model would."""
    quick = ServedModel.detect

    def slow(self: ServedModel, *args: Any, **options: Any) -> Any:
        time.sleep(milliseconds / 1000)
        return quick(self, *args, **options)

    ServedModel.detect = slow  # type: ignore[method-assign]


def main() -> int:
    bundle, settings, slow_ms = sys.argv[1:]
    log_to()

    def ready(url: str, thresholds: Mapping[str, str]) -> None:
        del thresholds
        if int(slow_ms):
            slow_down(int(slow_ms))
        sys.stdout.write(f"{url}\n")
        sys.stdout.flush()

    try:
        path, _, reference = bundle.partition(":")
        serve({"": Source(Path(path), reference)}, ServeSettings(**json.loads(settings)), ready)
    except MaskdetError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
