-- ARGV[8]: '1' to give the start back, too.
if redis.call('ZREM', LEASES, SESSION) == 1 and ARGV[8] == '1' then
  redis.call('ZREM', STARTS, SESSION)
  redis.call('ZREM', FROM_ADDRESS, SESSION)
end
redis.call('ZREM', SESSIONS, SESSION)
return {'released'}
