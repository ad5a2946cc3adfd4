/*
 * The program's first instructions on x86-64 (entry.ts). Given to the assembler are `bun`, where they go on, and `environ`, the
 * address of the C library's variable. rdx holds what the dynamic loader hands on.
 */
.intel_syntax noprefix
.set SYS_read, 0
.set SYS_write, 1
.set SYS_open, 2
.set SYS_close, 3
.set SYS_mmap, 9
.set SYS_access, 21
.set SYS_getpid, 39
.set SYS_socketpair, 53
.set SYS_clone, 56
.set SYS_execve, 59
.set SYS_wait4, 61
.set SYS_fcntl, 72
.set SYS_getcwd, 79
.set SYS_chdir, 80
.set SYS_exit_group, 231
.set SYS_prlimit64, 302
.set O_PATH_DIRECTORY_CLOEXEC, 0x290000
.set PATH_MAX, 4096
.set STDERR, 2
.set READ_WRITE, 3
.set PRIVATE_ANONYMOUS, 0x22
.set BLOCKED, 3                 /* recriu's exit code for what is blocked and untouched */
.set AF_UNIX, 1
.set SOCK_STREAM_CLOEXEC, 0x80001
.set F_DUPFD_CLOEXEC, 1030
.set WALL, 0x40000000           /* __WALL: a child that no signal tells of, too */
.set SIGCHLD, 17
.set O_WRONLY, 1
.set PID_MASK, 0xffffff
.set EINTR, 4
.set EINVAL, 22

    push rdx
    lea rdi, path[rip]
    xor esi, esi                /* F_OK */
    mov eax, SYS_access
    syscall
    test eax, eax
    jnz missing

    /* Below these limits Bun dies of a signal, or cannot say what it lacks. */
    sub rsp, PATH_MAX
    lea r12, limits[rip]
limit:
    xor edi, edi
    mov esi, [r12]
    xor edx, edx
    mov r10, rsp
    mov eax, SYS_prlimit64
    syscall
    test eax, eax
    js next
    mov ecx, [r12 + 4]
    mov rax, [rsp + rcx]
    cmp rax, [r12 + 8]
    jb narrow
next:
    add r12, 16
    lea rax, limits_end[rip]
    cmp r12, rax
    jb limit
    add rsp, PATH_MAX
    xor r15d, r15d              /* r15d: the process that this one works for; 0: there is none */

.include "front-x64.S"
work:
    sub rsp, PATH_MAX

    /* A directory without a name has none that getcwd can give, or one that does not begin with a slash. */
    mov rdi, rsp
    mov esi, PATH_MAX
    mov eax, SYS_getcwd
    syscall
    test eax, eax
    js aside
    cmp byte ptr [rsp], '/'
    je go
aside:
    lea rdi, cwd[rip]
    mov esi, O_PATH_DIRECTORY_CLOEXEC
    mov eax, SYS_open
    syscall
    test eax, eax
    js go
    lea rdi, root[rip]
    mov eax, SYS_chdir
    syscall
go:
    add rsp, PATH_MAX

    /*
     * Words, environment and auxiliary vector once more, the environment with recriu's own: first what the engine reads (of two of a
     * name getenv(3) takes the first), last what recriu does (process.env has the last). glibc has its variable already, musl
     * looks on the stack. What the kernel shows in /proc/self/environ stays as it was.
     */
    pop rbp                     /* what the dynamic loader hands on */
    mov r12, rsp
    mov rax, [r12]
    lea r8, [r12 + rax * 8 + 16] /* behind the words and their end */
    mov rbx, r8
variable:
    add rbx, 8
    cmp qword ptr [rbx - 8], 0
    jne variable
    mov r9, rbx                 /* behind the environment and its end */
pair:
    add r9, 16
    cmp qword ptr [r9 - 16], 0
    jne pair
    mov rdi, r12
    sub rdi, r9
    lea rdi, [rdi + r12 - 80]   /* 3 more, and a text of 38 bytes */
    and rdi, -16
    mov rsp, rdi
    mov rsi, r12
    mov rcx, r8
    sub rcx, r12
    rep movsb
    mov rdx, environment[rip]
    mov [rdx], rdi
    lea rax, compilers[rip]
    stosq
    lea rax, machine[rip]
    stosq
    lea rcx, [rbx - 8]
    sub rcx, r8
    rep movsb
    mov rdx, rdi
    add rdi, 8
    mov rcx, r9
    sub rcx, rsi
    rep movsb
    mov [rdx], rdi              /* RECRIU_FRONT=, and three numbers if there is a front */
    lea rsi, name[rip]
    mov ecx, name_end - name
    rep movsb
    test r15d, r15d
    jz start
    mov eax, r15d
    call number
    mov eax, r13d
    call number
    mov eax, r14d
    call number
start:
    mov byte ptr [rdi], 0
    mov rdx, rbp
    jmp qword ptr entry[rip]

    /* eax at rdi, in 8 letters from a to p */
number:
    mov ecx, 8
digit:
    rol eax, 4
    mov edx, eax
    and edx, 15
    add edx, 'a'
    mov [rdi], dl
    inc rdi
    dec ecx
    jnz digit
    ret

    /* fork(2), but that no signal tells of the child's end; which QEMU's user mode refuses */
clone:
    xor edi, edi
    call clone_with
    cmp eax, -EINVAL
    mov edi, SIGCHLD
    je clone_with
    ret
clone_with:
    xor esi, esi
    xor edx, edx
    xor r10d, r10d
    xor r8d, r8d
    mov eax, SYS_clone
    syscall
    ret

alone:
    lea rsi, single[rip]
    mov edx, offset single_end - single
    mov ebx, 1                  /* CRIU's */
    jmp say
narrow:
    lea rsi, tight[rip]
    mov edx, offset tight_end - tight
    jmp blocked
missing:
    lea rsi, message[rip]
    mov edx, offset end - message
blocked:
    mov ebx, BLOCKED
say:
    mov edi, STDERR
    mov eax, SYS_write
    syscall
    mov edi, ebx
    jmp exit

entry:
    .quad bun
environment:
    .quad environ
.include "text.S"
