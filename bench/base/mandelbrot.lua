-- Nested loops over floats: iterations of z = z*z + c over a picture.
local function mandel(w, h, limit)
    local total = 0
    for y = 0, h - 1 do
        local ci = 2.0 * y / h - 1.0
        for x = 0, w - 1 do
            local cr = 3.0 * x / w - 2.0
            local zr, zi, n = 0.0, 0.0, 0
            while n < limit and zr * zr + zi * zi <= 4.0 do
                local t = zr * zr - zi * zi + cr
                zi = 2.0 * zr * zi + ci
                zr = t
                n = n + 1
            end
            total = total + n
        end
    end
    return total
end

local h = tonumber(arg[1] or 600)
print(mandel(math.floor(h * 1.5), h, 300))
