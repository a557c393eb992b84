"""Serving bundles: the port, the record for `stop`, and one or more processes behind them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from maskdet.serving.engine.source import Source
from maskdet.serving.process.listener import listen, url_of
from maskdet.serving.process.readiness import Thresholds
from maskdet.serving.process.records import own_record, remove_record, write_record
from maskdet.serving.settings import ServeSettings


def serve(
    models: Mapping[str, Source], settings: ServeSettings, on_ready: Callable[[str, Thresholds], None]
) -> None:
    """Serve bundles until one of `stop_signals`; then finish accepted requests and return.

    models: where bundles come from, by name; an empty name means the registered model's, or the bundle's own.
    The first is the default.
    on_ready: called once every model has passed its probe, with the server's URL and, by model, which policy
    chose its thresholds and what they cost, in words.
    Raises ServingError if the address is unavailable, and like `ServedModel.load` for a model.
    """
    with listen(settings.host, settings.port) as listener:
        url = url_of(listener)
        record = own_record(listener.getsockname()[1], url)
        write_record(record)
        try:
            if settings.workers > 1:
                # The supervisor loads only what it needs, so it stays small.
                from maskdet.serving.process.supervisor import supervise  # noqa: PLC0415

                supervise(models, settings, listener, partial(on_ready, url))
            else:
                from maskdet.serving.process.server import run  # noqa: PLC0415

                run(models, settings, listener, partial(on_ready, url))
        finally:
            remove_record(record)
