-- Finds out whether a call may go to a provider that has a breaker but stops no queue: another provider takes
-- the calls meanwhile. While it is open, one call at a time may (a probe). A caller that has failed there
-- recently may not.
-- KEYS  4 global, the breaker
-- ARGV  id of the caller, by which its failures are known
-- Returns -1 if the call may go there and nothing has failed recently; 0 if it may and its end must be reported;
-- else the ms until the next call may.
local now = now_ms()
local ends, known = next_probe(KEYS[5], now)
if not known then return -1 end
if not ends then
  if redis.call('HEXISTS', KEYS[5], 'job:' .. ARGV[1]) == 0 then return 0 end
  return math.max(1, redis.call('PTTL', KEYS[5]))
end
if ends > now then return ends - now end
begin_probe(KEYS[5], ARGV[1], now)
return 0
