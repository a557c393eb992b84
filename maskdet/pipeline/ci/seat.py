"""The champion's seat: which version holds it, and whether a bundle has held it and lost it."""

from __future__ import annotations

from dataclasses import dataclass

from maskdet.registry.history import registered
from maskdet.registry.records import Move
from maskdet.registry.reference import CHAMPION
from maskdet.registry.registry import Registry
from maskdet.registry.version import Version

CHALLENGER = "challenger"


@dataclass(frozen=True, slots=True)
class Seat:
    """The alias `champion` of a model. `moves`: of this alias, oldest first; the last one decides.

    bundles: where each move led, by hash: a bundle whose version was pruned comes back under another number.
    in_place: whether the alias points where the last move leads. A job that is killed between the two leaves
    that to the next change.
    """

    champion: Version | None
    moves: tuple[Move, ...]
    bundles: tuple[str, ...] = ()
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
        known = registered(events)
        bundles = tuple(known[one.after].bundle for one in moves)
        return cls(champion, moves, bundles, in_place=number == pointed)

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

    def stepped_down(self, bundle: str) -> bool:
        """Whether a bundle was the champion, and the last move has led elsewhere."""
        return bundle in self.bundles and self.bundles[-1] != bundle
