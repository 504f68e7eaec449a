-- Closures: captured variables that are written, functions made of functions, short-lived closures.
local function counter(step)
    local n = 0
    return function()
        n = n + step
        return n
    end
end

local function compose(f, g)
    return function(x) return f(g(x)) end
end

local function adder(k)
    return function(x) return x + k end
end

local function run(n)
    local a, b = counter(1), counter(3)
    local s = 0
    for _ = 1, n do
        s = s + a() + b()
    end
    print(string.format("%d", s))

    local h = compose(function(x) return x % 1000003 end, function(x) return x * 7 + 1 end)
    local x = 1
    for _ = 1, n do
        x = h(x)
    end
    print(x)

    local t = 0
    for i = 0, n - 1 do
        t = t + adder(i)(1)
    end
    print(string.format("%d", t))
end

run(tonumber(arg[1] or 8000000))
