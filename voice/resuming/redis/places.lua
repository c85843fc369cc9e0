-- What everything about a conversation begins with.
--
-- KEYS    the conversation   hash: token, user, origin, browser, text, until (ms); or only closed, until
--         those of the user  set of sessions
-- ARGV    kept and closed (ms), session
--
-- That keys expire only tidies up: what counts is `until`.
local CONVERSATION, OF_USER = KEYS[1], KEYS[2]
local KEPT, CLOSED, SESSION = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]

local now = clock()
local found = {}
do
  local pairs = redis.call('HGETALL', CONVERSATION)
  for n = 1, #pairs, 2 do
    found[pairs[n]] = pairs[n + 1]
  end
  if found['until'] and tonumber(found['until']) <= now then
    redis.call('DEL', CONVERSATION)
    redis.call('SREM', OF_USER, SESSION)
    found = {}
  end
end

local function keep(token, user, origin, browser, text)
  redis.call('DEL', CONVERSATION)
  redis.call('HSET', CONVERSATION, 'token', token, 'user', user, 'origin', origin, 'browser', browser, 'text', text,
    'until', now + KEPT)
  redis.call('PEXPIRE', CONVERSATION, KEPT)
  redis.call('SADD', OF_USER, SESSION)
  redis.call('PEXPIRE', OF_USER, CLOSED)
end

local function close()
  redis.call('DEL', CONVERSATION)
  redis.call('HSET', CONVERSATION, 'closed', '1', 'until', now + CLOSED)
  redis.call('PEXPIRE', CONVERSATION, CLOSED)
  redis.call('SREM', OF_USER, SESSION)
end
