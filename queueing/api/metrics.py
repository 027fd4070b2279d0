"""Metrics in the format of Prometheus, and those that an application adds. Needs `prometheus_client`."""

from queueing.monitoring.prometheus import metric_name, metrics_text, register_metrics

__all__ = ["metric_name", "metrics_text", "register_metrics"]
