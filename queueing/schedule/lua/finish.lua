-- Ends claims whose outcome is on record. A claim that has another token by now is refused.
-- KEYS  4 global, 10 of the queue, completed, failed (zsets id -> ms), durations (list of ms), idle (hash: channel of
--       a worker -> its terms)
-- ARGV  queue, completed to keep, failed to keep, JSON list of [token, state, [id, ...], [ms the first of them ran,
--       ...]], channel to notify that there is room, or empty if the caller claims next itself
-- Returns the ids that were refused.
local q = queue_at(5)
local lists = {completed = KEYS[15], failed = KEYS[16]}
local queue, now = ARGV[1], now_ms()
local refused, done, taken, owners, clusters, durations = {}, {}, {}, {}, {}, {}
local history = {completed = {}, failed = {}}

local groups, ids, stamp = cjson.decode(ARGV[4]), {}, whole(now)
for _, group in ipairs(groups) do
  for _, id in ipairs(group[3]) do ids[#ids + 1] = id end
end
local holders = redis.call('HMGET', CLAIMS, unpack(ids))
local jobs = redis.call('HMGET', JOBS, unpack(ids))

local at = 0
for _, group in ipairs(groups) do
  local token, state, ended, ran = unpack(group)
  local list, number = history[state], 0
  for i, id in ipairs(ended) do
    at = at + 1
    if holders[at] ~= token or taken[id] then
      refused[#refused + 1] = id
    else
      taken[id] = true -- a job that a batch names twice ends once
      number = number + 1
      done[#done + 1] = id
      local owner = string.match(jobs[at] or '', '^[^\31]*')
      if owner ~= '' then owners[owner] = (owners[owner] or 0) + 1 end
      if list then
        list[#list + 1] = stamp
        list[#list + 1] = id
        if state == 'completed' and ran[i] and #durations < 20 then durations[#durations + 1] = ran[i] end
      end
    end
  end
  if number > 0 then
    local field = running_field(token, queue)
    clusters[field] = (clusters[field] or 0) + number
  end
end

if #done > 0 then
  redis.call('ZREM', q.active, unpack(done))
  redis.call('HDEL', CLAIMS, unpack(done))
  redis.call('HDEL', JOBS, unpack(done))
  for field, n in pairs(clusters) do add_to(RUNNING, field, -n) end
  for owner, n in pairs(owners) do
    count_unfinished(q, owner, -n)
    free(q, owner, n)
  end
  for state, list in pairs(history) do
    local keep = tonumber(state == 'completed' and ARGV[2] or ARGV[3])
    if #list > 0 and keep > 0 then
      redis.call('ZADD', lists[state], unpack(list))
      redis.call('ZREMRANGEBYRANK', lists[state], 0, -keep - 1)
    end
  end
  if #durations > 0 then
    redis.call('LPUSH', KEYS[17], unpack(durations))
    redis.call('LTRIM', KEYS[17], 0, 99)
  end
  -- A worker with free slots found no room before, because another one had taken it all. From now on they share
  -- the work.
  local idle = redis.call('ZCARD', q.waiting) > 0 and redis.call('HRANDFIELD', KEYS[18], 1, 'WITHVALUES') or {}
  if idle[1] and string.find(idle[2], '"' .. queue .. '"', 1, true) then
    redis.call('HDEL', KEYS[18], idle[1])
    redis.call('PUBLISH', idle[1], 'wake:' .. queue)
  end
end
if ARGV[5] ~= '' then redis.call('PUBLISH', ARGV[5], 'wake:' .. queue) end
return refused
