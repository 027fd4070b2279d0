"""Property tests have no deadline: the time of one example depends on the load of the machine."""

from hypothesis import settings

settings.register_profile("tests", deadline=None)
settings.load_profile("tests")
