"""A module for the setting `PRELOAD`. It stores the id of the process that imported it."""

import os

PID = os.getpid()
