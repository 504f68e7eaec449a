-- The smallest program, for the time from start to exit.
print('hello, world')
