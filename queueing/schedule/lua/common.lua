-- Precedes every script (see redis_client.py). Names the keys and holds the functions that scripts share.
--
-- KEYS[1..4]  of the whole engine:
--   jobs      hash  id -> owner, priority, ready (ms) joined by SEP; every unfinished job that Redis knows
--   claims    hash  id -> token of the claim that runs it
--   running   hash  cluster/queue -> number of active jobs
--   reconciled  string  exists once Redis knows all active jobs; missing after Redis lost its data
-- then nine keys for each queue of the script, see queue_at:
--   waiting   zset  id -> priority * TAGS + virtual start; equal scores order by id, that is by age. Priority 0
--              is that of jobs whose turn it is, see claim.lua
--   delayed   zset  id -> ms when it becomes waiting
--   active    zset  id -> ms when its lease ends
--   parked    zset  group SEP score SEP id, all scores 0: waiting jobs that may not be claimed now. The group
--              is an owner at the maximum, or NEED and the digest of what a worker must be able to do
--   owner_finish_tags  zset  owner -> virtual finish of the last job it put in line
--   owner_unfinished   hash  owner -> number of unfinished jobs
--   owner_active       hash  owner -> number of active jobs
--   limiter_starts     zset  claim -> ms; the starts within the limiter's window
--   meta      hash  virtual_time, turn_starts, turn_priority, cooldown, cooldown_ms, breaker, reserved (ms; see
--              claim_suspect.lua), clock (ms; see ending_leases.lua), paused, the limits that operators changed,
--              and overrides_version, which changes whenever the last two are written
-- and for each provider:
--   breaker:<provider>  hash  see breaker.lua; `breaker` in `meta` names it while it exists
--
-- and, at the end of KEYS, for scripts that name them:
--   needs     hash  digest -> JSON; what the jobs of such a group need of a worker (schedule/needs.py)
--   unable    hash  id -> member of `parked`; the jobs of such groups

local JOBS, CLAIMS, RUNNING, RECONCILED = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local SEP = '\31'
local NEED = '\1' -- an owner has no control characters
local TAGS = 1099511627776 -- each priority has room for 2^40 virtual starts

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
    owner_active = KEYS[first + 6], limiter_starts = KEYS[first + 7], meta = KEYS[first + 8],
  }
end

-- Returns the key of a provider's breaker.
local function breaker_of(provider)
  return string.sub(RECONCILED, 1, -#'reconciled' - 1) .. 'breaker:' .. provider
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

-- Start-time fair queueing: in virtual time, a job starts when the previous job of its owner would have
-- finished, but not before the present. So an owner with many jobs waits behind its own jobs, not before
-- those of others. Jobs without an owner do not affect each other, and all start at the present.
-- `batch` is a list of {id, owner, priority}.
local function put_in_line(q, batch)
  local virtual_time = tonumber(redis.call('HGET', q.meta, 'virtual_time') or '0')
  local finish, members = {}, {}
  for _, job in ipairs(batch) do
    local start = virtual_time
    if job.owner ~= '' then
      local last = finish[job.owner]
      if not last then
        last = tonumber(redis.call('ZSCORE', q.owner_finish_tags, job.owner) or '0')
      end
      start = math.max(start, last)
      finish[job.owner] = start + 1
    end
    members[#members + 1] = whole(job.priority * TAGS + start)
    members[#members + 1] = job.id
  end
  for i = 1, #members, 1000 do
    redis.call('ZADD', q.waiting, unpack(members, i, math.min(i + 999, #members)))
  end
  for owner, last in pairs(finish) do
    redis.call('ZADD', q.owner_finish_tags, whole(last), owner)
  end
end

-- Puts the owner's first parked job back in line; its score has kept its position.
local function unpark(q, owner)
  if owner == '' then return end
  local found = redis.call('ZRANGEBYLEX', q.parked, '[' .. owner .. SEP, '(' .. owner .. '\32', 'LIMIT', 0, 1)
  if not found[1] then return end
  local score, id = string.match(found[1], '\31(%d+)\31(.*)$')
  redis.call('ZREM', q.parked, found[1])
  redis.call('ZADD', q.waiting, score, id)
end

-- Ends the claim of `id`. The caller decides where the job goes next.
local function end_claim(q, queue, id, owner, token)
  redis.call('ZREM', q.active, id)
  redis.call('HDEL', CLAIMS, id)
  add_to(RUNNING, running_field(token, queue), -1)
  if owner ~= '' then
    add_to(q.owner_active, owner, -1)
    unpark(q, owner)
  end
end

-- Removes the job from what Redis knows.
local function forget(q, id, owner)
  redis.call('HDEL', JOBS, id)
  if owner ~= '' then add_to(q.owner_unfinished, owner, -1) end
end

-- Returns the limits of the members of `parked` of a group, for ZRANGEBYLEX and ZLEXCOUNT.
local function members_of(group)
  return '[' .. group .. SEP, '(' .. group .. '\32'
end

-- Forgets what a group of jobs needs once it has no more of them.
local function forget_need(q, needs, digest)
  local from, to = members_of(NEED .. digest)
  if redis.call('ZLEXCOUNT', q.parked, from, to) == 0 then redis.call('HDEL', needs, digest) end
end

-- Returns the member of `parked` for `id`, or nil.
local function parked_member(q, id, owner)
  if owner == '' then return nil end
  local all = redis.call('ZRANGEBYLEX', q.parked, '[' .. owner .. SEP, '(' .. owner .. '\32')
  for _, member in ipairs(all) do
    if string.sub(member, -#id) == id then return member end
  end
  return nil
end
