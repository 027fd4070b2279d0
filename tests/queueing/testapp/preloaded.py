"""A module that `PRELOAD` names: knows which process imported it."""

import os

PID = os.getpid()
