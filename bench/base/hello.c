/* SPDX-License-Identifier: MIT
 * hello.c - the smallest program, for the time from start to exit.
 */
#include <stdio.h>

int main(void)
{
    puts("hello, world");
    return 0;
}
