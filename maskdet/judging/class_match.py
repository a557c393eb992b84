"""Which class of a model is which class of the data: by name, else by spelling, else by role.

A model's classes have their own order and names. Its detections are evaluated under the data's class ids,
followed by those of its extra classes: an answer with one of these is still an answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from maskdet.dataset.manifest import Manifest
from maskdet.errors import BundleError
from maskdet.evaluation.appraisal import appraise
from maskdet.evaluation.class_match import Meanings, Partners
from maskdet.evaluation.policies.compared import Shipped
from maskdet.evaluation.ranking import Scene
from maskdet.evaluation.result import Evaluation
from maskdet.evaluation.settings import EvalSettings
from maskdet.evaluation.views import View
from maskdet.types import Detections, IntArray
from maskdet.wording.lexicon import Role, Roles, spelling, unknown_roles


@dataclass(frozen=True, slots=True, eq=False)
class ClassMatch:
    """labels: the data's by class id, then the model's that the data lacks; meanings are of these.

    known: the model's own by class id; ids [C]: where these are in `labels`; notes: remarks on the match.
    """

    labels: tuple[str, ...]
    meanings: Meanings
    known: tuple[str, ...]
    ids: IntArray
    notes: tuple[str, ...]

    def rename(self, figures: Mapping[str, float]) -> dict[str, float]:
        """Values by the model's own labels, as values by those of `labels`."""
        return {self.labels[at]: figures[name] for name, at in zip(self.known, self.ids, strict=True)}

    def judge(
        self,
        pairs: Iterable[Scene],
        views: Sequence[View],
        settings: EvalSettings,
        input_size: tuple[int, int],
        *,
        shipped: Shipped | None = None,
    ) -> Evaluation:
        """`appraise` detections under the model's own class ids; `shipped` by `labels`. Raises like it."""
        judged = appraise(
            ((truth, self.remapped(found)) for truth, found in pairs),
            views,
            self.labels,
            settings,
            input_size,
            shipped=shipped,
            meanings=self.meanings,
        )
        return replace(judged, notes=(*self.notes, *judged.notes))

    def remapped(self, found: Detections) -> Detections:
        """Detections under the model's own class ids, under those of `labels`. Raises BundleError for an id
        that the model has no label for.
        """
        if len(found) and found.class_ids.max() >= len(self.ids):
            raise BundleError(
                f"the model returned class id {found.class_ids.max()}, but has {len(self.ids)} labels",
                "export the model again with the label list that it was trained on",
            )
        return replace(found, class_ids=self.ids[found.class_ids])


def match_classes(manifest: Manifest, known: tuple[str, ...], known_roles: Roles) -> ClassMatch:
    """`known` are the model's classes by class id. Each class of the data has at most one of the model: if a
    role would fit several, none is taken, since they cannot be told apart.

    Raises BundleError if no class of the model is one of the data.
    """
    partners = _partners(manifest, known, known_roles)
    taken = {partner: label for label, partner in partners.items() if partner is not None}
    if not taken:
        raise BundleError(
            f"no class of the model ({', '.join(known)}) is one of the data ({', '.join(manifest.labels)})",
            "set the roles of the data's classes in data.roles: masked, bare or worn-wrong",
        )
    own = tuple(name for name in known if name not in taken)
    labels = (*manifest.labels, *own)
    roles = {**{name: known_roles[name] for name in own if name in known_roles}, **manifest.roles}
    return ClassMatch(
        labels=labels,
        meanings=Meanings(roles, partners),
        known=known,
        ids=np.array([labels.index(taken.get(name, name)) for name in known], np.int64),
        notes=(*_partner_notes(partners, own), *_role_notes(labels, roles, partners, known_roles)),
    )


def _partners(manifest: Manifest, known: Sequence[str], known_roles: Roles) -> dict[str, str | None]:
    """By class of the data the model's. Each way of matching gets what the previous ones left."""
    partners: dict[str, str | None] = dict.fromkeys(manifest.labels)
    everybody = (*manifest.labels, *known)
    ways: tuple[tuple[Mapping[str, str], Mapping[str, str]], ...] = (
        (dict(zip(everybody, everybody, strict=True)),) * 2,
        ({name: spelling(name) for name in everybody},) * 2,
        (manifest.roles, known_roles),
    )
    for mine, theirs in ways:
        left = [label for label, partner in partners.items() if partner is None]
        free = [name for name in known if name not in partners.values()]
        partners.update(_only_pairs(left, mine, free, theirs))
    return partners


def _only_pairs(
    left: Sequence[str], mine: Mapping[str, str], free: Sequence[str], theirs: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """The pairs that share a key unique on both sides."""
    ours = Counter(mine[label] for label in left if label in mine)
    others = Counter(theirs[name] for name in free if name in theirs)
    for label in left:
        key = mine.get(label)
        if key is not None and ours[key] == others[key] == 1:
            yield label, next(name for name in free if theirs.get(name) == key)


def _partner_notes(partners: Partners, own: Sequence[str]) -> Iterator[str]:
    renamed = [f"{label} is its {name}" for label, name in partners.items() if name not in (None, label)]
    if renamed:
        yield f"the model's classes have other names: {', '.join(renamed)}"
    if absent := [label for label, name in partners.items() if name is None]:
        yield f"the model has no class for {', '.join(absent)}: not measured, and left out of the means"
    if own:
        yield f"the model also has {', '.join(own)}, which no face of the data has as its label"


def _role_notes(labels: Sequence[str], roles: Roles, partners: Partners, known_roles: Roles) -> Iterator[str]:
    if unknown := unknown_roles(labels, roles):
        yield f"no safety figure counts {', '.join(unknown)}: set the role in data.roles"
    for label, name in partners.items():
        one, other = roles.get(label), known_roles.get(name or label)
        if name is not None and one != other:
            yield (
                f"{label} is {_said(one)} by the data and {_said(other)} by the model: safety figures follow "
                "the data, a server's verdicts the model"
            )


def _said(role: Role | None) -> str:
    return role or "of no known role"
