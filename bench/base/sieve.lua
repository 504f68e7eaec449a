-- Sieve of Eratosthenes, four times over: an array of bools written with a stride.
local function sieve(n)
    local prime = {}
    for k = 1, n do
        prime[k] = true
    end
    local i = 2
    while i * i <= n do
        if prime[i] then
            for j = i * i, n, i do
                prime[j] = false
            end
        end
        i = i + 1
    end
    local count = 0
    for k = 2, n do
        if prime[k] then
            count = count + 1
        end
    end
    return count
end

local rounds = tonumber(arg[1] or 4)
local total = 0
for round = 0, rounds - 1 do
    total = total + sieve(5000000 + round)
end
print(total)
