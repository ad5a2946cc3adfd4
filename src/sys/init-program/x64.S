/* The init (init-program.ts) for x86-64. System calls take rdi, rsi, rdx, r10, r8, r9 and answer in rax. */
.intel_syntax noprefix
.set machine, 62                /* EM_X86_64 */
.set SYS_read, 0
.set SYS_write, 1
.set SYS_close, 3
.set SYS_rt_sigaction, 13
.set SYS_rt_sigprocmask, 14
.set SYS_clone, 56
.set SYS_execve, 59
.set SYS_wait4, 61
.set SYS_kill, 62
.set SYS_exit_group, 231
.set SYS_ppoll, 271
.set SYS_signalfd4, 289
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

    /* r12: the arguments. r13d: CRIU. r14d: the root task, 0 before the tree runs. r15d: the exit code. ebp: status. */
start:
    mov r12, rsp
    sub rsp, ROOM
    mov ebp, status[rip]
    mov rax, taken[rip]
    mov [rsp + MASK], rax
    mov edi, SIG_SETMASK
    lea rsi, [rsp + MASK]
    lea rdx, [rsp + OLD_MASK]
    mov r10d, 8
    mov eax, SYS_rt_sigprocmask
    syscall
    mov rdi, namespaces[rip]
    or rdi, CLONE_PARENT | SIGCHLD
    call fork
    test eax, eax
    jz init
    mov edi, 'p'                /* or why there is none */
    mov esi, eax
    call tell
    xor edi, edi
    jmp exit

init:
    lea rbx, steps[rip]
    mov r15, count[rip]
    call perform
    mov [rsp + REST], rbx
    mov edx, 1
    call hear
    cmp eax, 1
    jne leave
    mov edi, SIGCHLD
    call fork
    test eax, eax
    jz become
    js leave
    mov r13d, eax
    xor r14d, r14d
    xor r15d, r15d
    mov edi, 'c'
    mov esi, eax
    call tell

    /* Nothing that CRIU was given is held here: what waits for its end would wait for this process's. */
    mov ebx, first[rip]
forget:
    dec ebx
    js forgotten
    mov edi, ebx
    mov eax, SYS_close
    syscall
    jmp forget
forgotten:
    mov edi, SIGCHLD            /* whoever ignores it is told of no child's end */
    lea rsi, [rsp + BUFFER]
    xor eax, eax
    mov [rsi], rax
    mov [rsi + 8], rax
    mov [rsi + 16], rax
    mov [rsi + 24], rax
    xor edx, edx
    mov r10d, 8
    mov eax, SYS_rt_sigaction
    syscall
    mov edi, -1
    lea rsi, [rsp + MASK]
    mov edx, 8
    mov r10d, SFD_CLOEXEC
    mov eax, SYS_signalfd4
    syscall
    test eax, eax
    js leave
    mov [rsp + POLLS + 8], eax
    mov dword ptr [rsp + POLLS + 12], POLLIN
    mov eax, control[rip]
    mov [rsp + POLLS], eax
    mov dword ptr [rsp + POLLS + 4], POLLIN
    jmp reap                    /* a child may have ended before there was a descriptor that tells */

wait:
    lea rdi, [rsp + POLLS]
    mov esi, 2
    xor edx, edx
    xor r10d, r10d
    mov eax, SYS_ppoll
    syscall
    test eax, eax
    js wait
    cmp word ptr [rsp + POLLS + 6], 0
    je signals
    mov edx, 4
    call hear
    cmp eax, 4
    jne alone
    mov r14d, [rsp + BUFFER]
    test r14d, r14d
    jnz signals
    mov rbx, [rsp + REST]       /* no root has the number 0: the rest is to be done */
    mov r15, later[rip]
    call perform
    jmp signals
alone:
    test r14d, r14d
    jz leave                    /* recriu is dead, and nothing runs that it has let run */
    mov dword ptr [rsp + POLLS], -1
signals:
    cmp word ptr [rsp + POLLS + 14], 0
    je wait
    mov edi, [rsp + POLLS + 8]
    lea rsi, [rsp + BUFFER]
    mov edx, 128
    xor eax, eax                /* SYS_read */
    syscall
    mov esi, [rsp + BUFFER]     /* ssi_signo */
    cmp esi, SIGCHLD
    je reap
    cmp dword ptr [rsp + BUFFER + 12], 0 /* ssi_pid: 0 is outside */
    jne wait
    mov edi, r14d
    test edi, edi
    jz wait
    mov eax, SYS_kill
    syscall
    jmp wait

