"""What the checks report: one frozen record per fault, and one table of how serious each kind is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

Severity = Literal["error", "notice"]
Unit = Literal["edge", "class", "object", "annotation", "picture", "line", "nothing"]

Fate = Literal["dropped", "cut", "ignored"]
FATES: tuple[Fate, ...] = get_args(Fate)
_FATES: dict[Unit, Fate] = {"edge": "cut", "class": "ignored"}

LINE_LENGTH = 320
"""Characters of one printed finding; the file comes first, so it is never cut off."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of finding. An error stops prepare; with `skip_bad`, `drops` is what is left out instead.

    Of a box that loses an "edge" the rest is kept, and of a face that loses its "class" the place: it is
    ignored, since dropping it would teach it as background.
    A rule that drops "nothing" stops even with `skip_bad` if it is an error, and only informs if it is a
    notice.
    """

    severity: Severity
    drops: Unit
    meaning: str


RULES: dict[str, Rule] = {
    "nested-folder": Rule("error", "nothing", "a folder inside JPEGImages or Annotations"),
    "name-unusable": Rule("error", "picture", "a file name that cannot be put in a list file"),
    "stem-clash": Rule("error", "picture", "several pictures, or annotations, with the same stem"),
    "annotation-missing": Rule("error", "picture", "a picture without an XML file"),
    "picture-missing": Rule("error", "annotation", "an XML file without a picture"),
    "picture-unreadable": Rule(
        "error", "picture", "a file that is damaged, cut off, too large or no picture"
    ),
    "xml-unreadable": Rule("error", "picture", "an XML file that is not well-formed, empty or too large"),
    "xml-entities": Rule("error", "picture", "an XML file that declares entities or names an external DTD"),
    "xml-not-voc": Rule("error", "picture", "an XML file whose root is not <annotation>"),
    "size-mismatch": Rule("error", "picture", "a size in the XML that is not the picture's"),
    "size-unturned": Rule("error", "picture", "an XML file that fits the picture only before its EXIF turn"),
    "coordinate-missing": Rule("error", "object", "a box that lacks a coordinate"),
    "coordinate-invalid": Rule("error", "object", "a coordinate that is not a finite number"),
    "box-inverted": Rule("error", "object", "a box whose min is greater than its max"),
    "box-empty": Rule("error", "object", "a box without area"),
    "box-outside": Rule("error", "edge", "a box more than 1 px beyond the picture's edge, half of it inside"),
    "box-far-outside": Rule("error", "class", "a box of which more than half is beyond the picture's edge"),
    "box-away": Rule("error", "object", "a box that lies beyond the picture as a whole"),
    "label-missing": Rule("error", "class", "an object without a name"),
    "label-lost": Rule("error", "object", "an object without a name, for which other formats have no place"),
    "label-unknown": Rule("error", "class", "a name that is not in data.labels"),
    "label-misspelt": Rule("error", "class", "a rare name one typo away from a frequent one"),
    "label-conflict": Rule("error", "class", "one box under two names"),
    "list-double": Rule("error", "picture", "a picture in two lists of ImageSets/Main"),
    "list-missing": Rule("error", "picture", "a picture in no list of ImageSets/Main"),
    "list-unknown": Rule("error", "line", "a name in a list of ImageSets/Main that no picture has"),
    "box-edge": Rule("notice", "nothing", "a box at most 1 px beyond the edge, clipped to the picture"),
    "float-coordinates": Rule("notice", "nothing", "coordinates with decimals, accepted"),
    "difficult-text": Rule("notice", "nothing", "`difficult` is not 0 or 1, read as the message says"),
    "stray-text": Rule("notice", "nothing", "text between elements, ignored"),
    "duplicate-object": Rule("notice", "nothing", "an object that appears twice in a file, counted once"),
    "size-missing": Rule("notice", "nothing", "an XML file that does not give the picture's size"),
    "turn-unclear": Rule("notice", "nothing", "a picture whose boxes may be from before its EXIF turn"),
    "filename-differs": Rule("notice", "nothing", "a <filename> that names another picture"),
    "format-differs": Rule("notice", "nothing", "a picture whose content does not match its suffix"),
    "file-ignored": Rule("notice", "nothing", "a file that is neither a picture nor an annotation"),
    "no-objects": Rule("notice", "nothing", "a picture without objects, kept as a negative"),
    "exact-duplicate": Rule("notice", "nothing", "two pictures of the same bytes, both kept"),
    "near-duplicate": Rule("notice", "nothing", "two pictures that look alike, both kept"),
    "lists-alike": Rule("notice", "nothing", "two pictures that look alike, in two parts of ImageSets/Main"),
    "lists-unused": Rule("notice", "nothing", "lists in ImageSets/Main that data.split does not follow"),
    "val-duplicate": Rule("notice", "picture", "a near-duplicate of a val picture, so it does not train"),
    "corrected": Rule("notice", "picture", "a picture whose copy in a folder that corrects others stands"),
    "split-frozen": Rule("notice", "nothing", "a split of data.frozen_val that is far from data.split"),
    "val-missing": Rule("notice", "nothing", "a picture of data.frozen_val that is not in the data"),
    "picture-emptied": Rule(
        "notice", "picture", "a picture that lost all its objects, so it is not a negative"
    ),
    "label-unseen": Rule("notice", "nothing", "a class of data.labels that no object has"),
    "role-unknown": Rule("notice", "nothing", "a class whose role (masked, bare, worn-wrong) is unknown"),
    "name-with-space": Rule("notice", "nothing", "a space in a path, where PaddleDetection splits lines"),
}
"""Every kind of finding in a VOC folder. What makes a label or a box doubtful is an error; what is
unambiguous, or does not affect training, is a notice."""

FOREIGN_RULES: dict[str, Rule] = {
    "labels-unreadable": Rule("error", "picture", "a label file that is damaged, too large or not text"),
    "object-invalid": Rule("error", "object", "a line or an annotation that is not an object with a box"),
    "class-unknown": Rule("error", "object", "a class id that the set does not define"),
    "picture-unknown": Rule("error", "object", "an annotation of a picture that the set does not list"),
    "picture-listed-twice": Rule("error", "picture", "a picture with two entries"),
    "path-outside": Rule("error", "picture", "a path that leads out of the set's folder"),
    "part-missing": Rule("error", "picture", "a train or val folder or list that the set does not have"),
    "test-missing": Rule("notice", "nothing", "a test folder or list that the set does not have"),
    "parts-same": Rule("notice", "nothing", "one folder or list for two parts, so that the set is not split"),
    "difficult-unknown": Rule("error", "nothing", "a difficult flag of a line that does not exist"),
    "labels-missing": Rule("notice", "nothing", "a picture without a label file, kept as a negative"),
    "part-repeated": Rule("notice", "nothing", "a picture in two parts, kept in the first"),
    "outline-boxed": Rule("notice", "nothing", "an outline, read as the box around it"),
    "crowd-difficult": Rule("notice", "nothing", "a crowd region, read as a difficult object"),
}
"""Kinds of findings that only COCO and YOLO sets have."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault of one kind in one place.

    `file` is relative to the data root with forward slashes, `line` 1-based (0: none), `number` that of the
    object within its file, 1-based (0: none).
    """

    code: str
    file: str
    message: str
    hint: str = ""
    line: int = 0
    number: int = 0

    @property
    def severity(self) -> Severity:
        return _rule(self.code).severity

    @property
    def drops(self) -> Unit:
        return _rule(self.code).drops

    @property
    def is_error(self) -> bool:
        return self.severity == "error"

    @property
    def fate(self) -> Fate:
        """What `skip_bad` does with the item."""
        return _FATES.get(self.drops, "dropped")

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        which = f" object {self.number}:" if self.number else ""
        hint = f" ({self.hint})" if self.hint else ""
        return clean(f"{place}:{which} {self.message}{hint} [{self.code}]", LINE_LENGTH)


class Collector:
    """Gathers the findings about one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.findings: list[Finding] = []

    def add(self, code: str, message: str, hint: str = "", *, line: int = 0, number: int = 0) -> None:
        self.findings.append(Finding(code, self.file, message, hint, line, number))


