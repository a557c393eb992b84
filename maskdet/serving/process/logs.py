"""Structured logs: one JSON object per line, through the standard logging."""

from __future__ import annotations

import logging
import sys
from datetime import datetime, timezone
from typing import Any, TextIO

from maskdet.serving.http.json_writing import json_text


class JsonFormatter(logging.Formatter):
    """time, level, logger, message, then the record's `fields` and its traceback if it has one."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, timezone.utc)
        line: dict[str, Any] = {
            "time": moment.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "pid": record.process,
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json_text(line, default=str, allow_nan=True)


def log_to(stream: TextIO = sys.stderr) -> None:
    """Send maskdet's and uvicorn's records to a stream as JSON lines. Our access log replaces uvicorn's."""
    logging.captureWarnings(capture=True)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    for name, level in (
        ("maskdet", logging.INFO),
        ("uvicorn", logging.WARNING),
        ("py.warnings", logging.WARNING),
    ):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(level)
        logger.propagate = False
