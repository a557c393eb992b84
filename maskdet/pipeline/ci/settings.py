"""The `ci` section of pipeline.yml."""

from __future__ import annotations

from maskdet.settings import Section


class CiSettings(Section):
    """What `maskdet run --ci` does with a model that it has trained."""

    promote: bool = True
    """Whether a challenger that passes the gates becomes the champion at once. If false, it is registered as
    challenger, and `maskdet models promote` is a person's decision."""
