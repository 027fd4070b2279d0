"""Alerts: the site itself tells its operators about health warnings, once, and once more when they are over.

Every web process looks (`watch.py`), one of them at a time. What was sent by which channel is in the database
(`models.py`), so a restart repeats nothing. Each way of telling is a channel (`channels.py`).
"""
