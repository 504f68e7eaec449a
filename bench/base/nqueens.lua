-- All ways to place queens on a board: recursion over three tables of booleans.
local function place(n, row, cols, up, down)
    if row == n then
        return 1
    end
    local count = 0
    for c = 0, n - 1 do
        if not (cols[c + 1] or up[row + c + 1] or down[row - c + n + 1]) then
            cols[c + 1] = true
            up[row + c + 1] = true
            down[row - c + n + 1] = true
            count = count + place(n, row + 1, cols, up, down)
            cols[c + 1] = false
            up[row + c + 1] = false
            down[row - c + n + 1] = false
        end
    end
    return count
end

local function falses(n)
    local t = {}
    for i = 1, n do
        t[i] = false
    end
    return t
end

local function queens(n)
    return place(n, 0, falses(n), falses(2 * n), falses(2 * n))
end

print(queens(tonumber(arg[1] or 13)))
