-- The loop that a beginner writes: no function, all variables global.
limit = tonumber(arg[1] or 25000000)
s = 0
i = 0
while i < limit do
    if i % 3 == 0 or i % 5 == 0 then
        s = s + i
    end
    i = i + 1
end
print(string.format("%d", s))
