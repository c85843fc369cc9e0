-- ARGV[4...8]: token, user, origin, browser, text; ARGV[9]: '1' to keep it though its session is closed.
-- Answers whether it is kept.
local again = ARGV[9] == '1'
if found.closed and not again then
  return 0
end
if found.token and not again then
  keep(found.token, found.user, found.origin, found.browser, ARGV[8])
else
  keep(ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8])
end
return 1
