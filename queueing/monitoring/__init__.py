"""The state of the queues: health, failures, statistics, metrics and charts."""
