/* SPDX-License-Identifier: MIT
 * probe_leaks.c - run at configure time under AddressSanitizer: ends with 0 where the leak checker works.
 */
int main(void)
{
    return 0;
}
