-- ARGV[8...]: session, when (ms), and so on. Once for a user and an epoch, however many processes try.
if redis.call('SET', SEEDED, '1', 'NX', 'PX', HOUR) then
  for n = 8, #ARGV, 2 do
    redis.call('ZADD', STARTS, 'NX', math.min(now, ARGV[n + 1]), ARGV[n])
  end
  redis.call('PEXPIRE', STARTS, HOUR)
end
return {'seeded'}
