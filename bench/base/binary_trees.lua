-- Many short-lived trees of small tables: allocation and collection. The leaves hold false, not
-- nil, since a table does not store nil.
local function tree(depth)
    if depth == 0 then
        return {left = false, right = false}
    end
    return {left = tree(depth - 1), right = tree(depth - 1)}
end

local function count(t)
    if not t.left then
        return 1
    end
    return 1 + count(t.left) + count(t.right)
end

local function run(max_depth)
    print(string.format("stretch tree of depth %d has %d nodes", max_depth + 1,
                        count(tree(max_depth + 1))))
    local kept = tree(max_depth)
    for depth = 4, max_depth, 4 do
        local rounds = 1
        for _ = 1, max_depth - depth + 4 do
            rounds = rounds * 2
        end
        local total = 0
        for _ = 1, rounds do
            total = total + count(tree(depth))
        end
        print(string.format("%d trees of depth %d have %d nodes", rounds, depth, total))
    end
    print(string.format("kept tree of depth %d has %d nodes", max_depth, count(kept)))
end

run(tonumber(arg[1] or 16))
