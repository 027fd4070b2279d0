"""The code behind `make run`: a complete Buddy on one machine that has only Python.

bootstrap.py    makes the virtual environment, then starts supervise.py
supervise.py    starts and stops all services (services.py describes them)
process.py      runs one service: starts it, restarts it, ends it
console.py      writes the output of all services to one terminal
watchdog.py     ends all services if the supervisor itself is killed
"""
