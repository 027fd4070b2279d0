-- Where a job stands.
-- KEYS  3 global, 9 of the queue
-- ARGV  id
-- Returns {state, number}: waiting and how many are before it; delayed and ms until it is due;
-- active and 0; or nil when Redis does not know it. Changes nothing; O(log n).
local q = queue_at(4)
local id = ARGV[1]
local rank = redis.call('ZRANK', q.waiting, id)
if rank then return {'waiting', rank} end
local due = redis.call('ZSCORE', q.delayed, id)
if due then return {'delayed', math.max(0, due - now_ms())} end
if redis.call('ZSCORE', q.active, id) then return {'active', 0} end
local text = redis.call('HGET', JOBS, id)
if not text then return nil end
local owner = parse(text)
local member = parked_member(q, id, owner)
if not member then return nil end
local score = string.match(member, '\31(%d+)\31')
local own = redis.call('ZLEXCOUNT', q.parked, '[' .. owner .. SEP, '(' .. member)
return {'waiting', redis.call('ZCOUNT', q.waiting, '-inf', '(' .. score) + own}
