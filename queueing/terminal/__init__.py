"""The full-screen terminal view of `manage.py queue_monitor`."""
