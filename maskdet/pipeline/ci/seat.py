"""The champion's seat: which version holds it, and whether a version has held it and lost it."""

from __future__ import annotations

from dataclasses import dataclass

from maskdet.registry.records import Move
from maskdet.registry.reference import CHAMPION
from maskdet.registry.registry import Registry
from maskdet.registry.version import Version

CHALLENGER = "challenger"


@dataclass(frozen=True, slots=True)
class Seat:
    """The alias `champion` of a model. `moves`: of this alias, oldest first; the last one decides.

    in_place: whether the alias points where the last move leads. A job that is killed between the two leaves
    that to the next change.
    """

    champion: Version | None
    moves: tuple[Move, ...]
    in_place: bool = True

    @classmethod
    def of(cls, registry: Registry, model: str) -> Seat:
        """Raises RegistryError if the registry is damaged."""
        if model not in registry.models():
            return cls(None, ())
        events = registry.history(model)
        moves = tuple(one for one in events if isinstance(one, Move) and one.alias == CHAMPION)
        pointed = registry.aliases(model).get(CHAMPION)
        number = moves[-1].after if moves else pointed
        champion = None if number is None else registry.version(model, number)
        return cls(champion, moves, in_place=number == pointed)

    @property
    def number(self) -> int | None:
        """The champion's version."""
        return None if self.champion is None else self.champion.number

    @property
    def bundle(self) -> str:
        """The hash of the champion's bundle, "" if there is none."""
        return "" if self.champion is None else self.champion.record.bundle

    @property
    def before(self) -> int | None:
        """The version that the champion came after."""
        return self.moves[-1].before if self.moves else None

    def stepped_down(self, version: int) -> bool:
        """Whether a version was the champion, and the last move has led elsewhere."""
        return any(one.after == version for one in self.moves) and self.moves[-1].after != version
