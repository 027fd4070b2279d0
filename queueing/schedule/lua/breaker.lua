-- Learns how jobs of a provider ended, and opens or closes the provider's breaker.
--
-- While it is closed, jobs start as usual. While it is open, one job (a probe) starts after a wait that
-- doubles each time, see claim_shared.lua. The success of a probe closes it. The hash of the breaker exists
-- only for some time after a failure; without one nothing is counted here.
--   until     ms at which the next probe may start; missing while closed
--   length, longest    ms of the latest wait, and the most that doubling makes of it
--   since, cause   when and why it opened: outage or cooldown
--   ok, bad   numbers of good and bad ends
--   w0..w5    slot/ok/bad: the same numbers of the last six slots of time
--   streak, streak_at   bad ends since the last good one, and ms of the first of them
--   first, mixed    the first job that failed, and 1 once another one has failed
--   blamed, blamed_at   the job that was at fault since the last good end, and ms of that
--   p:<id>    a probe that has not ended
--   job:<id>  times/ok/bad/spent/ms: how often the job failed while it was not known to be at fault, `ok` and
--             `bad` at the last time, the attempts that it has spent, and when it failed first
--
-- KEYS  4 global, the breaker, then 10 of each queue of the provider
-- ARGV  channel, provider, first wait (ms), good ends that were not reported before: JSON list of [ms ago, number];
--       JSON list of [id, end, minimum wait (ms), 1 if it was the last attempt], names of the queues
--       ends: ok; outage (the provider's fault); maybe (the provider's or the job's own fault); cooldown
-- Returns for each: verdict, ms to wait, spent attempts to give back, ms since the failures began.
-- Verdicts: 0 the job's own affair; 1 the job waits, and no other; 2 all jobs of the provider wait; 3 the
-- same, and the job lets others pass.
local BREAKER, FIRST_QUEUE, FIRST_NAME = KEYS[5], 6, 6
local now, unit = now_ms(), tonumber(ARGV[3])
local LONGEST, WATCH, SLOTS = 12 * unit, 24 * unit, 6
-- Bad ends in a row that open it, and bad ends that do so if they are at least half of all recent ones.
local IN_A_ROW, HALF = 4, 5
local b, flat = {}, redis.call('HGETALL', BREAKER)
for i = 1, #flat, 2 do b[flat[i]] = flat[i + 1] end

local function number(field) return tonumber(b[field] or '0') end

local function set(field, value)
  if type(value) == 'number' then value = whole(value) end
  b[field] = value
  redis.call('HSET', BREAKER, field, value)
end

local function drop(field)
  local was = b[field]
  if was then redis.call('HDEL', BREAKER, field) end
  b[field] = nil
  return was
end

-- Returns slot, ok and bad of one of the slots of time; zeros if it is of an earlier round.
local function slot_at(slot)
  local at, ok, bad = string.match(b['w' .. slot % SLOTS] or '', '^(%d+)/(%d+)/(%d+)$')
  if tonumber(at) ~= slot then return 0, 0 end
  return tonumber(ok), tonumber(bad)
end

local function count(ok, bad, at)
  local slot, present = math.floor((at or now) / unit), math.floor(now / unit)
  if slot > present - SLOTS then
    local ok_before, bad_before = slot_at(slot)
    set('w' .. slot % SLOTS, whole(slot) .. '/' .. whole(ok_before + ok) .. '/' .. whole(bad_before + bad))
  end
  set('ok', number('ok') + ok)
  set('bad', number('bad') + bad)
end

local function recent()
  local ok, bad, slot = 0, 0, math.floor(now / unit)
  for i = slot - SLOTS + 1, slot do
    local more_ok, more_bad = slot_at(i)
    ok, bad = ok + more_ok, bad + more_bad
  end
  return ok, bad
end

local function each_queue(change)
  for i = FIRST_NAME, #ARGV do
    change(queue_at(FIRST_QUEUE + QUEUE_KEYS * (i - FIRST_NAME)))
    redis.call('PUBLISH', ARGV[1], 'wake:' .. ARGV[i])
  end
end

local function good()
  count(1, 0)
  drop('streak')
  drop('blamed')
end

-- Takes in good ends of some time ago. They say nothing about failures that began after them.
local function good_before(ms, many)
  local at = now - ms
  count(many, 0, at)
  if at >= number('streak_at') then drop('streak') end
  if at >= number('blamed_at') then drop('blamed') end
  for field, value in pairs(b) do
    local times, ok, rest, first_at = string.match(value, '^(%d+)/(%d+)/(%d+/%d+)/(%d+)$')
    if first_at and tonumber(first_at) > at then
      set(field, times .. '/' .. whole(tonumber(ok) + many) .. '/' .. rest .. '/' .. first_at)
    end
  end
end

-- The jobs of the provider start again, first one at a time, then more (see cooldown_room).
local function close()
  local ramp = math.min(now - number('since'), SLOTS * unit)
  if b.cause == 'cooldown' then drop('length') end
  for field in pairs(b) do
    if string.find(field, '^p:') or string.find(field, '^w%d') then redis.call('HDEL', BREAKER, field) end
  end
  for i = 0, SLOTS - 1 do b['w' .. i] = nil end
  for _, field in ipairs({'until', 'since', 'cause', 'first', 'mixed'}) do drop(field) end
  each_queue(function(q) redis.call('HSET', q.meta, 'cooldown', whole(now), 'cooldown_ms', whole(ramp)) end)
end

local function open(cause, wait)
  local length = wait
  if cause == 'outage' then -- it goes on where an outage a moment ago has ended; ± 10 % for other sites
    length = math.max(wait, math.min(LONGEST, math.max(unit, number('length')))) * (90 + now % 21) / 100
  end
  set('until', now + length)
  set('length', length)
  set('longest', LONGEST)
  set('since', now)
  set('cause', cause)
  each_queue(function(q)
    redis.call('HSET', q.meta, 'cooldown', b['until'], 'cooldown_ms', whole(length))
  end)
end

-- Returns times, ok, bad, spent and first of the job's failures.
local function failures_of(id)
  local times, ok, bad, spent, at = string.match(b['job:' .. id] or '0/0/0/0/' .. whole(now),
    '^(%d+)/(%d+)/(%d+)/(%d+)/(%d+)$')
  return tonumber(times), tonumber(ok), tonumber(bad), tonumber(spent), tonumber(at)
end

local function note(id, times, spent, at)
  set('job:' .. id, table.concat({whole(times), whole(number('ok')), whole(number('bad')), whole(spent), whole(at)}, '/'))
end

-- Returns whether failures of several jobs show that the provider has failed.
local function has_failed(certain)
  if not b.mixed then return false end
  local ok, bad = recent()
  local little_traffic = ok == 0 and (certain or (number('streak') >= 3 and now - number('streak_at') >= unit))
  return little_traffic or number('streak') >= IN_A_ROW or (bad >= HALF and bad >= ok)
end

-- Returns whether a failure is the job's own: others were answered since its last one. They may have been
-- answered before an outage that begins now. So what fails after the failure of another job, with no answer
-- between, is not the job's own.
local function is_own(id, times, answered, others_failed)
  local is_alone = not b.streak and (not b.blamed or b.blamed == id)
  return times > 0 and answered > 0 and answered >= 2 * others_failed and is_alone
end

local function failed(id, cause, wait, is_last)
  local times, ok_then, bad_then, spent, first_at = failures_of(id)
  if b['until'] then
    local was_probe = drop('p:' .. id)
    set('bad', number('bad') + 1)
    if now + wait > number('until') then
      set('until', now + wait)
      set('length', math.max(wait, number('length')))
    end
    note(id, times + 1, 0, first_at)
    return (was_probe or cause == 'cooldown') and 3 or 2, number('until') - now, spent, number('since')
  end
  local answered, others_failed = number('ok') - ok_then, number('bad') - bad_then
  if is_own(id, times, answered, others_failed) then
    set('blamed', id)
    set('blamed_at', now)
    if is_last then drop('job:' .. id) end -- else it is compared with the same answers again
    return 0, 0, 0, now
  end
  count(0, 1)
  if not b.streak then set('streak_at', now) end
  set('streak', number('streak') + 1)
  if not b.first then set('first', id) elseif b.first ~= id then set('mixed', 1) end
  if cause == 'cooldown' or has_failed(cause == 'outage') then
    open(cause == 'cooldown' and cause or 'outage', wait)
    note(id, times + 1, 0, first_at)
    return cause == 'cooldown' and 3 or 2, number('until') - now, spent, now
  end
  local nothing_answers = times >= 2 and now - first_at >= unit and answered == 0 and recent() == 0
  if cause == 'outage' or nothing_answers then
    note(id, times + 1, 0, first_at)
    return 1, times > 0 and math.min(LONGEST, unit * 2 ^ (times - 1)) or 0, spent, first_at
  end
  if is_last then drop('job:' .. id) else note(id, times + 1, spent + 1, first_at) end
  return 0, 0, 0, now
end

local function succeeded(id)
  drop('job:' .. id)
  if not b['until'] then
    good()
  elseif drop('p:' .. id) then -- a success of a job that started before does not count
    close()
    good()
  end
end

local reply, has_trouble = {}, false
if not b['until'] then
  for _, before in ipairs(cjson.decode(ARGV[4])) do good_before(unpack(before)) end
end
for _, ended in ipairs(cjson.decode(ARGV[5])) do
  local id, cause, wait, is_last = unpack(ended)
  local verdict, ms, give_back, began = 0, 0, 0, now
  if cause == 'ok' then
    succeeded(id)
  else
    has_trouble = true
    verdict, ms, give_back, began = failed(id, cause, wait, is_last == 1)
  end
  reply[#reply + 1] = verdict
  reply[#reply + 1] = math.max(0, math.floor(ms))
  reply[#reply + 1] = give_back
  reply[#reply + 1] = math.max(0, now - began)
end
if has_trouble then
  each_queue(function(q) redis.call('HSET', q.meta, 'breaker', ARGV[2]) end)
  redis.call('PEXPIRE', BREAKER, whole(WATCH + math.max(0, number('until') - now)))
end
if redis.call('PTTL', BREAKER) < 0 then redis.call('PEXPIRE', BREAKER, whole(WATCH)) end
return reply
