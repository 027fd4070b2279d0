"""The commands: `manage.py qcluster` and `manage.py queue_…`."""
