-- Stores streamed text of active jobs while their claims hold, for clients that connect later.
-- KEYS  the global ones, then for each job its stream (string: run SEP text)
-- ARGV  seconds to keep it, JSON [[id, token, run, text, number of bytes of the text before it], ...]
-- Returns a number for each: 1 stored; 0 the claim has another token; 2 the stored text is not what precedes
-- it (Redis lost its data, or its last writes in a failover), and the caller must send the whole text.
local function append(stream, id, token, run, text, before)
  if redis.call('HGET', CLAIMS, id) ~= token then return 0 end
  local head = string.format('%d', run) .. SEP
  if before == 0 then
    redis.call('SET', stream, head .. text, 'EX', ARGV[1])
    return 1
  end
  if redis.call('STRLEN', stream) ~= #head + before then return 2 end
  if redis.call('GETRANGE', stream, 0, #head - 1) ~= head then return 2 end
  redis.call('APPEND', stream, text)
  return 1
end

local chunks, done = cjson.decode(ARGV[2]), {}
local first = #KEYS - #chunks
for i, chunk in ipairs(chunks) do
  done[i] = append(KEYS[first + i], chunk[1], chunk[2], chunk[3], chunk[4], chunk[5])
end
return done
