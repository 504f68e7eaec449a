-- Quicksort written by hand on an array of pseudo-random ints.
local function sort(a, lo, hi)
    while lo < hi do
        local pivot = a[(lo + hi) // 2]
        local i, j = lo, hi
        while i <= j do
            while a[i] < pivot do
                i = i + 1
            end
            while a[j] > pivot do
                j = j - 1
            end
            if i <= j then
                a[i], a[j] = a[j], a[i]
                i = i + 1
                j = j - 1
            end
        end
        if j - lo < hi - i then
            sort(a, lo, j)
            lo = i
        else
            sort(a, i, hi)
            hi = j
        end
    end
end

local function run(n)
    local a = {}
    local x = 42
    for i = 1, n do
        x = x * 16807 % 2147483647
        a[i] = x
    end
    sort(a, 1, n)
    local h = 0
    for i = 1, n do
        if i > 1 and a[i - 1] > a[i] then
            print("not sorted at", i)
            return
        end
        h = (h * 31 + a[i]) % 1000000007
    end
    print(h)
end

run(tonumber(arg[1] or 2000000))
