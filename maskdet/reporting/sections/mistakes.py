"""The worst mistakes, each drawn with the label's box and the model's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from maskdet.errors import PictureError
from maskdet.evaluation.mistakes import Mistake
from maskdet.evaluation.sheet.worst import draw_mistake
from maskdet.reporting.jpeg import Album
from maskdet.reporting.markup import Markup, element, joined
from maskdet.reporting.run_files import RunFiles
from maskdet.reporting.texts import say


def mistakes(run: RunFiles, album: Album) -> Markup | None:
    """A gallery, worst first; a picture that is gone or has no room in the album is counted."""
    judged = run.judged
    if judged is None or "mistakes" not in judged:
        return None
    told = [Mistake.from_json(each) for each in judged["mistakes"]]
    if not told:
        return element("p", say("none"))
    files = run.files
    drawn = [one for each in told if (one := _figure(each, files.get(each.path), album)) is not None]
    left = [element("p", say("unseen", count=str(len(told) - len(drawn))))] if len(drawn) < len(told) else []
    return joined(
        [
            element("p", say("mistakes_note"), class_="quiet"),
            element("div", *drawn, class_="gallery"),
            *left,
        ]
    )


def _figure(mistake: Mistake, file: Path | None, album: Album) -> Markup | None:
    try:
        url = None if file is None else album.take(draw_mistake(mistake, file))
    except (OSError, PictureError):
        return None
    if url is None:
        return None
    name = Path(mistake.path).name
    return element(
        "figure",
        element("img", src=url, alt=name, width=230, height=230),
        element("figcaption", *_caption(mistake), element("span", name, class_="quiet name")),
    )


def _caption(mistake: Mistake) -> Iterator[Markup]:
    yield element("strong", say(mistake.kind))
    yield element(
        "span", say("was_labelled", label=mistake.truth) if mistake.truth else say("no_face"), class_="truth"
    )
    if mistake.said is None:
        yield element("span", say("said_nothing"), class_="said")
    else:
        yield element(
            "span", say("was_said", label=mistake.said, score=f"{mistake.score or 0:.2f}"), class_="said"
        )
