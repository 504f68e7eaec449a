-- Product of two square float matrices, each in one flat array.
local function fill(n, shift)
    local m = {}
    for i = 0, n * n - 1 do
        m[i + 1] = (i * 7 + shift) % 11 - 5.0
    end
    return m
end

local function matmul(n, a, b)
    local c = {}
    for i = 0, n - 1 do
        for j = 0, n - 1 do
            local sum = 0.0
            for k = 0, n - 1 do
                sum = sum + a[i * n + k + 1] * b[k * n + j + 1]
            end
            c[i * n + j + 1] = sum
        end
    end
    return c
end

local function check(n, c)
    local total = 0.0
    for i = 0, n * n - 1 do
        total = total + c[i + 1] * (i % 5)
    end
    return total
end

local N = tonumber(arg[1] or 400)
print(string.format("%.1f", check(N, matmul(N, fill(N, 1), fill(N, 4)))))
