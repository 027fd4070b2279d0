"""Files that wait for a worker: `storage.py` keeps them, `models.py` says how."""
