"""The tests' own app: kinds of job and a table to write into."""

from django.apps import AppConfig


class EngineTestsConfig(AppConfig):
    """Has no migrations: its table is made with the test database."""

    name = "tests.queueing.testapp"
    label = "engine"
