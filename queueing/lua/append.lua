-- Adds text to an answer in flight, if the claim still holds. The text is kept for whoever comes later.
-- KEYS  4 global, stream (string: run SEP text)
-- ARGV  id, token, run, text, seconds to keep it, 1 to begin anew else 0
-- Returns 1; 0 when the claim is no longer this token's; 2 when the text so far is gone (Redis was
-- lost), which the caller mends by sending all of it anew.
local stream = KEYS[5]
if redis.call('HGET', CLAIMS, ARGV[1]) ~= ARGV[2] then return 0 end
if ARGV[6] == '1' then
  redis.call('SET', stream, ARGV[3] .. SEP .. ARGV[4], 'EX', ARGV[5])
  return 1
end
if redis.call('EXISTS', stream) == 0 then return 2 end
redis.call('APPEND', stream, ARGV[4])
return 1
