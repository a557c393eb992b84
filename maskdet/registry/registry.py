"""The registry: models with numbered versions and movable aliases in one folder, without a database.

Readers need no lock and no write access. Writers in any number of processes and containers take turns, one
model at a time; each change takes effect in one rename, and a killed process leaves nothing half-done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from maskdet.errors import RegistryError
from maskdet.registry.actor import actor
from maskdet.registry.change import change
from maskdet.registry.history import last_move, last_verdict, read_history
from maskdet.registry.layout import Layout
from maskdet.registry.movement import check_expected, earlier, move_alias
from maskdet.registry.records import Event, Judged, Lineage, Move, PictureRecord
from maskdet.registry.reference import FORM, PREFIX, Reference, check_alias, check_model_name, parse_reference
from maskdet.registry.registration import Candidate, add_version
from maskdet.registry.version import Version, numbered_version
from maskdet.system.times import now_text
from maskdet.wording.names import did_you_mean, is_name


class Registry:
    """The models in a folder, which need not exist yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def models(self) -> tuple[str, ...]:
        """The names of the models that have a version."""
        if not self.folder.is_dir():
            return ()
        names = (path.name for path in self.folder.iterdir() if is_name(path.name))
        return tuple(sorted(name for name in names if self.layout(name).numbers()))

    def layout(self, model: str) -> Layout:
        """Where a model's files are. Raises RegistryError for a name that no model can have."""
        check_model_name(model)
        return Layout(self.folder / model)

    def versions(self, model: str) -> tuple[Version, ...]:
        """A model's versions, oldest first. Raises RegistryError if there is no such model."""
        layout = self._existing(model)
        return tuple(numbered_version(layout, number) for number in layout.numbers())

    def version(self, model: str, number: int) -> Version:
        """Raises RegistryError if there is no such version."""
        layout = self._existing(model)
        if not layout.version(number).is_dir():
            known = layout.numbers()
            shown = f"{known[0]} to {known[-1]}" if len(known) > 1 else str(known[0])
            raise RegistryError(f"{model} has no version {number}", f"its versions are {shown}")
        return numbered_version(layout, number)

    def aliases(self, model: str) -> dict[str, int]:
        """The version of each alias. Raises RegistryError if there is no such model."""
        return self._existing(model).targets()

    def resolve(self, reference: str) -> Version:
        """The version behind models:NAME@ALIAS or models:NAME@NUMBER. Raises RegistryError."""
        wanted = parse_reference(reference)
        return self.version(wanted.model, wanted.number or self._target(wanted.model, wanted.wanted))

    def find(self, text: str) -> Version:
        """Like `resolve`, for people: `models:` may be left out, and NAME@ if there is one model only."""
        bare = text.removeprefix(PREFIX)
        name, at, wanted = bare.partition("@")
        if not at and name in self.models():
            raise RegistryError(f"{name} is a model, not a version of one", f"add @ALIAS or @NUMBER: {FORM}")
        return self.resolve(str(Reference(name, wanted) if at else Reference(self.only(), bare)))

    def only(self, model: str = "") -> str:
        """The given model, else the only one. Raises RegistryError if there are none or several."""
        known = self.models()
        if model:
            self._existing(model)
            return model
        if len(known) != 1:
            raise RegistryError(*_not_one(self.folder, known))
        return known[0]

    def register(
        self,
        model: str,
        bundle: Path,
        lineage: Lineage | None = None,
        *,
        pictures: Sequence[PictureRecord] = (),
        files: Mapping[str, Path | str] | None = None,
        by: str = "",
    ) -> Version:
        """Add a bundle as the next version; one that is a version already stays that version.

        pictures: what it was trained and validated on; files: further files of the version by name, as paths
        or as text; by: who registers it, by default the user or the CI job's actor.
        Raises BundleError for a file that is no bundle, and RegistryError.
        """
        candidate = Candidate(bundle, lineage or Lineage(), tuple(pictures), files or {}, by or actor())
        return add_version(self.layout(model), model, candidate)

    def note_verdict(
        self, model: str, number: int, *, reasons: Sequence[str], fingerprint: str, by: str = ""
    ) -> None:
        """Record that the gates judged a version: `reasons` against it, none if it passed; `fingerprint`: the
        sha256 of what the verdict depends on. The last verdict again is not recorded. Raises RegistryError.
        """
        self.version(model, number)
        with change(self._existing(model)) as changed:
            last = last_verdict(changed.events, number)
            if last is None or (last.fingerprint, last.reasons) != (fingerprint, tuple(reasons)):
                changed.record(
                    Judged(
                        at=now_text(),
                        by=by or actor(),
                        number=number,
                        passed=not reasons,
                        reasons=tuple(reasons),
                        fingerprint=fingerprint,
                    )
                )

    def set_alias(
        self,
        model: str,
        alias: str,
        number: int,
        *,
        by: str = "",
        why: str,
        expected: int | None = None,
    ) -> Move:
        """Let an alias point to a version. It may be new; if it points there already, nothing is recorded.

        expected: the version that the alias must still point to, 0 for none; None does not check. Raises
        RegistryError if another one moved it first, and says who, and if there is no such version, or its
        bundle is damaged.
        """
        check_alias(alias)
        self.version(model, number)
        with change(self._existing(model)) as changed:
            before = changed.layout.target(alias)
            check_expected(changed.events, model, alias, before, expected)
            if not changed.layout.version(number).is_dir():
                raise RegistryError(f"version {number} of {model} has just been removed", "choose another")
            numbered_version(changed.layout, number).checked_bundle()
            return move_alias(changed, alias, number, "promoted", by or actor(), why)

    def rollback(
        self, model: str, alias: str, *, by: str = "", why: str = "", expected: int | None = None
    ) -> Move:
        """Let an alias point to the version it pointed to before; each further call goes one step further.

        expected as for `set_alias`. Raises RegistryError if there is no earlier version, or its bundle is
        damaged.
        """
        self._target(model, alias)
        with change(self._existing(model)) as changed:
            before = changed.layout.target(alias)
            check_expected(changed.events, model, alias, before, expected)
            target = earlier(changed.events, alias, changed.layout.numbers())
            if target is None:
                raise RegistryError(
                    f"{alias} of {model} has pointed to no other version that still exists",
                    f"`maskdet models promote NUMBER --alias {alias}` chooses one",
                )
            numbered_version(changed.layout, target).checked_bundle()
            return move_alias(changed, alias, target, "rolled back", by or actor(), why)

    def history(self, model: str) -> tuple[Event, ...]:
        """What happened to a model, oldest first. Raises RegistryError if there is no such model."""
        return read_history(self._existing(model).history)

    def last_move(self, model: str, alias: str) -> Move | None:
        """Who moved an alias last, and why."""
        return last_move(self.history(model), alias)

    def _existing(self, model: str) -> Layout:
        layout = self.layout(model)
        if not layout.numbers():
            known = self.models()
            listing = f"its models are {', '.join(known)}" if known else "it is empty"
            hint = did_you_mean(model, known) or f"{listing}; `maskdet models register` adds one"
            raise RegistryError(f"the registry {self.folder} has no model {model}", hint)
        return layout

    def _target(self, model: str, alias: str) -> int:
        layout = self._existing(model)
        number = layout.target(alias)
        if number is None:
            known = layout.targets()
            listing = f"its aliases are {', '.join(known)}" if known else "it has none yet"
            hint = did_you_mean(alias, known) or f"{listing}; `maskdet models promote` sets one"
            raise RegistryError(f"{model} has no alias {alias}", hint)
        return number


def _not_one(folder: Path, known: Sequence[str]) -> tuple[str, str]:
    if not known:
        return f"the registry {folder} is empty", "`maskdet models register` adds a model"
    return f"the registry {folder} has several models", f"name one of {', '.join(known)}"
