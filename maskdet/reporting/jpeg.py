"""Pictures inside a page: JPEG data URLs, bounded in number and bytes."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import Final

from PIL import Image

QUALITY: Final = 80
MAX_BYTES: Final = 3 << 20
"""Of all pictures of a page together, encoded. The page stays under 5 MB."""


def jpeg_bytes(picture: Image.Image) -> bytes:
    """The picture as a JPEG without metadata."""
    stream = io.BytesIO()
    picture.convert("RGB").save(stream, format="jpeg", quality=QUALITY, optimize=True)
    return stream.getvalue()


@dataclass(slots=True)
class Album:
    """The pictures of one page: takes them until its bytes are used up."""

    left: int = MAX_BYTES

    def take(self, picture: Image.Image) -> str | None:
        """The picture's data URL; None if there is no room for it."""
        url = f"data:image/jpeg;base64,{base64.b64encode(jpeg_bytes(picture)).decode()}"
        if len(url) > self.left:
            return None
        self.left -= len(url)
        return url
