"""Analytics: counts of events without contents, and with visitors recognizable for one day only.

    tracker.track("message.sent", owner=owner, companion="travel")

`track` costs its caller microseconds. Events go in batches through the queue `analytics` into events and
rollups, which the staff page at /admin/analytics/ reads. See docs/analytics.md.
"""
