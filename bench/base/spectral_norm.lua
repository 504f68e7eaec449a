-- Largest singular value of an infinite matrix by power iteration: a small function of ints called
-- in a double loop over float arrays.
local function a(i, j)
    local ij = i + j
    return 1.0 / (ij * (ij + 1) / 2 + i + 1)
end

local function mul_av(n, v, out)
    for i = 0, n - 1 do
        local sum = 0.0
        for j = 0, n - 1 do
            sum = sum + a(i, j) * v[j + 1]
        end
        out[i + 1] = sum
    end
end

local function mul_atv(n, v, out)
    for i = 0, n - 1 do
        local sum = 0.0
        for j = 0, n - 1 do
            sum = sum + a(j, i) * v[j + 1]
        end
        out[i + 1] = sum
    end
end

local function norm(n)
    local u, v, t = {}, {}, {}
    for i = 1, n do
        u[i], v[i], t[i] = 1.0, 0.0, 0.0
    end
    for _ = 1, 10 do
        mul_av(n, u, t)
        mul_atv(n, t, v)
        mul_av(n, v, t)
        mul_atv(n, t, u)
    end
    local vbv, vv = 0.0, 0.0
    for i = 1, n do
        vbv = vbv + u[i] * v[i]
        vv = vv + v[i] * v[i]
    end
    return math.sqrt(vbv / vv)
end

print(string.format("%.9f", norm(tonumber(arg[1] or 1000))))
