/* The init (init-program.ts) for arm64. System calls take their number in x8, x0 to x5, and answer in x0. */
.set machine, 183               /* EM_AARCH64 */
.set SYS_close, 57
.set SYS_read, 63
.set SYS_write, 64
.set SYS_ppoll, 73
.set SYS_signalfd4, 74
.set SYS_exit_group, 94
.set SYS_kill, 129
.set SYS_rt_sigaction, 134
.set SYS_rt_sigprocmask, 135
.set SYS_clone, 220
.set SYS_execve, 221
.set SYS_wait4, 260
.set SIG_SETMASK, 2
.set SIGCHLD, 17
.set WNOHANG, 1
.set CLONE_PARENT, 0x8000
.set POLLIN, 1
.set SFD_CLOEXEC, 0x80000
.include "../asking-program/elf.S"

.set OLD_MASK, 0                /* on the stack: the signal mask that CRIU is to have */
.set MASK, 8                    /* the signals that are taken */
.set POLLS, 16                  /* two of struct pollfd: control, signals */
.set STATUS, 32                 /* of wait4(2) */
.set REST, 40                   /* where the steps stand that are done later */
.set BUFFER, 64                 /* struct signalfd_siginfo, and what is told or heard */
.set ROOM, 192

    /* x19: the arguments. w20: CRIU. w21: the root task, 0 before the tree runs. w22: the exit code. w23: status. */
