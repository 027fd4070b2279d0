-- Lua scripts that run in Redis. common.lua, and for some claim_shared.lua, is put in front of each script of the engine.
std = "lua51"
max_line_length = 125
read_globals = { "KEYS", "ARGV", "redis", "cjson" }

-- Return the names that a shared file defines, for the scripts behind it.
local function locals_of(path)
  local names = {}
  for line in io.lines(path) do
    local name = line:match("^local function ([%w_]+)")
    if name then names[#names + 1] = name end
    local list = line:match("^local ([%w_, ]+) =")
    if list then
      for each in list:gmatch("[%w_]+") do names[#names + 1] = each end
    end
  end
  return names
end

local folder = "queueing/schedule/lua/"
files[folder .. "*.lua"].read_globals = locals_of(folder .. "common.lua")
files[folder .. "*.lua"].globals = locals_of(folder .. "claim_shared.lua")
for _, file in ipairs({ "common.lua", "claim_shared.lua" }) do
  files[folder .. file].ignore = { "211" } -- its names are used in other files
end
