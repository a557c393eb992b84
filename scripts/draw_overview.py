"""Draw docs/images/sample.png: some pictures of a VOC folder with the boxes of their annotations."""

from __future__ import annotations

import argparse
from pathlib import Path

from lxml import etree
from PIL import Image, ImageDraw, ImageFont

HEIGHT = 300
GAP = 8
COLOURS = {"with_mask": (22, 128, 92), "without_mask": (204, 60, 48)}


def labelled(root: Path, stem: str) -> Image.Image:
    """The picture, HEIGHT pixels high, with its boxes and their class names."""
    with Image.open(root / "JPEGImages" / f"{stem}.jpg") as opened:
        scale = HEIGHT / opened.height
        size = (round(opened.width * scale), HEIGHT)
        picture = opened.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(13)
    for element in etree.parse(root / "Annotations" / f"{stem}.xml").iter("object"):
        corners = [int(element.findtext(f"bndbox/{name}", "")) for name in ("xmin", "ymin", "xmax", "ymax")]
        xmin, ymin, xmax, ymax = (round(corner * scale) for corner in corners)
        label = element.findtext("name", "")
        pen.rectangle((xmin, ymin, xmax, ymax), outline=COLOURS[label], width=3)
        wide = pen.textlength(label, font) + 8
        left, top = min(xmin, picture.width - wide), max(0, ymin - 17)
        pen.rectangle((left, top, left + wide, top + 17), fill=COLOURS[label])
        pen.text((left + 4, top + 1), label, (255, 255, 255), font)
    return picture


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path, help="folder with JPEGImages/ and Annotations/")
    parser.add_argument("target", type=Path, help="PNG to write")
    parser.add_argument("stems", nargs="+", help="names of the pictures, without ending")
    options = parser.parse_args()
    pictures = [labelled(options.root, stem) for stem in options.stems]
    sheet = Image.new(
        "RGB", (sum(picture.width + GAP for picture in pictures) - GAP, HEIGHT), (255, 255, 255)
    )
    left = 0
    for picture in pictures:
        sheet.paste(picture, (left, 0))
        left += picture.width + GAP
    options.target.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(options.target, optimize=True)


if __name__ == "__main__":
    main()
