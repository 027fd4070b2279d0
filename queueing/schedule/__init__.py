"""The schedule in Redis: connections, one Lua script per move, enqueueing, worker presence."""
