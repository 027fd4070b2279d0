"""The whole system as processes, broken on purpose from a seed, and checked from outside: `make chaos`.

`system/` runs the processes, `faults/` breaks them, `plan.py` decides when, `visitors/` are the clients,
`provider.py` is the model, `project/` the Django project, `evidence.py` and `checks.py` judge, `report.py`
prints. The modules `test_*.py` are ordinary tests: of the parts of this program, and of single failures.
"""
