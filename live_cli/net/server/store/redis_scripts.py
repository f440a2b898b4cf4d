"""Steps of the Redis store that are one on its server, in Lua.

Keys, behind the prefix that each script gets as its first argument:

- ``handle:<SHA-256>``: a hash with model, session, data and the digests of its images,
- ``image:<principal>:<SHA-256>``: the bytes of an image,
- ``handles:<principal>`` and ``images:<principal>``: what a principal keeps, by when it came,
- ``sizes:<principal>`` and ``held:<account>``: how many bytes each, and each principal of an
  account, takes,
- ``session:<id>``: a hash with the epoch and how long the session has lasted,
- ``issued:<id>``: the handles of a session, the newest last,
- ``token:<SHA-256>`` and ``tokens:<maker>``: a token, and all of one key by their end,
- ``places:<account>``: the open sessions of a key by their last heartbeat.

All times are those of the Redis server, so that the clocks of replicas do not matter. Names of keys
are made in the scripts: this is for one server with its replicas, not for Redis Cluster.
"""

from typing import Final

HANDLES_OF_A_SESSION: Final = 16
"""The newest are kept. Whoever resumes has the last handle, or the one before where that got lost;
each holds a whole history, and two hours of them would be hundreds of megabytes a session."""

_NOW: Final = """
local prefix = ARGV[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""

_FORGET: Final = """
local function forget(account, principal, kind, name)
  local sizes = prefix .. 'sizes:' .. principal
  local size = redis.call('HGET', sizes, kind .. name)
  local key = kind == 'image' and (principal .. ':' .. name) or name
  redis.call('DEL', prefix .. kind .. ':' .. key)
  redis.call('ZREM', prefix .. kind .. 's:' .. principal, name)
  redis.call('HDEL', sizes, kind .. name)
  local held = prefix .. 'held:' .. account
  if size and redis.call('HINCRBY', held, principal, -size) <= 0 then
    redis.call('HDEL', held, principal)
  end
end

local function forget_expired(account, principal, before)
  for _, kind in ipairs({'handle', 'image'}) do
    local set = prefix .. kind .. 's:' .. principal
    for _, name in ipairs(redis.call('ZRANGEBYSCORE', set, '-inf', before)) do
      forget(account, principal, kind, name)
    end
  end
end

local function keep_size(account, principal, name, size, ttl)
  redis.call('HSET', prefix .. 'sizes:' .. principal, name, size)
  redis.call('HINCRBY', prefix .. 'held:' .. account, principal, size)
  redis.call('PEXPIRE', prefix .. 'sizes:' .. principal, 2 * ttl)
  redis.call('PEXPIRE', prefix .. 'held:' .. account, 2 * ttl)
end

local function largest(account)
  local held = redis.call('HGETALL', prefix .. 'held:' .. account)
  local total, most, whose = 0, -1, nil
  for i = 1, #held, 2 do
    local bytes = tonumber(held[i + 1])
    total = total + bytes
    if bytes > most then
      most, whose = bytes, held[i]
    end
  end
  return total, whose
end

local function make_room(account, limit, before)
  local total, whose = largest(account)
  if total > limit then
    for _, principal in ipairs(redis.call('HKEYS', prefix .. 'held:' .. account)) do
      forget_expired(account, principal, before)
    end
    total, whose = largest(account)
  end
  while total > limit do
    local kind = 'image'
    local oldest = redis.call('ZRANGE', prefix .. 'images:' .. whose, 0, 0)[1]
    if not oldest then
      kind = 'handle'
      oldest = redis.call('ZRANGE', prefix .. 'handles:' .. whose, 0, 0)[1]
    end
    if oldest then
      forget(account, whose, kind, oldest)
    else
      redis.call('HDEL', prefix .. 'held:' .. account, whose)
    end
    total, whose = largest(account)
  end
end
"""

_NOTE_SESSION: Final = """
local function note_session(id, epoch, lasted, video_at, warned, ttl)
  local key = prefix .. 'session:' .. id
  if tonumber(redis.call('HGET', key, 'epoch') or '0') > tonumber(epoch) then
    return false
  end
  redis.call('HSET', key, 'epoch', epoch, 'lasted', lasted, 'video_at', video_at, 'warned', warned)
  redis.call('PEXPIRE', key, ttl)
  return true
end
"""

PUT_SNAPSHOT: Final = (
    _NOW
    + _FORGET
    + _NOTE_SESSION
    + """
local account, principal, id = ARGV[2], ARGV[3], ARGV[4]
local ttl, limit, handle = tonumber(ARGV[9]), tonumber(ARGV[10]), ARGV[11]
if not note_session(id, ARGV[5], ARGV[6], ARGV[7], ARGV[8], ttl) then
  return {'stale'}
