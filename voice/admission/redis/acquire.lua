-- ARGV[8]: the channel on which take-overs are told. Answers {'admitted', epoch, displaced...} or the refusal.
if is_held() then
  prolong()
  return {'admitted', epoch}
end
local refused = refusal()
if refused then
  return refused
end
local answer = {'admitted', epoch}
for _, loser in ipairs(displaced()) do
  redis.call('ZREM', SESSIONS, loser)
  redis.call('ZREM', LEASES, loser)
  redis.call('PUBLISH', ARGV[8], loser)
  table.insert(answer, loser)
end
for _, starts in ipairs(PER_ADDRESS_HOUR >= 0 and {STARTS, FROM_ADDRESS} or {STARTS}) do
  redis.call('ZADD', starts, now, SESSION)
  redis.call('PEXPIRE', starts, HOUR)
end
take()
return answer
