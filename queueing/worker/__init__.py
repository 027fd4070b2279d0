"""`manage.py qcluster`: the supervisor, its worker processes, and one job's run inside a process."""
