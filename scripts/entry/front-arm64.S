/*
 * The front on AArch64, part of arm64.S: called as criu or recriu-RUNTIME, with "restore" or "swrk" among the words, what is to become that
 * program waits here as it was started, and a fork goes on behind `work` (src/sys/front.ts).
 */
    ldr x10, [sp, #8]
    cbz x10, work
base:
    mov x11, x10                /* behind the last slash */
letter:
    ldrb w12, [x10], #1
    cmp w12, #'/'
    b.eq base
    cbnz w12, letter
    ldr x12, [x11]
    ldr x10, recriu
    and x12, x12, #SEVEN        /* with more behind it */
    cmp x12, x10
    b.eq named
    and x12, x12, #FIVE
    ldr x10, criu
    cmp x12, x10
    b.ne work
named:
    add x13, sp, #16
    ldr x14, restore
    ldr x15, swrk
each:
    ldr x10, [x13], #8
    cbz x10, work
    ldr x12, [x10]
    cmp x12, x14
    b.eq front
    and x12, x12, #FIVE
    cmp x12, x15
    b.ne each

    /* Two sockets that are connected: w22 is this process's, w20 the fork's; w21 is what the fork before has said of itself. */
front:
    sub sp, sp, #32
    mov x8, #SYS_getpid
    svc #0
    mov w19, w0
    mov w21, #0
    mov x24, #0                 /* x24: how many files the fork writes its number to; x25: their paths */
fork:
    mov x0, #AF_UNIX
    mov x1, #SOCK_STREAM
    movk x1, #SOCK_CLOEXEC >> 16, lsl #16
    mov x2, #0
    mov x3, sp
    mov x8, #SYS_socketpair
    svc #0
    tbnz w0, #31, alone
    ldp w22, w23, [sp]
    mov w0, w23                 /* never one of the first three: what is printed would be an order */
    mov x1, #F_DUPFD_CLOEXEC
    mov x2, #3
    mov x8, #SYS_fcntl
    svc #0
    tbnz w0, #31, alone
    mov w20, w0
    mov w0, w23
    mov x8, #SYS_close
    svc #0
    bl clone
    tbnz w0, #31, alone
    cbz w0, between
    mov w23, w0
reap:
    mov w0, w23
    mov x1, #0
    mov x2, #WALL
    mov x3, #0
    mov x8, #SYS_wait4
    svc #0
    cmn w0, #EINTR
    b.eq reap
    mov w0, w20
    mov x8, #SYS_close
    svc #0

    /* An order: three numbers (src/sys/front.ts). */
order:
    mov w0, w22
    mov x1, sp
    mov x2, #24
    mov x8, #SYS_read
    svc #0
    cmp x0, #24
    b.ne died                   /* the fork has ended, and said why */
    ldp x1, x0, [sp]
    cbz x1, exit
    mov x0, #0
    mov x2, #READ_WRITE
    mov x3, #PRIVATE_ANONYMOUS
    mov x4, #-1
    mov x5, #0
    mov x8, #SYS_mmap
    svc #0
    tbnz x0, #63, failed
    mov x23, x0
    mov x24, #0
rest:
    ldr x2, [sp]
    subs x2, x2, x24
    b.eq whole
    mov w0, w22
    add x1, x23, x24
    mov x8, #SYS_read
    svc #0
    cmp x0, #0
    b.le died
    add x24, x24, x0
    b rest
whole:
    ldr x10, [sp, #8]           /* places become addresses */
    mov x11, x23
place:
    ldr x12, [x11]
    cbz x12, placed
    add x12, x12, x23
placed:
    str x12, [x11], #8
    subs x10, x10, #1
    b.ne place
    ldr x2, [sp, #16]
    tbnz x2, #63, again
    ldr x0, [x23]
    add x1, x23, #8
    add x2, x23, x2, lsl #3
    mov x8, #SYS_execve
    svc #0
failed:
    str x0, [sp]
    mov w0, w22
    mov x1, sp
    mov x2, #8
    mov x8, #SYS_write
    svc #0
    b order

again:
    mvn w21, w2                 /* -1 - w2 */
    ldr x24, [sp, #8]
    mov x25, x23
    mov w0, w22
    mov x8, #SYS_close
    svc #0
    ands w0, w21, #PID_MASK     /* whose child it is only where this process is the namespace's init */
    b.eq fork
    mov x1, #0
    mov x2, #WALL
    mov x3, #0
    mov x8, #SYS_wait4
    svc #0
    b fork

    /* A child that ends at once: nobody but init waits for the fork. */
between:
    bl clone
    tbnz w0, #31, alone
    cbz w0, forked
    mov w0, #0
    b exit
forked:
    mov w0, w22
    mov x8, #SYS_close
    svc #0
enter:
    subs x24, x24, #1
    b.mi entered
    mov x0, #AT_FDCWD
    ldr x1, [x25, x24, lsl #3]
    mov x2, #O_WRONLY
    mov x8, #SYS_openat
    svc #0
    tbnz w0, #31, enter
    mov w26, w0
    mov w10, #'0'               /* whoever writes it */
    str w10, [sp]
    mov x1, sp
    mov x2, #1
    mov x8, #SYS_write
    svc #0
    mov w0, w26
    mov x8, #SYS_close
    svc #0
    b enter
entered:
    add sp, sp, #32
