-- Reads the heartbeats of all workers. Changes nothing.
-- KEYS  workers (hash: id -> heartbeat, a JSON object whose `at` is the time of Redis in seconds)
-- Returns {the time in ms, then for each worker its heartbeat}.
return {now_ms(), unpack(redis.call('HVALS', KEYS[1]))}
