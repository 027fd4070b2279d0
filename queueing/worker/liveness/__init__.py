"""Signs of life: heartbeats, leases, and the watch over the event loop."""
