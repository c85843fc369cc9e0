-- KEYS[1]: the ticket; ARGV[1]: how long it is remembered (ms). Answers 1 the first time.
local now = clock()
local known = redis.call('GET', KEYS[1])
if known and tonumber(known) > now then
  return 0
end
redis.call('SET', KEYS[1], string.format('%.0f', now + ARGV[1]), 'PX', ARGV[1])
return 1
