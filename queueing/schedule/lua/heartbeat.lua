-- Writes a worker's heartbeat, with the time of Redis, and removes the heartbeats of silent workers.
-- The last heartbeat of a cluster that ended without being stopped stays for a day: the cluster is lost. It is
-- removed when another cluster takes its place. That one began later, and takes the place of one cluster only.
-- KEYS  workers (hash: id -> heartbeat, a JSON object)
-- ARGV  the worker's id, its heartbeat without `at` and `since`, ms after which a silent worker is removed,
--       ms after which a lost cluster is forgotten
-- Returns the time in ms.
local WORKERS = KEYS[1]
local now = now_ms()
redis.call('HDEL', WORKERS, '') -- see need_no_memory

local entries, clusters = {}, {}

local function write(id, entry)
  local times = string.format('{"at": %.3f, "since": %.3f, ', entry.at / 1000, entry.since / 1000)
  redis.call('HSET', WORKERS, id, times .. entry.rest)
end

local function read(id, text)
  local found = cjson.decode(text)
  local rest = string.match(text, '^{"at": [%d.]+, "since": [%d.]+, (.*)$')
  rest = rest or string.match(text, '^{"at": [%d.]+, (.*)$') -- an older worker's
  local entry = { at = found.at * 1000, since = (found.since or found.at) * 1000, rest = rest }
  if rest and entry.at > now + 1000 then -- the clock was set back: a silent worker's heartbeat ages from now on
    entry.at, entry.since = now, math.min(entry.since, now)
    write(id, entry)
  end
  return entry
end

local function add(id, entry)
  local name = string.match(id, '^[^/]*')
  local cluster = clusters[name] or { at = entry.at, since = entry.since, ids = {} }
  cluster.at, cluster.since = math.max(cluster.at, entry.at), math.min(cluster.since, entry.since)
  table.insert(cluster.ids, id)
  clusters[name], entries[id] = cluster, entry
end

-- The cluster that began first of those that began after `lost` ended.
local function successor(lost)
  local first
  for _, cluster in pairs(clusters) do
    if cluster.since > lost.at and (not first or cluster.since < first.since) then first = cluster end
  end
  return first
end

local function remove(cluster)
  redis.call('HDEL', WORKERS, unpack(cluster.ids))
end

local all = redis.call('HGETALL', WORKERS)
for i = 1, #all, 2 do
  add(all[i], read(all[i], all[i + 1]))
end
local own = { at = now, since = now, rest = string.sub(ARGV[2], 2) }
local before = clusters[string.match(ARGV[1], '^[^/]*')]
if before then own.since = before.since end
add(ARGV[1], own)
write(ARGV[1], own)

local lost = {}
for _, cluster in pairs(clusters) do
  if now - cluster.at > tonumber(ARGV[3]) then table.insert(lost, cluster) end
end
table.sort(lost, function(a, b) return a.at < b.at end)
for _, cluster in ipairs(lost) do
  local other = successor(cluster)
  if other then
    other.since = cluster.since
    for _, id in ipairs(other.ids) do
      entries[id].since = cluster.since
      if entries[id].rest then write(id, entries[id]) end
    end
  end
  if other or now - cluster.at > tonumber(ARGV[4]) then remove(cluster) end
end
for _, cluster in pairs(clusters) do
  for _, id in ipairs(cluster.ids) do
    local silent = now - entries[id].at > tonumber(ARGV[3])
    if silent and entries[id].at < cluster.at then redis.call('HDEL', WORKERS, id) end
  end
end
return now
