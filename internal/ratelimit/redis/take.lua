-- GCRA on one key: when its bucket is full, in microseconds since 1970.
-- Arguments, in microseconds of debt: the tolerance, what was spent already and is
-- taken whatever is there, and what is asked for.
-- Answers 1 or 0 for whether the cost was taken, and the debt after it.
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local tolerance, spent, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local debt = math.max(0, tonumber(redis.call('GET', KEYS[1]) or 0) - now) + spent
local taken = 0
if debt + cost <= tolerance then
  debt = debt + cost
  taken = 1
end
if debt > 0 and spent + cost * taken > 0 then
  redis.call('SET', KEYS[1], string.format('%.0f', now + debt), 'PX', math.ceil(debt / 1000))
end
return {taken, debt}
