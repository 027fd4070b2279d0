-- Returns the state of a provider's breaker: why it is open (outage or cooldown; empty while it is closed), the
-- ms since then, and the ms until the next probe.
-- KEYS  4 global, the breaker
-- ARGV  -
local cause, since, ends = unpack(redis.call('HMGET', KEYS[5], 'cause', 'since', 'until'))
if not cause then return {'', 0, 0} end
local now = now_ms()
return {cause, math.max(0, now - since), math.max(0, ends - now)}
