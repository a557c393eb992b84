"""The one way to write JSON for clients and the log."""

from __future__ import annotations

import json
from typing import Any


def json_text(value: Any, **form: Any) -> str:
    """JSON with non-ASCII as it is; `form` is for json.dumps. Raises ValueError for NaN and infinity.

    Half of a surrogate pair, which no UTF-8 can hold, is written as its escape.
    """
    return printable(json.dumps(value, ensure_ascii=False, **{"allow_nan": False, **form}))


def printable(text: str) -> str:
    """The text with each half of a surrogate pair as its escape, so that it can be encoded."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
