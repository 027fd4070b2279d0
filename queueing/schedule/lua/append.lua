-- Adds text to answers in flight, where the claim still holds. It is kept for whoever comes later.
-- KEYS  the global ones, then of each answer its stream (string: run SEP text)
-- ARGV  seconds to keep it, JSON [[id, token, run, text, 1 to begin anew else 0], ...]
-- Returns of each: 1; 0 when the claim is no longer this token's; 2 when the text so far is gone (Redis
-- was lost), which the caller mends by sending all of it anew.
local function append(stream, id, token, run, text, anew)
  if redis.call('HGET', CLAIMS, id) ~= token then return 0 end
  if anew == 1 then
    redis.call('SET', stream, string.format('%d', run) .. SEP .. text, 'EX', ARGV[1])
    return 1
  end
  if redis.call('EXISTS', stream) == 0 then return 2 end
  redis.call('APPEND', stream, text)
  return 1
end

local pieces, done = cjson.decode(ARGV[2]), {}
local first = #KEYS - #pieces
for i, piece in ipairs(pieces) do
  done[i] = append(KEYS[first + i], piece[1], piece[2], piece[3], piece[4], piece[5])
end
return done
