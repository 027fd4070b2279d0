"""What owners and operators can do to jobs and queues: the moves, the audit log, the registry of actions."""
