"""The event loop of Daphne: one of uvloop where that is installed, as workers have it.

Daphne makes a loop of asyncio when it is imported, before it loads the application. It has no setting for it.
"""

from typing import Any

from daphne import server


def install() -> None:
    """Let the reactor of Daphne, which does not run yet, run on a loop of uvloop."""
    try:
        from uvloop import new_event_loop
    except ImportError:  # there is none for this platform, or it is not installed
        return
    reactor: Any = server.reactor
    old, loop, wakers = reactor._asyncioEventloop, new_event_loop(), reactor.getReaders()
    for waker in wakers:
        reactor.removeReader(waker)
    reactor._asyncioEventloop = loop
    for waker in wakers:
        reactor.addReader(waker)
    if threads := old._default_executor:  # of ASGI_THREADS
        loop.set_default_executor(threads)
        old._default_executor = None  # to close the loop would end them
    old.close()
