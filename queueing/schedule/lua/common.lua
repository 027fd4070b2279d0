-- Precedes every script (see redis_client.py). Names the keys and holds the functions that scripts share.
--
-- KEYS[1..4]  of the whole engine:
--   jobs      hash  id -> owner, priority, ready (ms) joined by SEP; every unfinished job that Redis knows.
--              The owner of a job with a share is its owner, SHARE and the name of the share. The limits of the
--              job follow, each as LIMIT, name, PART, key, PART and maximum. Older code takes all of this for the owner
--   claims    hash  id -> token of the claim that runs it
--   running   hash  cluster/queue -> number of active jobs
--   reconciled  string  exists once Redis knows all active jobs; missing after Redis lost its data
-- then ten keys for each queue of the script, see queue_at:
--   waiting   zset  id -> priority * TAGS + virtual start; equal scores order by id, that is by age. Priority 0
--              is that of jobs whose turn it is, see claim.lua
--   delayed   zset  id -> ms when it becomes waiting
--   active    zset  id -> ms when its lease ends
--   parked    zset  group SEP score SEP id, all scores 0: waiting jobs that may not be claimed now. The group
--              is an owner at the maximum, LIMIT with the name and key of a limit at its maximum, or NEED and the digest
--              of what a worker must be able to do
--   owner_finish_tags  zset  owner -> virtual finish of the last job it put in line. Here, in `parked` and in
--              `owner_active`, a share is one owner in place of all those who have it
--   owner_unfinished   hash  owner -> number of unfinished jobs; also of each share
--   owner_active       hash  owner -> number of active jobs
--   limiter_starts     zset  claim -> ms; the starts within the limiter's window
--   shared    zset  share SEP id, all scores 0: the jobs in line that have a share. It may be incomplete
--   meta      hash  virtual_time, weighted (1 if weights count), turn_starts, turn_priority, cooldown, cooldown_ms, breaker,
--              reserved (ms; see claim_suspect.lua), clock (ms; see ending_leases.lua), woken (ms; see submit.lua), paused,
--              the limits that operators changed, and overrides_version, which changes whenever the last two are written
-- and, outside KEYS, of a queue that has jobs with limits:
--   limit_active  hash  name and key of a limit, as a group -> number of active jobs
--   limit_parked  hash  id -> member of `parked`; the jobs of such groups. It may have more
-- and of the whole engine:
--   breaker:<provider>  hash  see breaker.lua; `breaker` in `meta` names it while it exists
--   weights   hash  owner, or SHARE and a share -> its weight, unless that is 1; '' -> version, see set_weights.lua
--
-- and, at the end of KEYS, for scripts that name them:
--   needs     hash  digest -> JSON; what the jobs of such a group need of a worker (schedule/needs.py)
--   unable    hash  id -> member of `parked`; the jobs of such groups

local JOBS, CLAIMS, RUNNING, RECONCILED = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local SEP = '\31'
local QUEUE_KEYS = 10
local NEED = '\1' -- an owner has no control characters
local SHARE, LIMIT, PART = '\30', '\29', '\28' -- likewise
local MAX_SHARED = 500 -- jobs of a share in line among which its owners take turns
local TAGS = 1099511627776 -- each priority has room for 2^40 virtual starts
local TURN_TIME = 840 -- virtual time of a job of weight 1 in a queue with weights; 1 to 8 divide it

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Without memory, Redis refuses a script whose first write may need some. Scripts that keep active jobs alive
-- call this first: they write hardly more than they replace.
local function need_no_memory()
  redis.call('HDEL', CLAIMS, '')
end

local function queue_at(first)
  return {
    waiting = KEYS[first], delayed = KEYS[first + 1], active = KEYS[first + 2],
    parked = KEYS[first + 3], owner_finish_tags = KEYS[first + 4], owner_unfinished = KEYS[first + 5],
    owner_active = KEYS[first + 6], limiter_starts = KEYS[first + 7], shared = KEYS[first + 8], meta = KEYS[first + 9],
  }
end

