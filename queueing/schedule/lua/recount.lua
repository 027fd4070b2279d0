-- Counts again what Redis counts on the way, since one of the counters may have been evicted or deleted:
-- the active jobs of clusters and owners and, in a short queue or when asked to, the unfinished jobs of owners.
-- KEYS  4 global, 10 of the queue
-- ARGV  queue, 1 to count the unfinished jobs of owners in any case, length of a short queue
-- Returns the number of counters that were wrong.
local q = queue_at(5)
local wrong = 0

-- Calls `act` with the ids, a thousand at a time.
local function in_pages(ids, act)
  for i = 1, #ids, 1000 do act({unpack(ids, i, math.min(i + 999, #ids))}) end
end

local function add(counts, name)
  if name and name ~= '' then counts[name] = (counts[name] or 0) + 1 end
end

-- Makes the fields of a hash for which `is_ours` is true equal to `counts`.
local function correct(hash, counts, is_ours)
  local found = redis.call('HGETALL', hash)
  for i = 1, #found, 2 do
    local name = found[i]
    if is_ours(name) then
      if tonumber(found[i + 1]) ~= counts[name] then
        wrong = wrong + 1
        redis.call('HDEL', hash, name)
      else
        counts[name] = nil
      end
    end
  end
  for name, number in pairs(counts) do
    wrong = wrong + 1
    redis.call('HSET', hash, name, number)
  end
end

local function any() return true end
local running, owners, limits, active = {}, {}, {}, redis.call('ZRANGE', q.active, 0, -1)
in_pages(active, function(page)
  local texts = redis.call('HMGET', JOBS, unpack(page))
  for i, token in ipairs(redis.call('HMGET', CLAIMS, unpack(page))) do
    if token then
      add(running, running_field(token, ARGV[1]))
      local owner = parse(texts[i])
      add(owners, payer(owner))
      for _, limit in ipairs(limits_of(owner)) do add(limits, limit.group) end
    else -- it ended on record after its claim was lost, or the next check puts it back
      redis.call('ZREM', q.active, page[i])
      redis.call('HDEL', JOBS, page[i])
      wrong = wrong + 1
    end
  end
end)
local suffix = '/' .. ARGV[1]
correct(RUNNING, running, function(field) return string.sub(field, -#suffix) == suffix end)
correct(q.owner_active, owners, any)
correct(queue_key_of(q, 'limit_active'), limits, any)

local sets = {q.waiting, q.delayed, q.active, q.parked}
local total = 0
for _, set in ipairs(sets) do total = total + redis.call('ZCARD', set) end
if wrong > 0 or ARGV[2] == '1' or total <= tonumber(ARGV[3]) then
  local unfinished = {}
  for _, set in ipairs(sets) do
    local ids = redis.call('ZRANGE', set, 0, -1)
    if set == q.parked then
      for i, member in ipairs(ids) do
        ids[i] = string.match(member, '([^\31]*)$')
        if redis.call('ZSCORE', q.waiting, ids[i]) then -- it was put back without knowing that it was parked
          redis.call('ZREM', q.parked, member)
          ids[i] = ''
        end
      end
    end
    in_pages(ids, function(page)
      for _, text in ipairs(redis.call('HMGET', JOBS, unpack(page))) do
        if text then
          local owner = parse(text)
          owner = without_limits(owner)
          add(unfinished, owner)
          if payer(owner) ~= owner then add(unfinished, payer(owner)) end
        end
      end
    end)
  end
  correct(q.owner_unfinished, unfinished, any)
end

-- Workers that do not know shares, or limits, end the last active job of one without putting its next one back in line.
-- Those that do not know limits also park jobs behind the owner together with the limits.
local idle = {}
for _, member in ipairs(redis.call('ZRANGE', q.parked, 0, -1)) do
  local name = string.match(member, '^(.-)' .. SEP)
  local kind = string.sub(name, 1, 1)
  local counters = kind == SHARE and q.owner_active or kind == LIMIT and queue_key_of(q, 'limit_active')
  if string.find(name, LIMIT, 2, true) then unpark(q, name) end
  if counters and redis.call('HEXISTS', counters, name) == 0 then idle[name] = true end
end
for name in pairs(idle) do unpark(q, name) end

-- They also leave members of `shared` behind.
for _, member in ipairs(redis.call('ZRANGE', q.shared, 0, -1)) do
  local id = string.match(member, '([^\31]*)$')
  if redis.call('HEXISTS', JOBS, id) == 0 or redis.call('ZSCORE', q.active, id) then redis.call('ZREM', q.shared, member) end
end

-- Without its virtual time a queue would put every new job before those that wait.
local head = redis.call('ZRANGE', q.waiting, 0, 0, 'WITHSCORES')
if head[2] and redis.call('HEXISTS', q.meta, 'virtual_time') == 0 then
  redis.call('HSET', q.meta, 'virtual_time', whole(tonumber(head[2]) % TAGS))
end
return wrong
