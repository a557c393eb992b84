"""Average precision of short rankings, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from maskdet.evaluation.average_precision import coco_ap, integral_ap
from maskdet.evaluation.ranking import Ranking


def _ranking(hits, truths):
    scores = np.linspace(0.9, 0.1, len(hits), dtype=np.float32)
    return Ranking(scores, np.array(hits, bool), truths, np.zeros(len(scores), np.int64))


@pytest.mark.parametrize(
    ("hits", "truths", "integral", "coco"),
    [
        pytest.param([], 2, 0.0, 0.0, id="nothing found"),
        pytest.param([0, 0], 2, 0.0, 0.0, id="all wrong"),
        pytest.param([1, 1], 2, 1.0, 1.0, id="perfect"),
        pytest.param([1, 1, 0, 0], 2, 1.0, 1.0, id="wrong ones after the last face do not cost"),
        pytest.param([1], 2, 1 / 2, 51 / 101, id="half found"),
        pytest.param([0, 1], 1, 1 / 2, 1 / 2, id="wrong one first"),
        pytest.param([1, 0, 1], 2, (1 + 2 / 3) / 2, (51 + 50 * 2 / 3) / 101, id="wrong one between"),
        # Precision at the hits is 1/2 and 2/3: COCO lifts the first to the second, ppdet does not.
        pytest.param([0, 1, 1], 2, (1 / 2 + 2 / 3) / 2, 2 / 3, id="precision that rises again"),
    ],
)
def test_known_rankings(hits, truths, integral, coco):
    ranking = _ranking(hits, truths)
    assert integral_ap(ranking) == pytest.approx(integral)
    assert coco_ap(ranking) == pytest.approx(coco)


@pytest.mark.parametrize("average", [integral_ap, coco_ap])
def test_without_truths_there_is_no_ap(average):
    with pytest.raises(ValueError, match="without ground truth"):
        average(_ranking([0], 0))
