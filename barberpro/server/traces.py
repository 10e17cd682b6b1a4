"""Where traces go: to the collector that OpenTelemetry's own settings name, if they name one."""

import os
from typing import Final

import structlog
from opentelemetry import trace

log = structlog.get_logger(__name__)

_SETTINGS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def switch_on_traces() -> bool:
    """Whether traces are wanted and can be sent; from then on they are, by a thread of their own."""
    if not any(os.environ.get(name) for name in _SETTINGS):
        return False
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        # A shop's line is worth more than its traces: it runs without them.
        log.warning("traces_off", problem="the extra `tracing` is not installed")
        return False
    name = os.environ.get("OTEL_SERVICE_NAME") or "barberpro"
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return True
