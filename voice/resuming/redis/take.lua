-- ARGV[4...6]: token, user, origin. Answers {browser, text}, or nothing.
if found.token ~= ARGV[4] or found.user ~= ARGV[5] or found.origin ~= ARGV[6] then
  return {}
end
close()
return {found.browser, found.text}
