"""Deals groups of pictures to two parts so that each class comes close to the ratio.

The first deal is iterative stratification (Sechidis, Tsoumakas and Vlahavas 2011, "On the stratification of
multi-label data"): the rarest class first. Single groups then change sides as long as that helps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

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
        self.sides: dict[Group, bool] = {}

    @property
    def val_groups(self) -> set[Group]:
        return {group for group, in_val in self.sides.items() if in_val}

    def place(self, group: Group, in_val: bool) -> None:
        self.sides[group] = in_val
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
        """Move the one group that helps most. False if none does."""
        now = self._cost({}, 1)
        cost, _, best = min(
            (self._cost(group.amounts, -1 if in_val else 1), group.key, group)
            for group, in_val in self.sides.items()
        )
        if cost < now:
            self._change(best)
        return cost < now

    def _change(self, group: Group) -> None:
        source, target = (self.in_val, self.in_train) if self.sides[group] else (self.in_train, self.in_val)
        source.subtract(group.amounts)
        target.update(group.amounts)
        self.sides[group] = not self.sides[group]

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
