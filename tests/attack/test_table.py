"""Nothing that can be called is without a row in the table of expectations."""

from django.contrib import admin

from buddy.asgi import protocols

from .expectations import MODELS, ROUTES
from .routes import all_routes


def test_every_route_has_a_row():
    missing = [str(one) for one in all_routes() if one.method not in ROUTES.get(one.pattern, {})]
    assert not missing, (
        f"Write rows for {missing} in tests/attack/expectations.py, ROUTES: who may call it "
        "(Anyone, Owner, OwnPage, Account, Staff, NoView), and which of the victim's ids a stranger can send."
    )


def test_every_row_has_a_route():
    existing = {(one.pattern, one.method) for one in all_routes()}
    rows = {(pattern, method) for pattern, methods in ROUTES.items() for method in methods}
    assert rows <= existing, f"Delete rows without a route: {rows - existing}"


def test_application_speaks_no_protocol_but_those_that_are_attacked():
    """HTTP: the addresses above. WebSocket: `test_sockets.py`."""
    assert set(protocols.application_mapping) == {"http", "websocket"}


def test_every_model_in_the_admin_has_a_row():
    registered = {model._meta.label_lower for model in admin.site._registry}
    assert registered == set(MODELS), (
        f"Correct MODELS in tests/attack/expectations.py for {registered ^ set(MODELS)}: which of add, view, "
        "change and delete the staff with the permission of that name may do."
    )
