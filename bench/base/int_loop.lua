-- One counted loop over ints, with a remainder that no closed form replaces.
local function run(n)
    local s = 0
    for i = 0, n - 1 do
        s = s + i % 7
    end
    return s
end

print(string.format("%d", run(tonumber(arg[1] or 200000000))))
