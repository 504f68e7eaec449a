-- Product of two square float matrices, each an array of rows.
local function fill(n, shift)
    local rows = {}
    for i = 0, n - 1 do
        local row = {}
        for j = 0, n - 1 do
            row[j + 1] = ((i * n + j) * 7 + shift) % 11 - 5.0
        end
        rows[i + 1] = row
    end
    return rows
end

local function matmul(n, a, b)
    local c = {}
    for i = 1, n do
        local ai = a[i]
        local row = {}
        for j = 1, n do
            local sum = 0.0
            for k = 1, n do
                sum = sum + ai[k] * b[k][j]
            end
            row[j] = sum
        end
        c[i] = row
    end
    return c
end

local function check(n, c)
    local total = 0.0
    for i = 0, n - 1 do
        for j = 0, n - 1 do
            total = total + c[i + 1][j + 1] * ((i * n + j) % 5)
        end
    end
    return total
end

local N = tonumber(arg[1] or 400)
print(string.format("%.1f", check(N, matmul(N, fill(N, 1), fill(N, 4)))))
