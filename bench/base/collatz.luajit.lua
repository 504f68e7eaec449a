-- The longest Collatz chain: a loop of unforeseeable length over ints, division and parity.
-- The twin for LuaJIT, which has no integer division; its doubles are exact here.
local function longest(limit)
    local best, best_start = 0, 0
    for start = 1, limit - 1 do
        local n, steps = start, 1
        while n ~= 1 do
            if n % 2 == 0 then
                n = n / 2
            else
                n = 3 * n + 1
            end
            steps = steps + 1
        end
        if steps > best then
            best, best_start = steps, start
        end
    end
    print(best_start .. " " .. best)
end

longest(tonumber(arg[1] or 1000000))
