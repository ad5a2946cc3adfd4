/*
 * The program's first instructions on AArch64 (entry.ts). Given to the assembler are `bun`, where they go on, and `environ`, the
 * address of the C library's variable. x0 holds what the dynamic loader hands on.
 */
.set SYS_getcwd, 17
.set SYS_faccessat, 48
.set SYS_chdir, 49
.set SYS_openat, 56
.set SYS_write, 64
.set SYS_exit_group, 94
.set SYS_mmap, 222
.set SYS_prlimit64, 261
.set AT_FDCWD, -100
.set O_DIRECTORY, 0x4000
.set O_PATH_CLOEXEC, 0x280000
.set PATH_MAX, 4096
.set STDERR, 2
.set READ_WRITE, 3
.set PRIVATE_ANONYMOUS, 0x22
.set BLOCKED, 3                 /* recriu's exit code for what is blocked and untouched */

    mov x9, x0
    mov x0, #AT_FDCWD
    adr x1, path
    mov x2, #0                  /* F_OK */
    mov x8, #SYS_faccessat
    svc #0
    cbnz x0, missing

    /* Below these limits Bun dies of a signal, or cannot say what it lacks. */
    sub sp, sp, #PATH_MAX
    adr x10, limits
    adr x11, limits_end
limit:
    mov x0, #0
    ldr w1, [x10]
    mov x2, #0
    mov x3, sp
    mov x8, #SYS_prlimit64
    svc #0
    tbnz x0, #63, next
    ldr w1, [x10, #4]
    ldr x0, [sp, x1]
    ldr x1, [x10, #8]
    cmp x0, x1
    b.lo narrow
next:
    add x10, x10, #16
    cmp x10, x11
    b.lo limit

    /* A directory without a name has none that getcwd can give, or one that does not begin with a slash. */
    mov x0, sp
    mov x1, #PATH_MAX
    mov x8, #SYS_getcwd
    svc #0
    tbnz x0, #63, aside
    ldrb w0, [sp]
    cmp w0, #'/'
    b.eq go
aside:
    mov x0, #AT_FDCWD
    adr x1, cwd
    mov x2, #O_DIRECTORY
    movk x2, #O_PATH_CLOEXEC >> 16, lsl #16
    mov x3, #0
    mov x8, #SYS_openat
    svc #0
    tbnz x0, #63, go
    adr x0, root
    mov x8, #SYS_chdir
    svc #0
go:
    add sp, sp, #PATH_MAX

    /* The environment with recriu's own in front. The kernel's, which is in /proc/self/environ, stays as it was. */
    ldr x10, [sp]
    add x10, sp, x10, lsl #3
    add x10, x10, #16           /* behind the words and their end */
    mov x11, x10
count:
    ldr x12, [x11], #8
    cbnz x12, count
    mov x0, #0
    sub x1, x11, x10
    add x1, x1, #16
    mov x2, #READ_WRITE
    mov x3, #PRIVATE_ANONYMOUS
    mov x4, #-1
    mov x5, #0
    mov x8, #SYS_mmap
    svc #0
    tbnz x0, #63, start
    ldr x12, environment
    str x0, [x12]
    adr x12, compilers
    str x12, [x0], #8
    adr x12, machine
    str x12, [x0], #8
copy:
    ldr x12, [x10], #8
    str x12, [x0], #8
    cmp x10, x11
    b.lo copy
start:
    mov x0, x9
    ldr x16, entry
    br x16

narrow:
    adr x1, tight
    mov x2, tight_end - tight
    b blocked
missing:
    adr x1, message
    mov x2, end - message
blocked:
    mov x0, #STDERR
    mov x8, #SYS_write
    svc #0
    mov x0, #BLOCKED
    mov x8, #SYS_exit_group
    svc #0

entry:
    .quad bun
environment:
    .quad environ
.include "text.S"
