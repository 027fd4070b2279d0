"""The app of the engine's tests: kinds of job, and a table for their end hooks."""

from django.apps import AppConfig


class EngineTestsConfig(AppConfig):
    """The app has no migrations: its table is created with the test database."""

    name = "tests.queueing.testapp"
    label = "engine"
