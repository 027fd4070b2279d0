-- delayed -> waiting: the job may run now.
-- KEYS  4 global, 10 of the queue
-- ARGV  channel, queue, ids
-- Returns the number of jobs moved.
local q = queue_at(5)
local now, batch = now_ms(), {}
for i = 3, #ARGV do
  if redis.call('ZREM', q.delayed, ARGV[i]) == 1 then
    local owner, priority = parse(redis.call('HGET', JOBS, ARGV[i]))
    redis.call('HSET', JOBS, ARGV[i], pack(owner, priority, now))
    batch[#batch + 1] = {id = ARGV[i], owner = owner, priority = priority}
  end
end
put_in_line(q, batch)
redis.call('PUBLISH', ARGV[1], 'wake:' .. ARGV[2])
return #batch
