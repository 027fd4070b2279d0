"""The commands: `manage.py qcluster` and the `queue_…` commands."""
