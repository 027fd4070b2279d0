"""A new Django project that has nothing but Django, Django-Q2 and the engine (E22)."""
