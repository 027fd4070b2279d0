"""`manage.py doctor`: look at everything that the site needs, and say what is wrong and what to do.

Each module looks at one thing. A look is a function that returns findings. It may raise or hang: `run.py`
turns both into findings. So the command works, and ends, when all other things are down.
"""
