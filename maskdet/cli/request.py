"""`maskdet request`: send pictures to a running server, as a check and a first measurement."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from maskdet.serving.client import Reply


def request(
    url: Annotated[
        str, typer.Argument(metavar="URL", help="The server's URL, such as http://127.0.0.1:8866.")
    ],
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATHS...", help="Pictures, and folders of pictures.")
    ],
    batch_size: Annotated[
        int, typer.Option("--batch-size", metavar="N", min=1, max=1024, help="Pictures in one request.")
    ] = 1,
    api_key: Annotated[
        str, typer.Option("--api-key", metavar="KEY", envvar="MASKDET_API_KEY", help="The server's key.")
    ] = "",
    camera: Annotated[
        str, typer.Option("--camera", metavar="NAME", help="The camera as which the server counts them.")
    ] = "",
) -> None:
    """Send pictures to a running server.

    Shows each result, the average time and the average top score. Fails if any picture does.
    """
    from maskdet.cli.console import print_lines
    from maskdet.serving.client import Client, pictures_in

    files = pictures_in(paths)
    replies: list[Reply] = []
    with Client(url, api_key, camera) as client:
        for reply in client.detect(files, batch_size):
            replies.append(reply)
            print_lines([_line(reply)])
    _sum_up(replies)


def _line(reply: Reply) -> str:
    if reply.error:
        return f"{reply.file}: not answered: {reply.error}"
    faces = ", ".join(f"{label} {score:.2f}" for label, score in reply.faces) or "no face"
    return f"{reply.file}: {reply.verdict}: {faces} ({reply.milliseconds:.1f} ms)"


def _sum_up(replies: list[Reply]) -> None:
    from maskdet.cli.console import print_lines
    from maskdet.errors import PictureError

    answered = [reply for reply in replies if not reply.error]
    if answered:
        mean = sum(reply.milliseconds for reply in answered) / len(answered)
        tops = [reply.faces[0][1] for reply in answered if reply.faces]
        top = f"{sum(tops) / len(tops):.3f}" if tops else "none, no face was found"
        bundles = ", ".join(dict.fromkeys(reply.bundle for reply in answered))
        print_lines(
            [
                f"{len(answered)} of {len(replies)} pictures answered by bundle {bundles}",
                f"average time {mean:.1f} ms per picture, average top score {top}",
            ]
        )
    if len(answered) < len(replies):
        raise PictureError(
            f"pictures that were not answered: {len(replies) - len(answered)}", "the lines above say why"
        )
