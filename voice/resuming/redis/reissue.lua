-- ARGV[4...7]: the new token; user, origin, browser. Answers whether it is good now.
if not found.token or found.user ~= ARGV[5] or found.origin ~= ARGV[6] or found.browser ~= ARGV[7] or ARGV[7] == '' then
  return 0
end
redis.call('HSET', CONVERSATION, 'token', ARGV[4])
return 1
