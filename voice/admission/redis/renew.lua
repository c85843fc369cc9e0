-- ARGV[8]: the epoch in which the lease was acquired or last renewed, '' if a renewal was not answered since.
-- Answers {'kept', epoch}, {'taken'} or {'ended'}.
if is_held() then
  prolong()
  return {'kept', epoch}
end
if #displaced() > 0 then
  return {'taken'}
end
-- In the same epoch it ran out, as nobody asked. Else it was forgotten, or ran out as nobody was answered: its place is
-- still there unless the site has filled up.
if ARGV[8] == epoch or (SITE > 0 and redis.call('ZCARD', LEASES) >= SITE) then
  return {'ended'}
end
take()
return {'kept', epoch}
