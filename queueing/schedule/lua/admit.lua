-- Finds out whether a call may go to a provider that guards no queue. While its breaker is open, one call at
-- a time may (a probe); how it ends is for breaker.lua.
-- KEYS  4 global, the breaker
-- ARGV  id of the call
-- Returns 0 if it may, else the ms after which the next one may.
local now = now_ms()
local ends = next_probe(KEYS[5], now)
if not ends then return 0 end
if ends > now then return ends - now end
begin_probe(KEYS[5], ARGV[1], now)
return 0
