"""Tasks of Django-Q2, which run beside the jobs on the same workers."""