-- Returns a key of the whole engine that is not in KEYS.
local function key_of(name)
  return string.sub(RECONCILED, 1, -#'reconciled' - 1) .. name
end

-- Returns the key of a provider's breaker.
local function breaker_of(provider)
  return key_of('breaker:' .. provider)
end

local function whole(number)
  return string.format('%.0f', number)
end

-- Returns the ms at which the next probe of a breaker may start, nil while it is closed, and whether it has
-- counted a failure recently.
local function next_probe(breaker, now)
  local known, ends, length = unpack(redis.call('HMGET', breaker, 'bad', 'until', 'length'))
  if not ends then return nil, known end
  ends = tonumber(ends)
  if ends > now + length then -- the clock was set back: no wait is longer than it was
    ends = now + length
    redis.call('HSET', breaker, 'until', whole(ends))
  end
  return ends, known
end

-- Lets the job start although the breaker is open. The next probe may start after twice the wait.
local function begin_probe(breaker, id, now)
  local length, longest = unpack(redis.call('HMGET', breaker, 'length', 'longest'))
  local wait = math.min(2 * length, math.max(longest, length))
  redis.call('HSET', breaker, 'until', whole(now + wait), 'length', whole(wait), 'p:' .. id, 1)
  redis.call('PEXPIRE', breaker, whole(wait + 300000)) -- an answer may take minutes
end

local function pack(owner, priority, ready)
  return owner .. SEP .. whole(priority) .. SEP .. whole(ready)
end

-- Returns owner, priority and ready from a value of `jobs`. A lost value (a key was evicted or deleted) does
-- not stop the job: the record has its owner, and reconciliation counts again.
local function parse(text)
  if not text then return '', 1, now_ms() end
  local owner, priority, ready = string.match(text, '^(.-)\31(%d+)\31(%d+)$')
  return owner, tonumber(priority), tonumber(ready)
end

-- Changes a counter, and deletes it at zero.
local function add_to(hash, field, change)
  if redis.call('HINCRBY', hash, field, change) <= 0 then
    redis.call('HDEL', hash, field)
  end
end

-- Returns cluster/queue for a token `cluster/worker/number`.
local function running_field(token, queue)
  return string.match(token, '^[^/]*') .. '/' .. queue
end

-- Returns the owner with its share, without the limits of the job.
local function without_limits(owner)
  local at = string.find(owner, LIMIT, 1, true)
  return at and string.sub(owner, 1, at - 1) or owner
end

-- Returns whom the jobs of an owner count for: the share that the owner has, else the owner.
local function payer(owner)
  if not string.find(owner, '[\29\30]') then return owner end
  owner = without_limits(owner)
  local at = string.find(owner, SHARE, 1, true)
  return at and string.sub(owner, at) or owner
end

local NO_LIMITS = {}

-- Returns the limits of a job, from what `jobs` has as its owner: a list of {group, most}.
local function limits_of(owner)
  local at = string.find(owner, LIMIT, 1, true)
  if not at then return NO_LIMITS end
  local found = {}
  for group, most in string.gmatch(string.sub(owner, at), '(\29[^\28]*\28[^\28]*)\28(%d+)') do
    found[#found + 1] = {group = group, most = tonumber(most)}
  end
  return found
end

-- Returns a key of the queue that is not in KEYS.
local function queue_key_of(q, name)
  return string.sub(q.meta, 1, -#'meta' - 1) .. name
end

-- Changes the number of unfinished jobs of the owner, and that of its share.
local function count_unfinished(q, owner, change)
  owner = without_limits(owner)
  if owner == '' then return end
  add_to(q.owner_unfinished, owner, change)
  local share = payer(owner)
  if share ~= owner then add_to(q.owner_unfinished, share, change) end
end

-- Returns the limits of the members of `parked` of a group, or of `shared` of a share, for ZRANGEBYLEX and ZLEXCOUNT.
local function members_of(group)
  return '[' .. group .. SEP, '(' .. group .. '\32'
end

-- Returns the jobs in line that have the share, in the order of the line.
local function line_of_share(q, share)
  local from, to = members_of(share)
  local members = redis.call('ZRANGEBYLEX', q.shared, from, to, 'LIMIT', 0, MAX_SHARED)
  if #members < 2 then return {} end
  local ids, line = {}, {}
  for i, member in ipairs(members) do ids[i] = string.match(member, '([^\31]*)$') end
  local scores, texts = redis.call('ZMSCORE', q.waiting, unpack(ids)), redis.call('HMGET', JOBS, unpack(ids))
  for i, id in ipairs(ids) do
    if scores[i] and texts[i] then
      line[#line + 1] = {id = id, score = tonumber(scores[i]), owner = without_limits((parse(texts[i])))}
    end
  end
  table.sort(line, function(a, b) return a.score < b.score or (a.score == b.score and a.id < b.id) end)
  return line
end

-- Lets the owners who have a share take turns: the places in line of their jobs stay, and each priority gives its places
-- first to the first job of every owner, then to the second one, and so on.
local function take_turns_in_share(q, share)
  local line, turns, places = line_of_share(q, share), {}, {}
  for i, job in ipairs(line) do
    job.at, job.priority = i, math.floor(job.score / TAGS)
    local key = job.priority .. SEP .. job.owner
    turns[key] = (turns[key] or 0) + 1
    job.turn, places[i] = turns[key], job.score
  end
  table.sort(line, function(a, b)
    if a.priority ~= b.priority then return a.priority < b.priority end
    if a.turn ~= b.turn then return a.turn < b.turn end
    return a.at < b.at
  end)
  local moved = {}
  for i, job in ipairs(line) do
    if job.score ~= places[i] then
      moved[#moved + 1] = whole(places[i])
      moved[#moved + 1] = job.id
    end
  end
  if #moved > 0 then redis.call('ZADD', q.waiting, unpack(moved)) end
end

-- Returns the virtual time that a job of an owner, or of a share, takes: the greater the weight, the less.
local function cost_of(name, is_weighted)
  if not is_weighted then return 1 end
  local weight = redis.call('HGET', key_of('weights'), name)
  return math.max(1, math.floor(TURN_TIME / (weight or 1) + 0.5))
end

-- Returns the virtual time, and whether the queue has weights. In an idle queue with weights it begins again, so that
-- it never grows beyond TAGS. Only there the removal of the last weight is noticed: no job in line loses its place.
local function present(q)
  local virtual_time, is_weighted = unpack(redis.call('HMGET', q.meta, 'virtual_time', 'weighted'))
  if is_weighted and redis.call('EXISTS', q.waiting, q.parked, q.active) == 0 then
    virtual_time = 0
    redis.call('DEL', q.owner_finish_tags)
    redis.call('HSET', q.meta, 'virtual_time', 0)
    is_weighted = redis.call('HLEN', key_of('weights')) > 1
    if not is_weighted then redis.call('HDEL', q.meta, 'weighted') end
  end
  return tonumber(virtual_time or '0'), is_weighted
end

-- Start-time fair queueing: in virtual time, a job starts when the previous job of its owner would have
-- finished, but not before the present. So an owner with many jobs waits behind its own jobs, not before
-- those of others. The jobs of an owner of weight 3 take a third of the time, so it gets three turns for one of
-- others. A share is like one owner; those who have it take turns in its places. Jobs without an owner do not
-- affect each other, and all start at the present.
-- `batch` is a list of {id, owner, priority}.
local function put_in_line(q, batch)
  if #batch == 0 then return end
  local virtual_time, is_weighted = present(q)
  local finish, costs, members, shares = {}, {}, {}, {}
  for _, job in ipairs(batch) do
    local start, name = virtual_time, payer(job.owner)
    if name ~= '' then
      local last = finish[name]
      if not last then
        last = tonumber(redis.call('ZSCORE', q.owner_finish_tags, name) or '0')
        costs[name] = cost_of(name, is_weighted)
      end
      start = math.max(start, last)
      finish[name] = start + costs[name]
      if string.sub(name, 1, 1) == SHARE then
        shares[name] = true
        redis.call('ZADD', q.shared, 0, name .. SEP .. job.id)
      end
    end
    members[#members + 1] = whole(job.priority * TAGS + start)
    members[#members + 1] = job.id
  end
  for i = 1, #members, 1000 do
    redis.call('ZADD', q.waiting, unpack(members, i, math.min(i + 999, #members)))
  end
  for name, last in pairs(finish) do
    redis.call('ZADD', q.owner_finish_tags, whole(last), name)
  end
  for share in pairs(shares) do take_turns_in_share(q, share) end
end

-- Forgets that a job which has left the line had a share.
local function leave_share(q, id, owner)
  local name = payer(owner)
  if string.sub(name, 1, 1) == SHARE then redis.call('ZREM', q.shared, name .. SEP .. id) end
end

-- Puts the first parked job of a group back in line; its score has kept its position.
local function unpark(q, group)
  if group == '' then return end
  local from, to = members_of(group)
  local found = redis.call('ZRANGEBYLEX', q.parked, from, to, 'LIMIT', 0, 1)
  if not found[1] then return end
  local score, id = string.match(found[1], '\31(%d+)\31(.*)$')
  redis.call('ZREM', q.parked, found[1])
  redis.call('ZADD', q.waiting, score, id)
end

-- Counts `number` active jobs less of an owner and of the limits of its jobs, and puts as many parked jobs of each
-- back in line.
local function free(q, owner, number)
  local name = payer(owner)
  if name ~= '' then
    add_to(q.owner_active, name, -number)
    for _ = 1, number do unpark(q, name) end
  end
  for _, limit in ipairs(limits_of(owner)) do
    add_to(queue_key_of(q, 'limit_active'), limit.group, -number)
    for _ = 1, number do unpark(q, limit.group) end
  end
end

-- Ends the claim of `id`. The caller decides where the job goes next.
local function end_claim(q, queue, id, owner, token)
  redis.call('ZREM', q.active, id)
  redis.call('HDEL', CLAIMS, id)
  add_to(RUNNING, running_field(token, queue), -1)
  free(q, owner, 1)
end

-- Removes the job from what Redis knows.
local function forget(q, id, owner)
  redis.call('HDEL', JOBS, id)
  count_unfinished(q, owner, -1)
end

-- Forgets what a group of jobs needs once it has no more of them.
local function forget_need(q, needs, digest)
  local from, to = members_of(NEED .. digest)
  if redis.call('ZLEXCOUNT', q.parked, from, to) == 0 then redis.call('HDEL', needs, digest) end
end

-- Returns the member of `parked` for `id`, or nil.
local function parked_member(q, id, owner)
  if limits_of(owner)[1] then
    local member = redis.call('HGET', queue_key_of(q, 'limit_parked'), id)
    if member and redis.call('ZSCORE', q.parked, member) then return member end
  end
  owner = payer(owner)
  if owner == '' then return nil end
  local from, to = members_of(owner)
  for _, member in ipairs(redis.call('ZRANGEBYLEX', q.parked, from, to)) do
    if string.sub(member, -#id) == id then return member end
  end
  return nil
end
