-- Pancake flips over all permutations of ten: short int arrays, copied and reversed in place.
-- Positions are one-based, as tables are; the values stay 0..n-1.
local function fannkuch(n)
    local perm1, perm, count = {}, {}, {}
    for i = 1, n do
        perm1[i], perm[i], count[i] = i - 1, 0, 0
    end
    local max_flips, checksum, even, r = 0, 0, true, n
    while true do
        while r ~= 1 do
            count[r] = r
            r = r - 1
        end
        for i = 1, n do
            perm[i] = perm1[i]
        end
        local flips = 0
        local k = perm[1]
        while k ~= 0 do
            local i, j = 1, k + 1
            while i < j do
                perm[i], perm[j] = perm[j], perm[i]
                i = i + 1
                j = j - 1
            end
            flips = flips + 1
            k = perm[1]
        end
        if flips > max_flips then
            max_flips = flips
        end
        if even then
            checksum = checksum + flips
        else
            checksum = checksum - flips
        end
        while true do
            if r == n then
                return checksum, max_flips
            end
            local first = perm1[1]
            for i = 1, r do
                perm1[i] = perm1[i + 1]
            end
            perm1[r + 1] = first
            count[r + 1] = count[r + 1] - 1
            if count[r + 1] > 0 then
                break
            end
            r = r + 1
        end
        even = not even
    end
end

local checksum, max_flips = fannkuch(tonumber(arg[1] or 10))
print(checksum)
print(max_flips)
