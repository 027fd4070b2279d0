-- Stores data of runs while their claims hold, so nothing is stored after a job was cancelled or deleted.
-- KEYS  the global ones, then the keys of the commands
-- ARGV  JSON [[id, token, [[command, number of its key, argument, ...], ...]], ...]
-- Returns a number for each: 1 stored, 0 the claim has another token.
local done = {}
for i, write in ipairs(cjson.decode(ARGV[1])) do
  local id, token, commands = unpack(write)
  done[i] = 0
  if redis.call('HGET', CLAIMS, id) == token then
    for _, command in ipairs(commands) do
      command[2] = KEYS[4 + command[2]]
      redis.call(unpack(command))
    end
    done[i] = 1
  end
end
return done
