// The smallest program, for the time from start to exit.
console.log('hello, world');
