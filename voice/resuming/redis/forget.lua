-- Answers 1 if something was kept, else 0.
close()
return found.token and 1 or 0
