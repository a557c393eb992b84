"""Which class of a checkpoint a class of the data starts from: by name, or by role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from maskdet.errors import PipelineFileError
from maskdet.wording.lexicon import Roles, label_roles, namesake
from maskdet.wording.names import did_you_mean

ClassMap = Mapping[str, str | None]


def related(
    labels: Sequence[str], known: Sequence[str], chosen: ClassMap, roles: Roles | None = None
) -> list[int | None]:
    """For each of the data's `labels` the index in `known` of the class to start from, None for none.

    `chosen` is model.class_map and comes first; then the same name; then the same name apart from case and
    separators; then the first of the same role, such as face_mask for with_mask. `roles` are those of the
    data that its names do not imply.

    Raises PipelineFileError if `chosen` names an unknown class.
    """
    _check(labels, known, chosen)
    own, theirs = label_roles(labels, roles), label_roles(known)
    first = {role: known.index(label) for label, role in reversed(theirs.items())}

    def place(label: str) -> int | None:
        if label in chosen:
            name = chosen[label]
            return None if name is None else known.index(name)
        same, role = namesake(label, known), own.get(label)
        return first.get(role) if same is None and role else same

    return [place(label) for label in labels]


def _check(labels: Sequence[str], known: Sequence[str], chosen: ClassMap) -> None:
    for label, name in chosen.items():
        if label not in labels:
            raise _unknown(f"{label} is not a class of the data", label, labels)
        if name is not None and name not in known:
            raise _unknown(f"{name} is not a class of the checkpoint", name, known)


def _unknown(fault: str, name: str, names: Sequence[str]) -> PipelineFileError:
    few = ", ".join(names[:10]) or "it does not name its classes"
    return PipelineFileError(f"model.class_map: {fault}", did_you_mean(name, names) or f"there are: {few}")
