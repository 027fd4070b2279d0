"""What all tests share: real services, and a scripted model."""

#: The engine's tests have settings of their own: `pytest tests/queueing`.
collect_ignore = ["queueing"]
pytest_plugins = [
    "tests.support.clearing",
    "tests.support.property_tests",
    "tests.support.valkey",
    "tests.support.cluster",
    "tests.support.postgres",
    "tests.support.pgbouncer",
    "tests.support.mail",
    "tests.support.openid_provider",
    "tests.support.web",
    "tests.support.proxy",
    "tests.support.redis_cluster",
    "tests.support.sentinels",
    "tests.provider.fixture",
]
