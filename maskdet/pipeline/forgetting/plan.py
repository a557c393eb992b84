"""What forgetting a picture means here: which files go, and which models have seen it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from maskdet.dataset.checking.duplicates import like_any
from maskdet.dataset.likeness import perceptual_hash
from maskdet.detector.picture import decode
from maskdet.errors import PictureError, UsageError
from maskdet.pipeline.forgetting.places import Places, drawn_before_manifest, record_hashes, shows_pictures
from maskdet.system.files import sha256_file

SHORTEST_HASH: Final = 12
_HASH: Final = re.compile(rf"[0-9a-f]{{{SHORTEST_HASH},64}}")
_PARTS: Final = {"train": "trained on", "val": "validated on"}

Track = Callable[[Iterable[Path]], Iterable[Path]]


@dataclass(frozen=True, slots=True)
class FoundPicture:
    """A picture that would go. `exact`: its bytes are those that were sought; else it looks alike."""

    path: Path
    sha256: str
    exact: bool


@dataclass(frozen=True, slots=True)
class FoundResult:
    """A drawing or page that would go. `listed`: its run's manifest lists the picture; else the file is older
    than that manifest, which therefore does not tell whom it shows.
    """

    path: Path
    listed: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """pictures: of inboxes and data roots; results: drawings and pages of runs that may show them; seen: what
    each registered version did with them; val: runs whose val part has them; hashes: sha256 of all of them,
    those that only a run, a version or a list knows included; lists: files of data.frozen_val and
    data.unlabelled that tell of them.
    """

    pictures: tuple[FoundPicture, ...]
    results: tuple[FoundResult, ...]
    seen: Mapping[str, str] = field(default_factory=dict)
    val: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()
    lists: tuple[Path, ...] = ()


NOTHING: Final = Plan(pictures=(), results=())


class Search:
    """The pictures of all places by their hashes, read once."""

    def __init__(self, places: Places, track: Track = lambda paths: paths) -> None:
        """`track` shows the progress over the pictures' files."""
        self._places = places
        self._manifests = list(places.manifests())
        self._models = list(places.models())
        self._listed = list(places.lists())
        self._files = {path: sha256_file(path) for path in track(list(places.pictures()))}
        self._phashes = self._known_hashes()

    def picture(self, wanted: str, *, alike: bool = True) -> Plan:
        """For a file, or the (start of the) sha256 of a picture; `alike`: with its near-duplicates.

        Raises UsageError if nothing has that hash, or more than one picture starts with it.
        """
        path = Path(wanted)
        if path.is_file():
            digest = sha256_file(path)
            self._phashes.setdefault(digest, _perceptual_hash(path))
        else:
            digest = self._completed(wanted)
        return self._plan({digest}, alike)

    def hashes(self, digests: Iterable[str]) -> Plan:
        """For pictures by their whole sha256, without near-duplicates."""
        exact = set(digests)
        return self._plan(exact, alike=False) if exact else NOTHING

    def _plan(self, exact: set[str], alike: bool) -> Plan:
        alikes = self._alikes(exact) if alike else frozenset()

        def is_meant(digest: str, phash: str) -> bool:
            return digest in exact or phash in alikes

        pictures = [
            FoundPicture(path, digest, digest in exact)
            for path, digest in self._files.items()
            if is_meant(digest, self._phash(digest))
        ]
        known = {
            name: found
            for name, records in self._models
            if (found := [one for one in records if is_meant(one.sha256, one.phash)])
        }
        seen = {name: _parts(one.part for one in found) for name, found in known.items()}
        used = {
            run: [one for one in manifest.pictures if is_meant(one.sha256, one.phash)]
            for run, manifest in self._manifests
        }
        results = [one for run, found in used.items() for one in _results(run, listed=bool(found))]
        val = [str(run) for run, found in used.items() if any(one.part == "val" for one in found)]
        listed = [(path, digest) for path, digest, _ in self._listed if is_meant(digest, self._phash(digest))]
        hashes = exact | {one.sha256 for one in pictures} | {digest for _, digest in listed}
        hashes.update(one.sha256 for records in known.values() for one in records)
        hashes.update(one.sha256 for found in used.values() for one in found)
        lists = tuple(dict.fromkeys(path for path, _ in listed))
        return Plan(tuple(pictures), tuple(results), seen, tuple(val), tuple(sorted(hashes)), lists)

    def _alikes(self, exact: set[str]) -> frozenset[str]:
        """The perceptual hashes that are like those of the pictures sought, of all places."""
        found = [self._phash(digest, path) for path, digest in self._files.items()]
        seen = (one.phash for _, records in self._models for one in records)
        used = (one.phash for _, manifest in self._manifests for one in manifest.pictures)
        listed = (phash for _, _, phash in self._listed)
        return like_any({*found, *seen, *used, *listed}, [self._phash(one) for one in exact])

    def _completed(self, text: str) -> str:
        if not _HASH.fullmatch(text):
            raise UsageError(
                f"{text}: no such file, and no sha256",
                f"name a picture, or at least {SHORTEST_HASH} digits of its sha256",
            )
        listed = (digest for _, digest, _ in self._listed)
        known = {*self._files.values(), *self._phashes, *listed}
        found = sorted(one for one in known if one.startswith(text))
        if len(found) != 1:
            count = "no picture has" if not found else f"{len(found)} pictures have"
            raise UsageError(f"{count} a sha256 that starts with {text}", "give more digits, or the file")
        return found[0]

    def _phash(self, digest: str, path: Path | None = None) -> str:
        if digest not in self._phashes and path is not None:
            self._phashes[digest] = _perceptual_hash(path)
        return self._phashes.get(digest, "")

    def _known_hashes(self) -> dict[str, str]:
        """Of what was decoded before: by prepare, by an inbox or by a training."""
        known: dict[str, str] = {}
        for _, manifest in self._manifests:
            known |= {one.sha256: one.phash for one in manifest.pictures if one.phash}
        for _, records in self._models:
            known |= {one.sha256: one.phash for one in records if one.phash}
        known |= {digest: phash for _, digest, phash in self._listed if phash}
        for inbox in self._places.inboxes:
            known |= record_hashes(inbox)
        return known


def _results(run: Path, *, listed: bool) -> list[FoundResult]:
    found = shows_pictures(run) if listed else drawn_before_manifest(run)
    return [FoundResult(path, listed) for path in found]


def _perceptual_hash(path: Path) -> str:
    """Empty for what cannot be decoded: it looks like nothing."""
    try:
        return perceptual_hash(decode(path.read_bytes()))
    except (OSError, PictureError):
        return ""


def _parts(parts: Iterable[str]) -> str:
    found = set(parts)
    return " and ".join(said for part, said in _PARTS.items() if part in found)
