"""What happens here, counted: no contents, nobody recognisable for longer than a day (docs/analytics.md).

    tracker.track("message.sent", owner=owner, companion="travel")

`track` costs its caller microseconds. What it takes goes, many at a time, through the queue `analytics`
into events and their sums, which the staff page at /admin/analytics/ reads.
"""
