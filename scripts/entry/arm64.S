/*
 * The program's first instructions on AArch64 (entry.ts). Given to the assembler are `bun`, where they go on, and `environ`, the
 * address of the C library's variable. x0 holds what the dynamic loader hands on.
 */
.set SYS_getcwd, 17
.set SYS_fcntl, 25
.set SYS_faccessat, 48
.set SYS_chdir, 49
.set SYS_openat, 56
.set SYS_close, 57
.set SYS_read, 63
.set SYS_write, 64
.set SYS_exit_group, 94
.set SYS_getpid, 172
.set SYS_socketpair, 199
.set SYS_clone, 220
.set SYS_execve, 221
.set SYS_mmap, 222
.set SYS_wait4, 260
.set SYS_prlimit64, 261
.set AT_FDCWD, -100
.set O_DIRECTORY, 0x4000
.set O_PATH_CLOEXEC, 0x280000
.set PATH_MAX, 4096
.set STDERR, 2
.set READ_WRITE, 3
.set PRIVATE_ANONYMOUS, 0x22
.set BLOCKED, 3                 /* recriu's exit code for what is blocked and untouched */
.set AF_UNIX, 1
.set SOCK_STREAM, 1
.set SOCK_CLOEXEC, 0x80000
.set F_DUPFD_CLOEXEC, 1030
.set WALL, 0x40000000           /* __WALL: a child that no signal tells of, too */
.set SIGCHLD, 17
.set O_WRONLY, 1
.set PID_MASK, 0xffffff
.set EINTR, 4
.set EINVAL, 22
.set FIVE, 0xffffffffff         /* of eight letters the first five, */
.set SEVEN, 0xffffffffffffff    /* and seven */

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
    add sp, sp, #PATH_MAX
    mov w19, #0                 /* w19: the process that this one works for; 0: there is none */

.include "front-arm64.S"
work:
    sub sp, sp, #PATH_MAX

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

    /*
     * Words, environment and auxiliary vector once more, the environment with recriu's own: first what the engine reads (of two of a
     * name getenv(3) takes the first), last what recriu does (process.env has the last). glibc has its variable already, musl
     * looks on the stack. What the kernel shows in /proc/self/environ stays as it was.
     */
    mov x10, sp
    ldr x11, [x10]
    add x11, x10, x11, lsl #3
    add x11, x11, #16           /* behind the words and their end */
    mov x12, x11
variable:
    ldr x13, [x12], #8
    cbnz x13, variable          /* x12: behind the environment and its end */
    mov x14, x12
pair:
    ldr x13, [x14], #16
    cbnz x13, pair
    sub x0, x10, x14
    add x0, x0, x10
    sub x0, x0, #80             /* 3 more, and a text of 38 bytes */
    and x0, x0, #-16
    mov sp, x0
    mov x1, x10
    mov x2, x11
    bl copy
    ldr x13, environment
    str x0, [x13]
    adr x13, compilers
    adr x15, machine
    stp x13, x15, [x0], #16
    sub x2, x12, #8
    cmp x1, x2
    b.hs none                   /* no variable at all */
    bl copy
none:
    mov x13, x0
    add x0, x0, #8
    mov x2, x14
    bl copy
    str x0, [x13]               /* RECRIU_FRONT=, and three numbers if there is a front */
    adr x10, name
    adr x11, name_end
letters:
    ldrb w12, [x10], #1
    strb w12, [x0], #1
    cmp x10, x11
    b.lo letters
    cbz w19, start
    mov w10, w19
    bl number
    mov w10, w20
    bl number
    mov w10, w21
    bl number
start:
    strb wzr, [x0]
    mov x0, x9
    ldr x16, entry
    br x16

    /* Eights of bytes from x1 to x2 are put at x0. */
copy:
    ldr x3, [x1], #8
    str x3, [x0], #8
    cmp x1, x2
    b.lo copy
    ret

    /* w10 at x0, in 8 letters from a to p */
number:
    mov w11, #8
digit:
    ror w10, w10, #28
    and w12, w10, #15
    add w12, w12, #'a'
    strb w12, [x0], #1
    subs w11, w11, #1
    b.ne digit
    ret

    /* fork(2), but that no signal tells of the child's end; which QEMU's user mode refuses */
clone:
    mov x10, x30
    mov x0, #0
    bl clone_with
    mov x30, x10
    cmn w0, #EINVAL
    b.ne cloned
    mov x0, #SIGCHLD
clone_with:
    mov x1, #0
    mov x2, #0
    mov x3, #0
    mov x4, #0
    mov x8, #SYS_clone
    svc #0
cloned:
    ret

alone:
    adr x1, single
    mov x2, single_end - single
    mov w19, #1                 /* CRIU's */
    b say
narrow:
    adr x1, tight
    mov x2, tight_end - tight
    b blocked
missing:
    adr x1, message
    mov x2, end - message
blocked:
    mov w19, #BLOCKED
say:
    mov x0, #STDERR
    mov x8, #SYS_write
    svc #0
    mov w0, w19
    b exit
died:
    mov w0, #1
exit:
    mov x8, #SYS_exit_group
    svc #0

entry:
    .quad bun
environment:
    .quad environ
.include "text.S"
