"""Keep the live schedule in Redis: one Lua script for each move, the connections, and worker heartbeats."""
