-- The loop that a beginner writes: no function, all variables global.
s = 0
i = 0
while i < 25000000 do
    if i % 3 == 0 or i % 5 == 0 then
        s = s + i
    end
    i = i + 1
end
print(string.format("%d", s))
