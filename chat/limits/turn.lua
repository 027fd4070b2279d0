-- Reserves a turn: now, or the first moment at which every limit lets one more through.
-- KEYS  of each limit a sorted set: entry -> ms at which it goes through, past ones for a window's length
-- ARGV  the new entry, the longest wait (ms), how many of the keys (the first) are the asker's own,
--       then of each key how many it lets through and in how many ms
-- Returns 1 and the wait (ms), or 0 and the wait when that is too long: then nothing is reserved.
local entry, most, own = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function score_of(key, rank)
  return tonumber(redis.call('ZREVRANGE', key, rank, rank, 'WITHSCORES')[2])
end

local turn = now
for i, key in ipairs(KEYS) do
  local amount, window = tonumber(ARGV[2 + 2 * i]), tonumber(ARGV[3 + 2 * i])
  redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now - window))
  -- Counting from the last moment given out, so that no window ever holds one too many, also not one
  -- in which others will have gone through that are still to come.
  local blocking = score_of(key, amount - 1)
  if blocking then turn = math.max(turn, blocking + window) end
  -- One's own go in the order they were asked for; an address is shared by strangers.
  if i <= own then turn = math.max(turn, score_of(key, 0) or 0) end
end

if turn - now > most then return {0, turn - now} end
for i, key in ipairs(KEYS) do
  redis.call('ZADD', key, string.format('%.0f', turn), entry)
  redis.call('PEXPIREAT', key, string.format('%.0f', score_of(key, 0) + tonumber(ARGV[3 + 2 * i])))
end
return {1, turn - now}