start:
    mov x19, sp
    sub sp, sp, #ROOM
    ldr w23, status
    ldr x9, taken
    str x9, [sp, #MASK]
    mov x0, #SIG_SETMASK
    add x1, sp, #MASK
    add x2, sp, #OLD_MASK
    mov x3, #8
    mov x8, #SYS_rt_sigprocmask
    svc #0
    ldr x0, namespaces
    mov x9, #CLONE_PARENT
    orr x0, x0, x9
    mov x9, #SIGCHLD
    orr x0, x0, x9
    bl fork
    cbz w0, init
    mov w1, w0
    mov w0, #'p'                /* or why there is none */
    bl tell
    mov w0, #0
    b exit

init:
    adr x24, steps
    ldr x22, count
    bl perform
    str x24, [sp, #REST]
    mov x2, #1
    bl hear
    cmp w0, #1
    b.ne leave
    mov x0, #SIGCHLD
    bl fork
    cbz w0, become
    tbnz w0, #31, leave
    mov w20, w0
    mov w21, #0
    mov w22, #0
    mov w1, w0
    mov w0, #'c'
    bl tell

    /* Nothing that CRIU was given is held here: what waits for its end would wait for this process's. */
    ldr w24, first
forget:
    subs w24, w24, #1
    b.mi forgotten
    mov w0, w24
    mov x8, #SYS_close
    svc #0
    b forget
forgotten:
    mov x0, #SIGCHLD            /* whoever ignores it is told of no child's end */
    add x1, sp, #BUFFER
    stp xzr, xzr, [x1]
    stp xzr, xzr, [x1, #16]
    mov x2, #0
    mov x3, #8
    mov x8, #SYS_rt_sigaction
    svc #0
    mov x0, #-1
    add x1, sp, #MASK
    mov x2, #8
    mov x3, #SFD_CLOEXEC
    mov x8, #SYS_signalfd4
    svc #0
    tbnz w0, #31, leave
    mov w9, #POLLIN
    stp w0, w9, [sp, #POLLS + 8]
    ldr w10, control
    stp w10, w9, [sp, #POLLS]
    b reap                      /* a child may have ended before there was a descriptor that tells */

wait:
    add x0, sp, #POLLS
    mov x1, #2
    mov x2, #0
    mov x3, #0
    mov x4, #0
    mov x8, #SYS_ppoll
    svc #0
    tbnz w0, #31, wait
    ldrh w9, [sp, #POLLS + 6]
    cbz w9, signals
    mov x2, #4
    bl hear
    cmp w0, #4
    b.ne alone
    ldr w21, [sp, #BUFFER]
    cbnz w21, signals
    ldr x24, [sp, #REST]        /* no root has the number 0: the rest is to be done */
    ldr x22, later
    bl perform
    b signals
alone:
    cbz w21, leave              /* recriu is dead, and nothing runs that it has let run */
    mov w9, #-1
    str w9, [sp, #POLLS]
signals:
    ldrh w9, [sp, #POLLS + 14]
    cbz w9, wait
    ldr w0, [sp, #POLLS + 8]
    add x1, sp, #BUFFER
    mov x2, #128
    mov x8, #SYS_read
    svc #0
    ldr w1, [sp, #BUFFER]       /* ssi_signo */
    cmp w1, #SIGCHLD
    b.eq reap
    ldr w9, [sp, #BUFFER + 12]  /* ssi_pid: 0 is outside */
    cbnz w9, wait
    cbz w21, wait
    mov w0, w21
    mov x8, #SYS_kill
    svc #0
    b wait

reap:
    mov x0, #-1
    add x1, sp, #STATUS
    mov x2, #WNOHANG
    mov x3, #0
    mov x8, #SYS_wait4
    svc #0
    cbz w0, wait
    tbnz w0, #31, ended
    cmp w0, w20
    b.eq criu
    cmp w0, w21
    b.ne reap
    bl code
    b reap
criu:
    bl code
    mov w20, #0
    mov w0, #'s'
    ldr w1, [sp, #STATUS]
    bl tell
    cbnz w21, released
    /* What recriu has said of the root it said before CRIU could end: it may be there and not heard yet. */
    add x0, sp, #POLLS
    mov x1, #1
    add x2, sp, #BUFFER         /* a struct timespec: at once */
    stp xzr, xzr, [x2]
    mov x3, #0
    mov x4, #0
    mov x8, #SYS_ppoll
    svc #0
    cmp w0, #1
    b.ne ended
    mov x2, #4
    bl hear
    cmp w0, #4
    b.ne ended
    ldr w21, [sp, #BUFFER]
released:
    ldr w24, first              /* control, status and what the gate is made of: all is said */
letgo:
    mov w0, w24
    mov x8, #SYS_close
    svc #0
    add w24, w24, #1
    ldr w9, last
    cmp w24, w9
    b.le letgo
    mov w9, #-1
    str w9, [sp, #POLLS]
    b reap
ended:
    mov w0, w22
    b exit
leave:
    mov w0, #1
exit:
    mov x8, #SYS_exit_group
    svc #0

become:
    mov x0, #SIG_SETMASK
    add x1, sp, #OLD_MASK
    mov x2, #0
    mov x3, #8
    mov x8, #SYS_rt_sigprocmask
    svc #0
    ldr x0, [x19, #16]
    add x1, x19, #16
    ldr x2, [x19]
    add x2, x19, x2, lsl #3
    add x2, x2, #16
    mov x8, #SYS_execve
    svc #0
    mov w1, w0
    mov w0, #'x'
    bl tell
    mov w0, #127
    b exit

    /* So many steps as x22 says, from x24 on; then x22 is 0, as the exit code is while CRIU runs. One that fails ends it all. */
perform:
    cbz x22, performed
    ldp x8, x0, [x24]
    ldp x1, x2, [x24, #16]
    ldp x3, x4, [x24, #32]
    ldr x5, [x24, #48]
    svc #0
    add x24, x24, #56
    sub x22, x22, #1
    tbz x0, #63, perform
    mov w1, w0
    mov w9, #'f'
    orr w0, w9, w22, lsl #8     /* how many were to come */
    bl tell
    mov w0, #1
    b exit
performed:
    ret

    /* clone(2) with the flags in x0, as fork(2) does it */
fork:
    mov x1, #0
    mov x2, #0
    mov x3, #0
    mov x4, #0
    mov x8, #SYS_clone
    svc #0
    ret

    /* Two numbers to recriu: what it is about (w0), and what there is to say (w1). */
tell:
    stp w0, w1, [sp, #BUFFER]
    mov w0, w23
    add x1, sp, #BUFFER
    mov x2, #8
    mov x8, #SYS_write
    svc #0
    ret

    /* x2 bytes from recriu; how many came in w0 */
hear:
    ldr w0, control
    add x1, sp, #BUFFER
    mov x8, #SYS_read
    svc #0
    ret

    /* The status as an exit code, in w22: that of a shell. */
code:
    ldr w9, [sp, #STATUS]
    ubfx w22, w9, #8, #8
    ands w9, w9, #0x7f
    b.eq coded
    add w22, w9, #128
coded:
    ret

.include "order.S"
