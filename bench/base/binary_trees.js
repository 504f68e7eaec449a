// Many short-lived trees of small objects: allocation and collection.
'use strict';
function tree(depth) {
    if (depth === 0)
        return {left: null, right: null};
    return {left: tree(depth - 1), right: tree(depth - 1)};
}

function count(t) {
    if (t.left === null)
        return 1;
    return 1 + count(t.left) + count(t.right);
}

function run(maxDepth) {
    console.log(`stretch tree of depth ${maxDepth + 1} has ${count(tree(maxDepth + 1))} nodes`);
    const kept = tree(maxDepth);
    for (let depth = 4; depth <= maxDepth; depth += 4) {
        const rounds = 1 << (maxDepth - depth + 4);
        let total = 0;
        for (let i = 0; i < rounds; i++)
            total += count(tree(depth));
        console.log(`${rounds} trees of depth ${depth} have ${total} nodes`);
    }
    console.log(`kept tree of depth ${maxDepth} has ${count(kept)} nodes`);
}

run(Number(process.argv[2] ?? 16));
