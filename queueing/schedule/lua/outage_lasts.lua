-- Returns for how many ms a provider has not answered; 0 if it answers.
-- KEYS  4 global, the breaker
-- ARGV  -
local since, cause = unpack(redis.call('HMGET', KEYS[5], 'since', 'cause'))
if cause ~= 'outage' then return 0 end
return math.max(0, now_ms() - since)
