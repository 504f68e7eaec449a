-- One long string made of many pieces, then read byte by byte with a stride. Pieces are collected
-- in a table, because repeated `..` is quadratic in Lua.
local function build(n)
    local parts = {}
    local k = 0
    for i = 0, n - 1 do
        parts[k + 1] = i
        parts[k + 2] = ","
        k = k + 2
    end
    return table.concat(parts)
end

local function checksum(s)
    local byte = string.byte
    local h = 0
    for i = 1, #s, 3 do
        h = (h * 31 + byte(s, i)) % 1000000007
    end
    return h
end

local s = build(tonumber(arg[1] or 2000000))
print(#s)
print(checksum(s))
