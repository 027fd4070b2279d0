"""The terminal's screen: `manage.py queue_monitor`."""
