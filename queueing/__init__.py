"""A job queue for Django: Redis is the schedule, the database is the record.

Each room imports from the rooms below it only:

    management                      manage.py commands
    admin  dashboard  terminal      three user interfaces for operators
    control  worker                 operators' actions; the processes that run jobs
    submit  monitoring  recovery    accepting jobs; figures and health; lost workers, a lost Redis
    events                          what clients are sent, and how they follow a job
    limits                          backpressure, limits changed at run time, backoff
    record  schedule                jobs in the database; jobs in Redis, as Lua scripts
    kinds  models  conf  errors     definitions that every room uses

An application uses the public surface alone: start at `queueing.api`.
"""

#: The version of the package (`make wheel`).
__version__ = "0.1.0"
