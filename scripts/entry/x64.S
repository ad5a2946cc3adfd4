/*
 * The program's first instructions on x86-64 (entry.ts). Given to the assembler are `bun`, where they go on, and `environ`, the
 * address of the C library's variable. rdx holds what the dynamic loader hands on.
 */
.intel_syntax noprefix
.set SYS_write, 1
.set SYS_open, 2
.set SYS_mmap, 9
.set SYS_access, 21
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

    /* The environment with recriu's own in front. The kernel's, which is in /proc/self/environ, stays as it was. */
    mov rax, [rsp + 8]
    lea r12, [rsp + rax * 8 + 24] /* behind the words and their end */
    xor ebx, ebx
count:
    inc rbx
    cmp qword ptr [r12 + rbx * 8 - 8], 0
    jne count
    xor edi, edi
    lea rsi, [rbx * 8 + 16]
    mov edx, READ_WRITE
    mov r10d, PRIVATE_ANONYMOUS
    mov r8, -1
    xor r9d, r9d
    mov eax, SYS_mmap
    syscall
    test rax, rax
    js start
    mov rdx, environment[rip]
    mov [rdx], rax
    lea rdx, compilers[rip]
    mov [rax], rdx
    lea rdx, machine[rip]
    mov [rax + 8], rdx
    lea rdi, [rax + 16]
    mov rsi, r12
    mov rcx, rbx
    rep movsq
start:
    pop rdx
    jmp qword ptr entry[rip]

narrow:
    lea rsi, tight[rip]
    mov edx, offset tight_end - tight
    jmp blocked
missing:
    lea rsi, message[rip]
    mov edx, offset end - message
blocked:
    mov edi, STDERR
    mov eax, SYS_write
    syscall
    mov edi, BLOCKED
    mov eax, SYS_exit_group
    syscall

entry:
    .quad bun
environment:
    .quad environ
.include "text.S"
