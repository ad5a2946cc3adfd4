/* The asking program (asking-program.ts) for AArch64. System calls take x0 to x3, their number in x8, and answer in x0. */
.set machine, 183               /* EM_AARCH64 */
.set SYS_openat, 56
.set SYS_read, 63
.set SYS_writev, 66
.set SYS_ppoll, 73
.set SYS_exit_group, 94
.set SYS_kill, 129
.set SYS_setpgid, 154
.set SYS_setsid, 157
.set SYS_prctl, 167
.set SYS_clone, 220
.set SYS_wait4, 260
.set SYS_pidfd_open, 434
.set SYS_close_range, 436
.set AT_FDCWD, -100
.set O_RDONLY, 0
.set O_WRONLY, 1
.set POLLIN, 1
.set IOV_MAX, 1024
.set PR_SET_PDEATHSIG, 1
.set SIGKILL, 9
.set SIGCHLD, 17
.set CLONE_PARENT, 0x8000
.include "elf.S"

    /* Both files are opened before anything is asked: who answers may end at once, and the answer is there all the same. */
start:
    mov x0, #AT_FDCWD
    adr x1, questions
    mov x2, #O_WRONLY
    mov x8, #SYS_openat
    svc #0
    tbnz w0, #31, refuse
    mov w19, w0                 /* w19: questions */
    mov x0, #AT_FDCWD
    adr x1, answers
    mov x2, #O_RDONLY
    mov x8, #SYS_openat
    svc #0
    tbnz w0, #31, refuse
    mov w22, w0                 /* w22: answers */

    /* The stack has argc, the arguments, a null, and the environment. */
    ldr x20, [sp]
    add x20, sp, x20, uxtx #3
    add x20, x20, #16
    ldr x21, crtools

    /* At a point that is not before or after -restore or -resume nothing is decided: it goes on. Without a name it is asked. */
    ldr x4, script_a
    ldr x5, action
    mov x6, x20
look:
    ldr x1, [x6], #8
    cbz x1, ask
    ldr x3, [x1]
    cmp x3, x21
    b.ne look
    ldr x3, [x1, #8]
    cmp x3, x4
    b.ne look
    ldur x3, [x1, #14]
    cmp x3, x5
    b.ne look
    ldr w4, res
    ldur w3, [x1, #25]          /* pre-res… */
    cmp w3, w4
    b.eq ask
    ldur w3, [x1, #26]          /* post-res… */
    cmp w3, w4
    b.ne agree

    /* In one write, so that who answers is woken once: struct iovecs on the stack, the last of them first. */
ask:
    adr x1, newline
    mov x2, #1
    stp x1, x2, [sp, #-16]!
    mov w23, #1
next:
    ldr x1, [x20], #8
    cbz x1, asked
    ldr x3, [x1]
    cmp x3, x21
    b.ne next
    mov x2, #0
length:
    ldrb w3, [x1, x2]
    add x2, x2, #1
    cbnz w3, length
    stp x1, x2, [sp, #-16]!
    add w23, w23, #1
    cmp w23, #IOV_MAX
    b.hi refuse
    b next
asked:
    mov w0, w19
    mov x1, sp
    mov w2, w23
    mov x8, #SYS_writev
    svc #0

    /* The answer: a letter, and at 4, 8 and 12 the numbers that count with the letter h. */
    stp xzr, xzr, [sp, #-16]!
    mov w0, w22
    mov x1, sp
    mov x2, #16
    mov x8, #SYS_read
    svc #0
    ldrb w3, [sp]
    cmp w3, #'g'
    b.eq agree
    cmp w3, #'h'
    b.ne refuse
    mov x0, #SIGCHLD
    mov x1, #0
    mov x8, #SYS_clone
    svc #0
    cbz x0, keeper
    mov x0, #-1
    mov x1, #0
    mov x2, #0
    mov x3, #0
    mov x8, #SYS_wait4          /* for the one that the keeper forks for this: all is there when it ends */
    svc #0
agree:
    mov w0, #0
    b exit
refuse:
    mov w0, #1
exit:
    mov x8, #SYS_exit_group
    svc #0

keeper:
    mov x0, #0
    mov w1, #-1
    mov x2, #0
    mov x8, #SYS_close_range
    svc #0
    ldr w0, [sp, #12]
    mov x1, #0
    mov x8, #SYS_pidfd_open
    svc #0
    tbnz w0, #31, agree         /* the process has ended already: nothing to keep */
    str w0, [sp]                /* a struct pollfd: fd */
    mov x0, #0
    ldr w1, [sp, #8]
    mov x8, #SYS_setpgid
    svc #0
    mov x0, #SIGCHLD
    mov x1, #0
    mov x8, #SYS_clone
    svc #0
    cbz x0, member
    mov w19, w0                 /* w19: the member */
    ldr w1, [sp, #4]
    mov x8, #SYS_setpgid
    svc #0
    mov x0, #(CLONE_PARENT | SIGCHLD)
    mov x1, #0
    mov x8, #SYS_clone          /* the program's own child, which ends at once */
    svc #0
    cbz x0, agree
    mov w0, #POLLIN
    str w0, [sp, #4]            /* events */
    mov x0, sp
    mov x1, #1
    mov x2, #0
    mov x3, #0
    mov x8, #SYS_ppoll
    svc #0
    mov x8, #SYS_setsid
    svc #0
    mov w0, w19
    mov x1, #SIGKILL
    mov x8, #SYS_kill
    svc #0
    b agree

member:
    mov x0, #PR_SET_PDEATHSIG
    mov x1, #SIGKILL
    mov x8, #SYS_prctl
    svc #0
wait:
    mov x0, #0
    mov x1, #0
    mov x2, #0
    mov x3, #0
    mov x8, #SYS_ppoll
    svc #0
    b wait

newline:
    .ascii "\n"
    .balign 4
crtools:
    .ascii "CRTOOLS_"
script_a:
    .ascii "SCRIPT_A"
action:
    .ascii "_ACTION="
res:
    .ascii "-res"
questions:
    .zero 32
answers:
    .zero 32
end:
