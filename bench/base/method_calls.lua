-- Methods: one hot class that writes its fields, and a site that sees three classes in turn.
local Counter = {}
Counter.__index = Counter
function Counter:add(d)
    self.n = (self.n + d) % 1000003
    self.calls = self.calls + 1
    return self.n
end

local Shape = {}
Shape.__index = Shape
function Shape:area() return 0 end
function Shape:weight(k) return self:area() * k end

local function extend(base)
    local class = setmetatable({}, base)
    class.__index = class
    return class
end

local Square = extend(Shape)
function Square:area() return self.side * self.side end

local Box = extend(Shape)
function Box:area() return self.w * self.h end

local Strip = extend(Box)
function Strip:area() return Box.area(self) + 1 end

local function run(n)
    local c = setmetatable({n = 1, calls = 0}, Counter)
    for i = 0, n - 1 do
        c:add(i)
    end
    print(c.n)
    print(c.calls)

    local shapes = {
        setmetatable({side = 3}, Square), setmetatable({w = 2, h = 5}, Box),
        setmetatable({w = 7, h = 1}, Strip), setmetatable({w = 1, h = 1}, Box)
    }
    local total = 0
    for i = 0, n - 1 do
        total = total + shapes[i % 4 + 1]:weight(i % 3)
    end
    print(total)
end

run(tonumber(arg[1] or 10000000))
