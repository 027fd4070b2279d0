-- Reserves the first time at which all limits allow one more message.
-- KEYS  one sorted set per limit: entry -> reserved time (ms); past times stay for the length of the window
-- ARGV  the new entry, the maximum wait (ms), the maximum wait of all calls (ms), the number of keys that belong
--       to the sender (the first ones), then for each key its limit: the number of messages, and the window (ms)
-- Returns {1, wait in ms}, or {0, wait in ms} when the wait is too long; then nothing is reserved.
local entry, max_wait, furthest, own = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function score_of(key, rank)
  return tonumber(redis.call('ZREVRANGE', key, rank, rank, 'WITHSCORES')[2])
end

-- No call reserves a later time than this one, so such times were reserved before the clock was set back. They
-- count as now.
local function count_as_now(key)
  local last = string.format('(%.0f', now + furthest + 1000)
  for _, old in ipairs(redis.call('ZRANGEBYSCORE', key, last, '+inf')) do
    redis.call('ZADD', key, string.format('%.0f', now), old)
  end
end

local reserved = now
for i, key in ipairs(KEYS) do
  local amount, window = tonumber(ARGV[3 + 2 * i]), tonumber(ARGV[4 + 2 * i])
  count_as_now(key)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now - window))
  -- Counts back from the last reserved time, so that no window holds too many, including windows that
  -- contain reservations still to come.
  local blocking = score_of(key, amount - 1)
  if blocking then reserved = math.max(reserved, blocking + window) end
  -- The sender's own messages keep their order; an address is shared by unrelated people.
  if i <= own then reserved = math.max(reserved, score_of(key, 0) or 0) end
end

if reserved - now > max_wait then return {0, reserved - now} end
for i, key in ipairs(KEYS) do
  redis.call('ZADD', key, string.format('%.0f', reserved), entry)
  redis.call('PEXPIREAT', key, string.format('%.0f', score_of(key, 0) + tonumber(ARGV[4 + 2 * i])))
end
return {1, reserved - now}
