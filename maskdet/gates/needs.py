"""Whether val holds enough to measure a rule."""

from __future__ import annotations

from dataclasses import dataclass

from maskdet.gates.settings import Counts


@dataclass(frozen=True, slots=True)
class Needs:
    """The counts that are needed, and the pictures and faces that val has."""

    counts: Counts
    pictures: int
    faces: int

    def lacking(self) -> str:
        """What val as a whole has too little of, or nothing."""
        return self._short("pictures", self.pictures, self.counts.pictures, "pictures") or self._short(
            "faces", self.faces, self.counts.faces, "faces"
        )

    def lacking_class(self, faces: int, of: str) -> str:
        """The same, for the faces of a class or slice."""
        return self.lacking() or self._short(of, faces, self.counts.class_faces, "class_faces")

    def lacking_bare(self, faces: int) -> str:
        """The same, for bare faces."""
        return self.lacking() or self._short("bare faces", faces, self.counts.bare_faces, "bare_faces")

    @staticmethod
    def _short(what: str, have: int, needed: int, key: str) -> str:
        return "" if have >= needed else f"{have} {what}, {needed} are needed (gates.counts.{key})"
