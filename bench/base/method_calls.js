// Methods: one hot class that writes its fields, and a site that sees three classes in turn.
'use strict';
class Counter {
    constructor() {
        this.n = 1;
        this.calls = 0;
    }
    add(d) {
        this.n = (this.n + d) % 1000003;
        this.calls += 1;
        return this.n;
    }
}

class Shape {
    area() { return 0; }
    weight(k) { return this.area() * k; }
}

class Square extends Shape {
    constructor(side) {
        super();
        this.side = side;
    }
    area() { return this.side * this.side; }
}

class Box extends Shape {
    constructor(w, h) {
        super();
        this.w = w;
        this.h = h;
    }
    area() { return this.w * this.h; }
}

class Strip extends Box {
    area() { return super.area() + 1; }
}

function run(n) {
    const c = new Counter();
    for (let i = 0; i < n; i++)
        c.add(i);
    console.log(c.n);
    console.log(c.calls);

    const shapes = [new Square(3), new Box(2, 5), new Strip(7, 1), new Box(1, 1)];
    let total = 0;
    for (let i = 0; i < n; i++)
        total += shapes[i % 4].weight(i % 3);
    console.log(total);
}

run(Number(process.argv[2] ?? 10000000));
