-- Writes a worker's heartbeat, with the time of Redis, and removes the heartbeats of silent workers.
-- KEYS  workers (hash: id -> heartbeat, a JSON object)
-- ARGV  the worker's id, its heartbeat without `at`, ms after which a silent worker is removed
-- Returns the time in ms.
local WORKERS = KEYS[1]
local now = now_ms()
redis.call('HDEL', WORKERS, '') -- see need_no_memory

local function stamped(text)
  return string.format('{"at": %.3f, ', now / 1000) .. text
end

local all = redis.call('HGETALL', WORKERS)
for i = 1, #all, 2 do
  local age = now - cjson.decode(all[i + 1]).at * 1000
  if age > tonumber(ARGV[3]) then
    redis.call('HDEL', WORKERS, all[i])
  elseif age < -1000 then -- the clock was set back: a silent worker's heartbeat ages from now on
    local rest = string.match(all[i + 1], '^{"at": [%d.]+, (.*)$')
    if rest then redis.call('HSET', WORKERS, all[i], stamped(rest)) end
  end
end
redis.call('HSET', WORKERS, ARGV[1], stamped(string.sub(ARGV[2], 2)))
return now
