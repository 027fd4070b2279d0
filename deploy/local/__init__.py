"""What `make run` is made of: a whole Buddy on one machine, with nothing installed but Python.

`bootstrap.py` makes the virtual environment and hands over to `supervise.py`, which starts the parts
(`parts.py`) under its eye (`process.py`), reports in one terminal (`console.py`) and leaves nothing
behind, whatever ends it (`watchdog.py`).
"""
