"""One of several server processes, started by the supervisor.

`python -m maskdet.serving.process.worker LISTENER LINE`: both are file descriptors of inherited sockets, and
the job comes as JSON on standard input.
"""

from __future__ import annotations

import json
import logging
import signal
import socket
import sys
from pathlib import Path

from maskdet.errors import MaskdetError, ServingError
from maskdet.serving.engine.source import Source
from maskdet.serving.process.link import Link
from maskdet.serving.process.listener import Listener
from maskdet.serving.process.logs import log_to
from maskdet.serving.process.server import run
from maskdet.serving.settings import ServeSettings
from maskdet.system.native_thread import leave

logger = logging.getLogger("maskdet.server")


def main() -> int:
    """Serve until the supervisor says stop; the exit status tells how it went."""
    # Ctrl-C reaches the whole process group; only the supervisor acts on it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    listener_number, line_number = map(int, sys.argv[1:3])
    log_to()
    job = json.load(sys.stdin)
    link = Link(socket.socket(fileno=line_number))
    settings = ServeSettings.model_validate(job["settings"])
    models = {name: Source(Path(path), reference) for name, (path, reference) in job["models"].items()}
    try:
        with Listener(fileno=listener_number) as listener:
            run(models, settings, listener, link.ready, link)
    except MaskdetError as error:
        link.failed(error)
        return error.exit_code
    except Exception as error:
        logger.exception("worker failed")
        link.failed(
            ServingError(f"a worker failed: {type(error).__name__}: {error}", "see the log for where")
        )
        return ServingError.exit_code
    return 0


if __name__ == "__main__":
    leave(main())
