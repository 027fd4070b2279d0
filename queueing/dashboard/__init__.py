"""The staff's page of the queues: `/admin/queue`, live over `/ws/queue`.

The server writes each part of the page as HTML, first in the page and then again whenever it has changed;
the script only puts it in place. So there is one description of what is shown, and a page without scripts
shows it as well.

    views.py    the page, and what its buttons do (actions.py says what that means, in numbers)
    socket.py   the socket of one open tab (tab.py)
    board.py    looks once a second for all tabs of a process, and sends each what has changed for it
    parts.py    what is shown where, and to whom (view.py); plotting.py draws
    kept.py     what was read a moment ago
"""
