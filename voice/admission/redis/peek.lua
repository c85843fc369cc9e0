-- Answers {'admitted'} or the refusal.
return refusal() or {'admitted'}
