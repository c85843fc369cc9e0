-- ARGV[8]: the channel on which take-overs are told; ARGV[9]: the session that this one continues, or ''.
-- Answers {'admitted', epoch, displaced...} or the refusal.
local CONTINUED = ARGV[9]
if is_held() then
  prolong()
  return {'admitted', epoch}
end

local answer = {'admitted', epoch}
local function give_way(loser)
  redis.call('ZREM', SESSIONS, loser)
  redis.call('ZREM', LEASES, loser)
  redis.call('PUBLISH', ARGV[8], loser)
  table.insert(answer, loser)
end

if CONTINUED == '' then
  local refused = refusal()
  if refused then
    return refused
  end
elseif redis.call('ZSCORE', SESSIONS, CONTINUED) then
  give_way(CONTINUED)
elseif is_full() then
  return {'full'}
end
for _, loser in ipairs(displaced()) do
  give_way(loser)
end
if CONTINUED == '' then
  for _, starts in ipairs(PER_ADDRESS_HOUR >= 0 and {STARTS, FROM_ADDRESS} or {STARTS}) do
    redis.call('ZADD', starts, now, SESSION)
    redis.call('PEXPIRE', starts, HOUR)
  end
end
take()
return answer
