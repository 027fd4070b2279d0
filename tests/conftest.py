"""What all tests share: real services, and a scripted model."""

pytest_plugins = [
    "tests.support.clearing",
    "tests.support.valkey",
    "tests.provider.fixture",
    "tests.support.cluster",
]
