"""The log of a CI job: a group for each step and a few annotations, as the platform shows them."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, Literal, TextIO

Platform = Literal["github", "gitlab", "plain"]
Level = Literal["notice", "warning", "error"]
MAX_ANNOTATIONS: Final = 10
"""GitHub keeps this many for a step."""


def platform_of(environment: Mapping[str, str]) -> Platform:
    """By the variables that the platforms set for every job."""
    if environment.get("GITHUB_ACTIONS") == "true":
        return "github"
    return "gitlab" if environment.get("GITLAB_CI") == "true" else "plain"


class JobLog:
    """Writes to the job's standard output. Within a group no line is a command to GitHub's runner."""

    def __init__(self, stream: TextIO, platform: Platform) -> None:
        self._stream, self._platform = stream, platform
        self._open = ""
        self._pause = secrets.token_hex(16)
        self._annotations = 0

    def __enter__(self) -> JobLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def open(self, step: str, reason: str) -> None:
        """Begin the group of a step, and end the one before."""
        self.close()
        title = _line(f"{step}: {reason}" if reason else step)
        self._open = step
        if self._platform == "github":
            self._write(f"::group::{title}", f"::stop-commands::{self._pause}")
        elif self._platform == "gitlab":
            self._write(f"\x1b[0Ksection_start:{int(time.time())}:{_section(step)}\r\x1b[0K{title}")
        else:
            self._write(f"== {title}")

    def close(self) -> None:
        """End the open group, if there is one."""
        if self._open and self._platform == "github":
            self._write(f"::{self._pause}::", "::endgroup::")
        elif self._open and self._platform == "gitlab":
            self._write(f"\x1b[0Ksection_end:{int(time.time())}:{_section(self._open)}\r\x1b[0K")
        self._open = ""

    def annotate(self, level: Level, text: str) -> None:
        """A note at the top of the job, outside of groups; the first MAX_ANNOTATIONS of them."""
        self._annotations += 1
        if self._annotations > MAX_ANNOTATIONS:
            return
        self.close()
        if self._platform == "github":
            self._write(f"::{level} title=maskdet::{_escaped(text)}")
        else:
            self._write(*(f"{level}: {line}" for line in text.splitlines()))

    def _write(self, *lines: str) -> None:
        self._stream.write("".join(f"{line}\n" for line in lines))
        self._stream.flush()


class Warnings:
    """Remembers the warnings among a training's events, each once."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def on_event(self, event: Mapping[str, Any]) -> None:
        if event.get("event") == "warning" and event["text"] not in self.texts:
            self.texts.append(event["text"])


def _escaped(text: str) -> str:
    """As GitHub's toolkit escapes the text of a command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _line(text: str) -> str:
    return " ".join(text.split())


def _section(step: str) -> str:
    return re.sub(r"[^a-z0-9_]", "_", step.lower())
