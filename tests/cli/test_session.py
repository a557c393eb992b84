"""What a command's own flags become."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskdet.cli.session import with_flags
from maskdet.pipeline.file.load import default_pipeline

PLAIN = ("inbox", "a=b", "a: b", "口罩", "C:\\x")
OTHERWISE = ("2026", "true", "null", "~", "1e3", "[x]", "[x", "{a: b}", '"x"', "'x'", " x ")
"""What --set takes for something else than these characters."""
AWKWARD = ("[😷", "[C:\\x", "[a\u2028b", "[a\nb", "[\udc80")


@pytest.mark.parametrize("name", [*PLAIN, *OTHERWISE, *AWKWARD])
def test_a_flag_is_taken_as_it_stands(name: str) -> None:
    flags = {"serve.inbox": Path(name), "serve.host": name}
    serve = default_pipeline(with_flags(["serve.port=1"], flags)).serve
    assert (serve.inbox, serve.host, serve.port) == (Path.cwd() / Path(name).expanduser(), name, 1)


def test_numbers_switches_and_lists_keep_their_kind() -> None:
    flags = {"serve.port": 0, "serve.watch": True, "serve.cors_origins": ["*", "a"], "serve.inbox": None}
    serve = default_pipeline(with_flags(None, flags)).serve
    assert (serve.port, serve.watch, serve.cors_origins, serve.inbox) == (0, True, ("*", "a"), None)
    assert default_pipeline(with_flags([], {"train.workers": "4"})).train.workers == 4
