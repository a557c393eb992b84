from __future__ import annotations

import math

import numpy as np
import pytest

from maskdet.drift.psi import ALPHA, chance, groups, joined, needed, psi

CHI_SQUARE = {
    1: 10.828,
    2: 13.816,
    3: 16.266,
    4: 18.467,
    5: 20.515,
    6: 22.458,
    7: 24.322,
    8: 26.124,
    9: 27.877,
}
"""Quantiles at 0.999 by degrees of freedom, from a printed table."""


def test_psi_by_hand() -> None:
    # Shares 0.5, 0.5 and, with half a sample more in each group, 25.5 / 101 and 75.5 / 101.
    low, high = 25.5 / 101, 75.5 / 101
    expected = (low - 0.5) * math.log(low / 0.5) + (high - 0.5) * math.log(high / 0.5)

    assert psi(np.array([50, 50]), np.array([25, 75])) == pytest.approx(expected)
    assert expected == pytest.approx(0.26868, abs=1e-5)


def test_psi_has_no_direction_and_is_zero_for_equal_shares() -> None:
    one, other = np.array([10, 20, 30]), np.array([30, 20, 10])

    assert psi(one, other) == pytest.approx(psi(other, one))
    assert psi(one, one) == 0
    assert math.isfinite(psi(one, np.array([0, 0, 60])))


@pytest.mark.parametrize("free", CHI_SQUARE)
def test_what_chance_explains_is_a_quantile_of_chi_square(free: int) -> None:
    found = chance(free + 1, 200, 300) / (1 / 200 + 1 / 300)

    assert CHI_SQUARE[free] <= found <= 1.031 * CHI_SQUARE[free]


def test_samples_needed_are_those_at_which_chance_reaches_the_limit() -> None:
    count = needed(6, 150, 0.25)

    assert count is not None
    assert chance(6, 150, count) == pytest.approx(0.25)
    assert needed(6, 80, 0.25) is None, "the reference alone is too small"


def test_two_samples_of_one_population_seldom_exceed_it() -> None:
    draw = np.random.default_rng(1)
    shares, limit = [0.3, 0.25, 0.2, 0.15, 0.1], chance(5, 150, 150)
    ones, others = draw.multinomial(150, shares, 4000), draw.multinomial(150, shares, 4000)

    beyond = np.mean([psi(one, other) > limit for one, other in zip(ones, others, strict=True)])

    assert beyond <= 3 * ALPHA
    assert np.mean([psi(one, other) for one, other in zip(ones, others, strict=True)]) == pytest.approx(
        4 * (1 / 150 + 1 / 150), rel=0.1
    )


def test_bins_are_joined_into_groups_of_about_equal_counts() -> None:
    found = groups([0, 0, 30, 30, 1, 1, 58, 0, 20, 20, 0], 75)

    assert found.tolist() == [0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2]
    assert joined([1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3], found).tolist() == [5, 6, 12]


@pytest.mark.parametrize(("independent", "most"), [(10.0, 2), (60.0, 2), (150.0, 6), (10_000.0, 10)])
def test_few_samples_of_the_reference_make_few_groups(independent: float, most: int) -> None:
    found = groups([10] * 60, independent)

    assert found.max() + 1 == most
    assert (np.diff(found) >= 0).all()


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ([0, 150, 0, 0], [0, 1, 2, 2]),
        ([150, 0, 0, 0], [0, 1, 1, 1]),
        ([0, 0, 0, 150], [0, 0, 0, 1]),
        ([15, 375, 10, 0], [0, 1, 2, 2]),
        ([50, 50], [0, 1]),
    ],
)
def test_a_bin_with_half_of_all_samples_stays_alone(reference: list[int], expected: list[int]) -> None:
    found = groups(reference, sum(reference))

    assert found.tolist() == expected


@pytest.mark.parametrize(("reference", "expected"), [([30, 46, 24], [0, 1, 1]), ([24, 46, 30], [0, 0, 1])])
def test_there_are_two_groups_at_least(reference: list[int], expected: list[int]) -> None:
    assert groups(reference, 50).tolist() == expected


@pytest.mark.parametrize("seen", [0, 2])
def test_what_lies_beside_a_full_bin_shows(seen: int) -> None:
    reference = [3, 240, 5]
    by = groups(reference, sum(reference))

    assert psi(joined(reference, by), joined([2000 * (place == seen) for place in range(3)], by)) > 1
