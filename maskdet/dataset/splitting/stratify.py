"""Deals groups of pictures to two parts so that each class comes close to the ratio.

The first deal is iterative stratification (Sechidis, Tsoumakas and Vlahavas 2011, "On the stratification of
multi-label data"): the rarest class first. Single groups then change sides as long as that helps.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

# A name that no class can have, since names are stripped of spaces.
_PICTURES = " pictures"
_MAX_MOVES = 1000
# The cost of a class that one part lacks: more than any deviation could.
_LACKING = 1e6


@dataclass(frozen=True, slots=True)
class Group:
    """Pictures that stay together. `key`, unique, orders groups; `objects`: (class, number)."""

    key: str
    pictures: int
    objects: tuple[tuple[str, int], ...]

    @property
    def amounts(self) -> dict[str, int]:
        return {**dict(self.objects), _PICTURES: self.pictures}


_Kind = tuple[bool, int, tuple[tuple[str, int], ...]]
"""Whether it is in val, then a group's pictures and objects."""


def stratify(groups: Sequence[Group], train: int, val: int) -> set[Group]:
    """The groups that go to val so that val holds val / (train + val) of each class and of the pictures.

    A class that two groups have reaches both parts.
    """
    balance = _Balance(groups, train, val)
    waiting = sorted(groups, key=lambda group: group.key)
    for column in balance.columns:
        having = [group for group in waiting if group.amounts.get(column)]
        # Crowds first, while enough is left to balance them; equal sizes in the order of the keys.
        for group in sorted(having, key=lambda group: -group.amounts[column].bit_length()):
            balance.place(group, balance.wants_in_val(column, group.amounts[column]))
        placed = set(having)
        waiting = [group for group in waiting if group not in placed]
    for _ in range(_MAX_MOVES):
        if not balance.improve():
            break
    return balance.val_groups


class _Balance:
    """What the two parts hold of each class, and of pictures as one more class."""

    def __init__(self, groups: Sequence[Group], train: int, val: int) -> None:
        self.train, self.val = train, val
        self.totals = _sum(groups)
        self.columns = sorted(self.totals, key=lambda name: (name == _PICTURES, self.totals[name], name))
        self.in_train: Counter[str] = Counter()
        self.in_val: Counter[str] = Counter()
        self._alike: defaultdict[_Kind, list[tuple[str, Group]]] = defaultdict(list)
        """By what it would do to move them, the groups of a part as heaps by key."""

    @property
    def val_groups(self) -> set[Group]:
        return {group for (in_val, *_), alike in self._alike.items() if in_val for _, group in alike}

    def place(self, group: Group, in_val: bool) -> None:
        heappush(self._alike[in_val, group.pictures, group.objects], (group.key, group))
        (self.in_val if in_val else self.in_train).update(group.amounts)

    def wants_in_val(self, column: str, amount: int) -> bool:
        """Whether `amount` more of a class bring the split closer to the ratio in val than in train."""
        in_train, in_val = self.in_train[column], self.in_val[column]
        if bool(in_train) != bool(in_val):
            return not in_val
        share = (in_train + in_val + amount) * self.val
        whole = self.train + self.val
        return abs((in_val + amount) * whole - share) < abs(in_val * whole - share)

    def improve(self) -> bool:
        """Move the one group that helps most, of equals the first by key. False if none does.

        Most groups are a picture with a face or two: of those alike, one stands for all.
        """
        now = self._cost({}, 1)
        cost, _, best = min(
            (self._cost(alike[0][1].amounts, -1 if kind[0] else 1), alike[0][0], kind)
            for kind, alike in self._alike.items()
            if alike
        )
        if cost < now:
            self._move(best)
        return cost < now

    def _move(self, kind: _Kind) -> None:
        """The first group of a kind to the other part."""
        in_val = kind[0]
        _, group = heappop(self._alike[kind])
        (self.in_val if in_val else self.in_train).subtract(group.amounts)
        self.place(group, not in_val)

    def _cost(self, moved: Mapping[str, int], sign: int) -> float:
        """How far the parts are from the ratio after a move into val (sign 1) or out of it (-1).

        The sum of squared deviations, each relative to what val should have, and of `_LACKING`. Plain floats
        in a fixed order: the same on every machine.
        """
        cost = 0.0
        for column in self.columns:
            share = self.totals[column] * self.val
            in_val = self.in_val[column] + sign * moved.get(column, 0)
            if in_val == 0 or in_val == self.totals[column]:
                cost += _LACKING
            cost += ((in_val * (self.train + self.val) - share) / share) ** 2
        return cost


def _sum(groups: Iterable[Group]) -> Counter[str]:
    totals: Counter[str] = Counter()
    for group in groups:
        totals.update(group.amounts)
    return totals