def sort_key(finding: Finding) -> tuple[str, int, int, str, str]:
    """Findings in the order of the files, then of the lines."""
    return finding.file, finding.line, finding.number, finding.code, finding.message


def bounded(findings: Sequence[Finding], limit: int, most: int | None = None) -> list[str]:
    """At most `limit` lines, and `most` of a kind, and one that counts the rest.

    Frequent kinds do not crowd out rare ones.
    """
    share = min(_share(Counter(finding.code for finding in findings), limit), most or limit)
    shown: Counter[str] = Counter()
    rest: Counter[str] = Counter()
    lines: list[str] = []
    for finding in findings:
        if shown[finding.code] < share and len(lines) < limit:
            shown[finding.code] += 1
            lines.append(str(finding))
        else:
            rest[finding.code] += 1
    return lines + ([f"and {rest.total()} more: {counts(rest)}"] if rest else [])


def counts(codes: Counter[str]) -> str:
    """For people: "3 box-empty, 1 stray-text", the most frequent first."""
    ordered = sorted(codes.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{number} {code}" for code, number in ordered)


def by_severity(findings: Iterable[Finding], severity: Severity) -> list[Finding]:
    return sorted((f for f in findings if f.severity == severity), key=sort_key)


def clean(text: str, length: int) -> str:
    """One line of printable text: a file's content must not move the terminal's cursor or fill its screen."""
    shown = "".join(character if character.isprintable() else " " for character in text)
    shown = " ".join(shown.split())
    return shown if len(shown) <= length else shown[: length - 1] + "…"


def _rule(code: str) -> Rule:
    return RULES[code] if code in RULES else FOREIGN_RULES[code]


def _share(codes: Counter[str], limit: int) -> int:
    """The most lines per kind with which all kinds fit, found by trying fewer and fewer."""
    share = max(codes.values(), default=0)
    while share > 1 and sum(min(number, share) for number in codes.values()) > limit:
        share -= max(1, share // 10)
    return share
