"""How the queues are doing: health, failures, statistics, metrics, charts."""