reap:
    mov edi, -1
    lea rsi, [rsp + STATUS]
    mov edx, WNOHANG
    xor r10d, r10d
    mov eax, SYS_wait4
    syscall
    test eax, eax
    jz wait
    js ended
    cmp eax, r13d
    je criu
    cmp eax, r14d
    jne reap
    call code
    jmp reap
criu:
    call code
    xor r13d, r13d
    mov edi, 's'
    mov esi, [rsp + STATUS]
    call tell
    test r14d, r14d
    jnz released
    /* What recriu has said of the root it said before CRIU could end: it may be there and not heard yet. */
    lea rdi, [rsp + POLLS]
    mov esi, 1
    lea rdx, [rsp + BUFFER]     /* a struct timespec: at once */
    xor eax, eax
    mov [rdx], rax
    mov [rdx + 8], rax
    xor r10d, r10d
    mov eax, SYS_ppoll
    syscall
    cmp eax, 1
    jne ended
    mov edx, 4
    call hear
    cmp eax, 4
    jne ended
    mov r14d, [rsp + BUFFER]
released:
    mov ebx, first[rip]         /* control, status and what the gate is made of: all is said */
letgo:
    mov edi, ebx
    mov eax, SYS_close
    syscall
    inc ebx
    cmp ebx, last[rip]
    jle letgo
    mov dword ptr [rsp + POLLS], -1
    jmp reap
ended:
    mov edi, r15d
    jmp exit
leave:
    mov edi, 1
exit:
    mov eax, SYS_exit_group
    syscall

become:
    mov edi, SIG_SETMASK
    lea rsi, [rsp + OLD_MASK]
    xor edx, edx
    mov r10d, 8
    mov eax, SYS_rt_sigprocmask
    syscall
    mov rdi, [r12 + 16]
    lea rsi, [r12 + 16]
    mov rdx, [r12]
    lea rdx, [r12 + rdx*8 + 16]
    mov eax, SYS_execve
    syscall
    mov edi, 'x'
    mov esi, eax
    call tell
    mov edi, 127
    jmp exit

    /* So many steps as r15 says, from rbx on; then r15 is 0, as the exit code is while CRIU runs. One that fails ends it all. */
perform:
    test r15, r15
    jz performed
    mov rax, [rbx]
    mov rdi, [rbx + 8]
    mov rsi, [rbx + 16]
    mov rdx, [rbx + 24]
    mov r10, [rbx + 32]
    mov r8, [rbx + 40]
    mov r9, [rbx + 48]
    syscall
    add rbx, 56
    dec r15
    test rax, rax
    jns perform
    mov esi, eax
    mov edi, r15d               /* how many were to come */
    shl edi, 8
    or edi, 'f'
    call tell
    mov edi, 1
    jmp exit
performed:
    ret

    /* clone(2) with the flags in rdi, as fork(2) does it */
fork:
    xor esi, esi
    xor edx, edx
    xor r10d, r10d
    xor r8d, r8d
    mov eax, SYS_clone
    syscall
    ret

    /* Two numbers to recriu: what it is about (edi), and what there is to say (esi). The call has moved the stack by 8. */
tell:
    mov [rsp + 8 + BUFFER], edi
    mov [rsp + 8 + BUFFER + 4], esi
    mov edi, ebp
    lea rsi, [rsp + 8 + BUFFER]
    mov edx, 8
    mov eax, SYS_write
    syscall
    ret

    /* edx bytes from recriu; how many came in eax */
hear:
    mov edi, control[rip]
    lea rsi, [rsp + 8 + BUFFER]
    xor eax, eax                /* SYS_read */
    syscall
    ret

    /* The status as an exit code, in r15d: that of a shell. */
code:
    mov ecx, [rsp + 8 + STATUS]
    mov r15d, ecx
    shr r15d, 8
    and r15d, 0xff
    and ecx, 0x7f
    jz coded
    lea r15d, [rcx + 128]
coded:
    ret

.include "order.S"
