-- A map with string keys that are made at run time: count, look up, remove.
local function run(n, words)
    local counts = {}
    local x = 42
    for _ = 1, n do
        x = x * 16807 % 2147483647
        local key = "key" .. (x % words)
        counts[key] = (counts[key] or 0) + 1
    end
    local removed = 0
    for i = 0, words - 1, 3 do
        local key = "key" .. i
        if counts[key] ~= nil then
            counts[key] = nil
            removed = removed + 1
        end
    end
    local sum = 0
    for i = 0, words - 1 do
        sum = sum + (counts["key" .. i] or 0) * (i % 7)
    end
    print(removed)
    print(sum)
end

run(tonumber(arg[1] or 3000000), 50000)
