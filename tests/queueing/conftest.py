"""Real services for the engine's tests."""

pytest_plugins = [
    "tests.support.clearing",
    "tests.support.property_tests",
    "tests.support.valkey",
    "tests.support.cluster",
    "tests.support.postgres",
    "tests.support.proxy",
    "tests.support.redis_cluster",
    "tests.support.sentinels",
    "tests.support.secured_sentinels",
]
