"""`manage.py qcluster`: the supervisor, its worker processes, and the runs of jobs inside them."""
