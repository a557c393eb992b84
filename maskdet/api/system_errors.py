"""Faults of the operating system as maskdet's errors: the file that was meant, and the next step."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from maskdet.errors import MaskdetError
from maskdet.system.asides import intended

_STEPS: Final = {
    errno.EACCES: "choose a folder that you may write to for the results",
    errno.EROFS: "choose a folder that can be written to for the results",
    errno.ENOSPC: "free some space, or choose another disk for the results",
    errno.EFBIG: "raise the limit on the size of files (ulimit -f)",
}


def of_system(error: OSError) -> MaskdetError:
    """What to tell the user in its place."""
    step = _STEPS.get(error.errno or 0, "fix that and run the command again")
    # A copy names two files. One that could be opened, and then not be written, is the second one.
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) and error.filename2
    file = error.filename2 if full else error.filename
    if error.strerror is None or not isinstance(file, str):
        return MaskdetError(str(error), step)
    # The user knows the file, not the temporary one beside it.
    return MaskdetError(f"{intended(file)}: {error.strerror}", step)


@contextmanager
def system_errors_told() -> Iterator[None]:
    """Raises MaskdetError in place of the block's OSError."""
    try:
        yield
    except OSError as error:
        raise of_system(error) from error
