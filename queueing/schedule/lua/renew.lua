-- Extends the leases of a worker's claims.
-- KEYS  4 global, 10 of the queue
-- ARGV  lease (ms), then for each job: id, token
-- Returns the ids whose claim has another token, or that Redis lost.
local q = queue_at(5)
need_no_memory()
local ends, lost = whole(now_ms() + tonumber(ARGV[1])), {}
for i = 2, #ARGV, 2 do
  if redis.call('HGET', CLAIMS, ARGV[i]) == ARGV[i + 1] then
    redis.call('ZADD', q.active, 'XX', ends, ARGV[i])
  else
    lost[#lost + 1] = ARGV[i]
  end
end
return lost
