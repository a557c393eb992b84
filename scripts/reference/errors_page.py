"""Exit codes and error classes, from maskdet/errors.py."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import maskdet
from maskdet import errors
from maskdet.errors import MaskdetError
from reference.language import English, cell

TITLE = "Errors and exit codes"
SOURCE = "maskdet/errors.py"
HEAD = (
    "Every error that maskdet raises on purpose says what is wrong and where, and on a second line, after `next:`, "
    "what to do about it. In Python these are `what` and `hint` of the exception. `maskdet` exits with the code of "
    "the error's class. The codes that HTTP clients see are on the page of [the HTTP API](http.md#errors).",
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
    rows = [f"| {say('code')} | {say('meaning')} |", "|---|---|"]
    for code in sorted({code for code, _ in (*OTHERS, *known)}, key=int):
        told = [say(words) for other, words in (*OTHERS, *known) if other == code]
        rows.append(f"| {code} | {cell(' '.join(told))} |")
    return "\n".join(rows)


def _classes(say: English) -> str:
    rows = [f"| {say('class')} | {say('is a')} | {say('code')} | {say('meaning')} |", "|---|---|---|---|"]
    for each in _all():
        name = each.__name__ if each.__name__ in maskdet.__all__ else f"errors.{each.__name__}"
        base = each.__mro__[1].__name__
        rows.append(
            f"| `maskdet.{name}` | `{base}` | {each.exit_code} | {cell(say(inspect.getdoc(each) or ''))} |"
        )
    return "\n".join(rows)


def _all() -> list[type[MaskdetError]]:
    """In the order of the file."""
    found = [each for each in vars(errors).values() if inspect.isclass(each) and issubclass(each, MaskdetError)]
    return sorted(found, key=lambda each: each.exit_code)
