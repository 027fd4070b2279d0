"""The staff's page of the queues: `/admin/queue`, live over `/ws/queue`.

The server renders each part of the page as HTML, first within the page and then again when it has
changed. The script only puts the parts in place. So each part is described once, and a page without scripts
shows the same.

    views.py      the page, the forms of its dialogs and their actions (forms.py, texts.py)
    socket.py     the WebSocket of one open page (client.py)
    broadcast.py  renders once a second for all open pages of a process, and sends each its changes
    parts.py      what each part shows, and to whom (viewer.py); plotting.py makes the plots
    cache.py      values that were read a moment ago
"""
