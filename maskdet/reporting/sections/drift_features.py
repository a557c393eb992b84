"""Each feature: its shares on val and as seen, with its PSI."""

from __future__ import annotations

from maskdet.drift.decision import Decision
from maskdet.drift.view import FeatureView
from maskdet.evaluation.tables import ABSENT
from maskdet.reporting.histogram import histogram, swatch
from maskdet.reporting.markup import Markup, element, joined
from maskdet.reporting.sections.drift_words import feature_name, verdict
from maskdet.reporting.texts import say


def features(decision: Decision) -> Markup:
    """A histogram each; a bundle without a profile has none."""
    view = decision.view
    if not view.features:
        return element("p", say("no_reference"))
    legend = (
        element("li", swatch(tone), say(key)) for tone, key in (("val", "on_val"), ("seen", "in_service"))
    )
    return joined(
        [
            element("p", say("drift_features_note"), class_="quiet"),
            element("ul", *legend, class_="legend"),
            element("div", *(_figure(each, view.limit) for each in view.features), class_="charts"),
        ]
    )


def _figure(feature: FeatureView, limit: float) -> Markup:
    said = say(
        "psi_is",
        psi=ABSENT if feature.psi is None else f"{feature.psi:.3f}",
        limit=f"{limit:g}",
        samples=str(feature.samples),
        reference=str(feature.reference),
    )
    labels = ", ".join(f"{number} {label}" for number, label in enumerate(feature.labels, 1))
    return element(
        "figure",
        element("figcaption", feature_name(feature.feature), " ", verdict(feature.drift)),
        histogram(feature.expected, feature.seen, feature.edges),
        element("p", said, class_="quiet"),
        *([element("p", labels, class_="quiet")] if labels else []),
        class_="chart",
    )
