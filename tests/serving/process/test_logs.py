from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Iterator

import pytest

from maskdet.serving.process.logs import log_to

NAMES = ("maskdet", "uvicorn", "py.warnings")


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    loggers = [logging.getLogger(name) for name in NAMES]
    before = [(one.handlers, one.level, one.propagate) for one in loggers]
    caught = io.StringIO()
    log_to(caught)
    yield caught
    logging.captureWarnings(capture=False)
    for one, (handlers, level, propagate) in zip(loggers, before, strict=True):
        one.handlers, one.propagate = handlers, propagate
        one.setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_record_is_one_json_line_with_its_fields(stream: io.StringIO) -> None:
    logging.getLogger("maskdet.access").info(
        "request\n2", extra={"fields": {"status": 200, "path": "/口罩\n"}}
    )

    [line] = lines(stream)
    assert (line["message"], line["status"], line["path"]) == ("request\n2", 200, "/口罩\n")
    assert (line["level"], line["logger"]) == ("info", "maskdet.access")
    assert str(line["time"]).endswith("+00:00")


def test_traceback_and_warnings_stay_on_one_line(stream: io.StringIO) -> None:
    try:
        raise ValueError("odd")
    except ValueError:
        logging.getLogger("uvicorn.error").exception("failed")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("corrupt EXIF", stacklevel=1)

    failed, warned = lines(stream)
    assert "ValueError: odd" in str(failed["traceback"])
    assert "corrupt EXIF" in str(warned["message"])
