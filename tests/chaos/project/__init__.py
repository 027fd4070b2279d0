"""The Django project of a run: Buddy with some kinds of job that use the engine alone."""
