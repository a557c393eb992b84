"""Exit codes and error classes, from maskdet/errors.py."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import maskdet
from maskdet import errors
from maskdet.errors import MaskdetError
from write_reference.language import English, cell, table

TITLE = "Errors and exit codes"
SOURCE = "maskdet/errors.py"
HEAD = (
    "Every error that maskdet raises on purpose says what is wrong and where, and on a second line, after "
    "`next:`, what to do about it. In Python these are `what` and `hint` of the exception. `maskdet` exits "
    "with the code of the error's class. The codes that HTTP clients see are on the page of "
    "[the HTTP API](http.md#errors).",
)
OTHERS = (
    ("0", "Success."),
    ("1", "An unexpected error; `maskdet --debug COMMAND` shows its traceback."),
    ("2", "A command was called with wrong arguments or options."),
    ("141", "Whoever read the output has closed it, as `head` does."),
    ("143", "SIGTERM ended the command."),
)


def content(say: English) -> Iterator[str]:
    yield from map(say, HEAD)
    yield f"## {say('Exit codes')}"
    yield _codes(say)
    yield f"## {say('Classes')}"
    yield say("Classes in code are names of `maskdet`; the others are in `maskdet.errors`.")
    yield _classes(say)


def _codes(say: English) -> str:
    known = [(str(each.exit_code), inspect.getdoc(each) or "") for each in _all() if each is not MaskdetError]
    rows = []
    for code in sorted({code for code, _ in (*OTHERS, *known)}, key=int):
        told = [say(words) for other, words in (*OTHERS, *known) if other == code]
        rows.append((code, cell(" ".join(told))))
    return table(say, ("code", "meaning"), rows)


def _classes(say: English) -> str:
    rows = []
    for each in _all():
        name = each.__name__ if each.__name__ in maskdet.__all__ else f"errors.{each.__name__}"
        words = cell(say(inspect.getdoc(each) or ""))
        rows.append((f"`maskdet.{name}`", f"`{each.__mro__[1].__name__}`", str(each.exit_code), words))
    return table(say, ("class", "is a", "code", "meaning"), rows)


def _all() -> list[type[MaskdetError]]:
    """By exit code, otherwise in the order of the file."""
    classes = filter(inspect.isclass, vars(errors).values())
    return sorted(
        (each for each in classes if issubclass(each, MaskdetError)), key=lambda each: each.exit_code
    )
