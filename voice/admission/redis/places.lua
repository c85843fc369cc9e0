-- What every decision about places begins with: the keys, the time, and nothing left of what has passed.
--
-- KEYS    starts of the user, starts from the address   sorted sets: session -> when (ms)
--         sessions of the user                          sorted set: session -> its order
--         leases of the site                            sorted set: session -> until when (ms)
--         whether the user's window was seeded          expires with the first hour of the epoch
--         the epoch                                     when this memory began (ms): a new one after it was emptied
-- ARGV    hour and lease (ms); limits: starts per user, starts per address (-1: of no address), sessions per user,
--         sessions; session
--
-- That keys expire only tidies up: what counts is decided by the scores.
local STARTS, FROM_ADDRESS, SESSIONS, LEASES, SEEDED, EPOCH = unpack(KEYS)
local HOUR, LEASE = tonumber(ARGV[1]), tonumber(ARGV[2])
local PER_USER_HOUR, PER_ADDRESS_HOUR = tonumber(ARGV[3]), tonumber(ARGV[4])
local PER_USER, SITE = tonumber(ARGV[5]), tonumber(ARGV[6])
local SESSION = ARGV[7]

local now = clock()
redis.call('ZREMRANGEBYSCORE', STARTS, '-inf', now - HOUR)
redis.call('ZREMRANGEBYSCORE', FROM_ADDRESS, '-inf', now - HOUR)
redis.call('ZREMRANGEBYSCORE', LEASES, '-inf', now)
for _, session in ipairs(redis.call('ZRANGE', SESSIONS, 0, -1)) do
  if not redis.call('ZSCORE', LEASES, session) then
    redis.call('ZREM', SESSIONS, session)
  end
end

local epoch = redis.call('GET', EPOCH)
if not epoch then
  epoch = string.format('%.0f', now)
end
redis.call('SET', EPOCH, epoch, 'PX', 2 * HOUR)

local function is_held()
  return redis.call('ZSCORE', LEASES, SESSION)
end

local function prolong()
  redis.call('ZADD', LEASES, now + LEASE, SESSION)
  redis.call('PEXPIRE', LEASES, LEASE)
  redis.call('PEXPIRE', SESSIONS, LEASE)
end

-- Behind the user's other sessions, also when the clock stands still or was set back.
local function take()
  local last = redis.call('ZRANGE', SESSIONS, -1, -1, 'WITHSCORES')[2]
  redis.call('ZADD', SESSIONS, math.max(now, last and last + 1 or 0), SESSION)
  prolong()
end

-- The user's sessions that would have to give way to one more, oldest first.
local function displaced()
  local surplus = redis.call('ZCARD', SESSIONS) + 1 - PER_USER
  if PER_USER == 0 or surplus <= 0 then
    return {}
  end
  return redis.call('ZRANGE', SESSIONS, 0, surplus - 1)
end

-- Milliseconds until one more start fits: when so many have left the hour that one less than allowed remain.
local function wait(starts, allowed)
  if allowed <= 0 or redis.call('ZCARD', starts) < allowed then
    return 0
  end
  return redis.call('ZRANGE', starts, -allowed, -allowed, 'WITHSCORES')[2] + HOUR - now
end

-- Whether the site has no place for one more session of the user, those aside that would give way to it.
local function is_full()
  return SITE > 0 and redis.call('ZCARD', LEASES) - #displaced() >= SITE
end

-- Why one more session of the user cannot begin now, or nil.
local function refusal()
  if now - epoch < HOUR and redis.call('EXISTS', SEEDED) == 0 then
    return {'unseeded'}
  end
  local milliseconds = math.max(wait(STARTS, PER_USER_HOUR), wait(FROM_ADDRESS, PER_ADDRESS_HOUR))
  if milliseconds > 0 then
    return {'rate_limited', string.format('%.0f', milliseconds)}
  end
  return is_full() and {'full'} or nil
end
