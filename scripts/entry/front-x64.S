/*
 * The front on x86-64, part of x64.S: called as criu or recriu-RUNTIME, with "restore" or "swrk" among the words, what is to become that
 * program waits here as it was started, and a fork goes on behind `work` (src/sys/front.ts).
 */
    mov rax, [rsp + 16]
    test rax, rax
    jz work
base:
    mov rcx, rax                /* behind the last slash */
letter:
    mov dl, [rax]
    inc rax
    cmp dl, '/'
    je base
    test dl, dl
    jnz letter
    mov rax, [rcx]
    shl rax, 8
    shr rax, 8
    cmp rax, recriu[rip]        /* with more behind it */
    je named
    shl rax, 24
    shr rax, 24
    cmp rax, criu[rip]
    jne work
named:
    lea rbx, [rsp + 24]
each:
    mov rsi, [rbx]
    add rbx, 8
    test rsi, rsi
    jz work
    mov rax, [rsi]
    cmp rax, restore[rip]
    je front
    shl rax, 24
    shr rax, 24
    cmp rax, swrk[rip]
    jne each

    /* Two sockets that are connected: ebp is this process's, r13d the fork's; r14d is what the fork before has said of itself. */
front:
    sub rsp, 32
    mov eax, SYS_getpid
    syscall
    mov r15d, eax
    xor r14d, r14d
    xor r12d, r12d              /* r12: how many files the fork writes its number to; rbx: their paths */
fork:
    mov edi, AF_UNIX
    mov esi, SOCK_STREAM_CLOEXEC
    xor edx, edx
    mov r10, rsp
    mov eax, SYS_socketpair
    syscall
    test eax, eax
    js alone
    mov ebp, [rsp]
    mov edi, [rsp + 4]          /* never one of the first three: what is printed would be an order */
    mov esi, F_DUPFD_CLOEXEC
    mov edx, 3
    mov eax, SYS_fcntl
    syscall
    test eax, eax
    js alone
    mov r13d, eax
    mov edi, [rsp + 4]
    mov eax, SYS_close
    syscall
    call clone
    test eax, eax
    js alone
    jz between
    mov ebx, eax
reap:
    mov edi, ebx
    xor esi, esi
    mov edx, WALL
    xor r10d, r10d
    mov eax, SYS_wait4
    syscall
    cmp eax, -EINTR
    je reap
    mov edi, r13d
    mov eax, SYS_close
    syscall

    /* An order: three numbers (src/sys/front.ts). */
order:
    mov edi, ebp
    mov rsi, rsp
    mov edx, 24
    xor eax, eax                /* SYS_read */
    syscall
    mov edi, 1
    cmp rax, 24
    jne exit                    /* the fork has ended, and said why */
    mov rsi, [rsp]
    mov edi, [rsp + 8]
    test rsi, rsi
    jz exit
    xor edi, edi
    mov edx, READ_WRITE
    mov r10d, PRIVATE_ANONYMOUS
    mov r8, -1
    xor r9d, r9d
    mov eax, SYS_mmap
    syscall
    test rax, rax
    js failed
    mov rbx, rax
    xor r12d, r12d
rest:
    mov edi, ebp
    lea rsi, [rbx + r12]
    mov rdx, [rsp]
    sub rdx, r12
    jz whole
    xor eax, eax                /* SYS_read */
    syscall
    test rax, rax
    jle died
    add r12, rax
    jmp rest
whole:
    mov rcx, [rsp + 8]          /* places become addresses */
place:
    mov rax, [rbx + rcx * 8 - 8]
    test rax, rax
    jz placed
    add rax, rbx
    mov [rbx + rcx * 8 - 8], rax
placed:
    dec rcx
    jnz place
    mov rdi, [rsp + 16]
    test rdi, rdi
    js again
    mov rdi, [rbx]
    lea rsi, [rbx + 8]
    mov rdx, [rsp + 16]
    lea rdx, [rbx + rdx * 8]
    mov eax, SYS_execve
    syscall
failed:
    mov [rsp], rax
    mov edi, ebp
    mov rsi, rsp
    mov edx, 8
    mov eax, SYS_write
    syscall
    jmp order

again:
    not edi                     /* -1 - edi */
    mov r14d, edi
    mov r12, [rsp + 8]
    mov edi, ebp
    mov eax, SYS_close
    syscall
    mov edi, r14d               /* whose child it is only where this process is the namespace's init */
    and edi, PID_MASK
    jz fork
    xor esi, esi
    mov edx, WALL
    xor r10d, r10d
    mov eax, SYS_wait4
    syscall
    jmp fork
died:
    mov edi, 1
exit:
    mov eax, SYS_exit_group
    syscall

    /* A child that ends at once: nobody but init waits for the fork. */
between:
    call clone
    test eax, eax
    js alone
    mov edi, 0
    jnz exit
    mov edi, ebp
    mov eax, SYS_close
    syscall
enter:
    dec r12
    js entered
    mov rdi, [rbx + r12 * 8]
    mov esi, O_WRONLY
    mov eax, SYS_open
    syscall
    test eax, eax
    js enter
    mov edi, eax
    push '0'                    /* whoever writes it */
    mov rsi, rsp
    mov edx, 1
    mov eax, SYS_write
    syscall
    pop rsi
    mov eax, SYS_close
    syscall
    jmp enter
entered:
    add rsp, 32