end
forget_expired(account, principal, now - ttl)
local missing, digests = {}, {}
for i = 14, #ARGV do
  digests[#digests + 1] = ARGV[i]
  local image = prefix .. 'image:' .. principal .. ':' .. ARGV[i]
  if redis.call('PEXPIRE', image, ttl) == 1 then
    redis.call('ZADD', prefix .. 'images:' .. principal, now, ARGV[i])
  else
    missing[#missing + 1] = ARGV[i]
  end
end
redis.call('HSET', prefix .. 'handle:' .. handle, 'model', ARGV[12], 'session', id,
  'principal', principal, 'data', ARGV[13], 'images', table.concat(digests, ' '))
redis.call('PEXPIRE', prefix .. 'handle:' .. handle, ttl)
redis.call('ZADD', prefix .. 'handles:' .. principal, now, handle)
redis.call('PEXPIRE', prefix .. 'handles:' .. principal, 2 * ttl)
local issued = prefix .. 'issued:' .. id
if redis.call('RPUSH', issued, handle) > """
    + f"{HANDLES_OF_A_SESSION}"
    + """ then
  forget(account, principal, 'handle', redis.call('LPOP', issued))
end
redis.call('PEXPIRE', issued, ttl)
keep_size(account, principal, 'handle' .. handle, #ARGV[13] + 512, ttl)
make_room(account, limit, now - ttl)
if redis.call('EXISTS', prefix .. 'handle:' .. handle) == 0 then
  return {'full'}
end
return {'kept', unpack(missing)}
"""
)
"""ARGV: prefix, account, principal, session, epoch, lasted, video_at, warned, ttl, most bytes,
handle, model, data, digests of images. Returns how it went, and the images that are not there."""

PUT_IMAGE: Final = (
    _NOW
    + _FORGET
    + """
local account, principal, digest = ARGV[2], ARGV[3], ARGV[4]
local ttl, limit = tonumber(ARGV[5]), tonumber(ARGV[6])
local name = prefix .. 'image:' .. principal .. ':' .. digest
if redis.call('EXISTS', name) == 0 then
  forget(account, principal, 'image', digest)
  keep_size(account, principal, 'image' .. digest, #ARGV[7], ttl)
end
redis.call('SET', name, ARGV[7], 'PX', ttl)
redis.call('ZADD', prefix .. 'images:' .. principal, now, digest)
redis.call('PEXPIRE', prefix .. 'images:' .. principal, 2 * ttl)
make_room(account, limit, now - ttl)
return 1
"""
)
"""ARGV: prefix, account, principal, digest, ttl, most bytes, data."""

NOTE_SESSION: Final = (
    _NOW
    + _NOTE_SESSION
    + """
if redis.call('EXISTS', prefix .. 'session:' .. ARGV[2]) == 0 then
  return 0
end
return note_session(ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], tonumber(ARGV[7])) and 1 or 0
"""
)
"""ARGV: prefix, session, epoch, lasted, video_at, warned, ttl. Returns 0 where it was claimed."""

CLAIM: Final = """
local key = ARGV[1] .. 'session:' .. ARGV[2]
local epoch = math.max(tonumber(redis.call('HGET', key, 'epoch') or '0'), tonumber(ARGV[3])) + 1
redis.call('HSET', key, 'epoch', epoch)
redis.call('PEXPIRE', key, ARGV[4])
redis.call('PUBLISH', ARGV[1] .. 'claims', ARGV[2] .. ' ' .. epoch)
return epoch
"""
"""ARGV: prefix, session, epoch known, ttl. Returns the new epoch."""

CREATE_TOKEN: Final = (
    _NOW
    + """
local digest, maker, most = ARGV[2], ARGV[3], tonumber(ARGV[4])
local usable, new = tonumber(ARGV[5]), tonumber(ARGV[6])
local own = prefix .. 'tokens:' .. maker
redis.call('ZREMRANGEBYSCORE', own, '-inf', now)
if redis.call('ZCARD', own) >= most then
  return 0
end
local key = prefix .. 'token:' .. digest
redis.call('HSET', key, 'until', now + usable, 'new_until', now + new, 'left', ARGV[7],
  'terms', ARGV[8])
redis.call('PEXPIRE', key, usable)
redis.call('ZADD', own, now + usable, digest)
local last = redis.call('ZRANGE', own, -1, -1, 'WITHSCORES')
redis.call('PEXPIREAT', own, last[2])
return 1
"""
)
"""ARGV: prefix, digest, maker, most, usable ms, new sessions ms, uses ("" unlimited), terms."""

FIND_TOKEN: Final = (
    _NOW
    + """
local found = redis.call('HMGET', prefix .. 'token:' .. ARGV[2], 'until', 'terms')
if not found[1] or tonumber(found[1]) <= now then
  return {}
end
return {tonumber(found[1]) - now, found[2]}
"""
)
"""ARGV: prefix, digest. Returns the ms that it is usable, and its terms; nothing if unknown."""

SPEND_TOKEN: Final = (
    _NOW
    + """
local key = prefix .. 'token:' .. ARGV[2]
local found = redis.call('HMGET', key, 'until', 'new_until', 'left')
if not found[1] or tonumber(found[1]) <= now then
  return 'unknown'
end
if tonumber(found[2]) <= now then
  return 'late'
end
if found[3] == '' then
  return 'taken'
end
if tonumber(found[3]) <= 0 then
  return 'spent'
end
redis.call('HINCRBY', key, 'left', -1)
return 'taken'
"""
)
"""ARGV: prefix, digest. Takes one use, or says why not."""

TAKE_PLACE: Final = (
    _NOW
    + """
local key, most, lasts = prefix .. 'places:' .. ARGV[2], tonumber(ARGV[4]), tonumber(ARGV[5])
redis.call('ZREMRANGEBYSCORE', key, '-inf', now - lasts)
if redis.call('ZCARD', key) >= most then
  return 0
end
redis.call('ZADD', key, now, ARGV[3])
redis.call('PEXPIRE', key, lasts)
return 1
"""
)
"""ARGV: prefix, account, place, most, ms that a place lasts without a heartbeat."""

HOLD_PLACES: Final = (
    _NOW
    + """
for i = 3, #ARGV, 2 do
  local key = prefix .. 'places:' .. ARGV[i]
  redis.call('ZADD', key, now, ARGV[i + 1])
  redis.call('PEXPIRE', key, ARGV[2])
end
return 1
"""
)
"""ARGV: prefix, ms that a place lasts, then account and place of each."""
