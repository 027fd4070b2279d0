"""A real web server on a real PostgreSQL: what waits holds nothing, and breaks recover (D2, D3, D5, D6)."""

import time
from contextlib import ExitStack

from tests.chat.databases.questions import ask


def test_many_event_streams_hold_no_connection(postgres, web):
    """D5, S15: twelve streams on a pool of three, then ordinary requests."""
    server = web(DB_POOL="3")
    job = ask(server)
    with ExitStack() as streams:
        for _ in range(12):
            streams.enter_context(server.stream(f"/api/jobs/{job}/events"))
        assert postgres.connections() <= 4, "the test's own, and the pool"
        for _ in range(5):
            assert server.get("/")[0] == 200
        assert ask(server) != job
        assert server.get("/readyz")[0] in (200, 503)
    for _ in range(5):
        assert server.get("/")[0] == 200


def test_streams_of_clients_that_left_give_everything_back(postgres, web):
    """D5: twelve streams, again and again, on a pool of three."""
    server = web(DB_POOL="3")
    job = ask(server)
    for _ in range(3):
        with ExitStack() as streams:
            for _ in range(12):
                streams.enter_context(server.stream(f"/api/jobs/{job}/events"))
    assert server.get("/")[0] == 200
    assert postgres.connections() <= 4


def test_web_server_with_open_streams_stops_at_sigterm(postgres, web):
    """D5."""
    server = web(DB_POOL="3")
    job = ask(server)
    with ExitStack() as streams:
        for _ in range(12):
            streams.enter_context(server.stream(f"/api/jobs/{job}/events"))
        server.stop(timeout=10)


def test_restarted_server_is_used_by_the_next_request(postgres, web):
    """D6: no request meets a connection that broke meanwhile."""
    server = web(DB_POOL="5")
    with ExitStack() as streams:  # five connections in the pool
        for _ in range(5):
            streams.enter_context(server.stream(f"/api/jobs/{ask(server)}/events"))
    for _ in range(3):
        postgres.restart()
        assert [server.get("/")[0] for _ in range(8)] == [200] * 8


def test_request_without_a_database_connection_is_answered_with_503(postgres, web):
    """D2: for the page and for the API; and the first request afterwards works."""
    server = web(DB_POOL="5")
    ask(server)
    with postgres.no_connections():
        began = time.monotonic()
        for path in ("/", "/api/threads", "/account/"):
            status, headers = server.get(path)
            assert (status, headers.get("Retry-After")) == (503, "3"), path
        response = server.send("POST", "/api/travel", {"message": "Where to?"})
        assert response.status == 503
        assert b'"code": "unavailable"' in response.read()
        assert time.monotonic() - began < 10  # it was 30 s for each
        assert server.get("/healthz")[0] == 200
    assert server.get("/")[0] == 200
    assert ask(server)


def test_stream_whose_source_breaks_ends(postgres, web):
    """D3: the client can come back, since the connection is closed."""
    server = web()
    job = ask(server)
    with server.stream(f"/api/jobs/{job}/events") as stream:
        assert any(line.startswith(b"event: chat:") for line in iter(stream.readline, b""))
        postgres.execute("ALTER TABLE queueing_job RENAME TO away", postgres.database)
        stream.read()  # to its end
