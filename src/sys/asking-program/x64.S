/* The asking program (asking-program.ts) for x86-64. System calls take rdi, rsi, rdx, r10 and answer in rax. */
.intel_syntax noprefix
.set machine, 62                /* EM_X86_64 */
.set SYS_read, 0
.set SYS_open, 2
.set SYS_poll, 7
.set SYS_writev, 20
.set SYS_pause, 34
.set SYS_clone, 56
.set SYS_wait4, 61
.set SYS_kill, 62
.set SYS_setpgid, 109
.set SYS_setsid, 112
.set SYS_prctl, 157
.set SYS_exit_group, 231
.set SYS_pidfd_open, 434
.set SYS_close_range, 436
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
    lea rdi, questions[rip]
    mov esi, O_WRONLY
    mov eax, SYS_open
    syscall
    test eax, eax
    js refuse
    mov ebx, eax                /* ebx: questions */
    lea rdi, answers[rip]
    xor esi, esi                /* O_RDONLY */
    mov eax, SYS_open
    syscall
    test eax, eax
    js refuse
    mov ebp, eax                /* ebp: answers */

    /* The stack has argc, the arguments, a null, and the environment. */
    mov r12, [rsp]
    lea r12, [rsp + r12*8 + 16]
    movabs r13, 0x5f534c4f4f545243 /* "CRTOOLS_" */

    /* At a point that is not before or after -restore or -resume nothing is decided: it goes on. Without a name it is asked. */
    movabs r14, 0x415f545049524353 /* "SCRIPT_A" */
    movabs r15, 0x3d4e4f495443415f /* "_ACTION=" */
    mov rdx, r12
look:
    mov rsi, [rdx]
    add rdx, 8
    test rsi, rsi
    jz ask
    cmp [rsi], r13
    jne look
    cmp [rsi + 8], r14
    jne look
    cmp [rsi + 14], r15
    jne look
    mov eax, 0x7365722d         /* "-res" */
    cmp [rsi + 25], eax         /* pre-res… */
    je ask
    cmp [rsi + 26], eax         /* post-res… */
    jne agree

    /* In one write, so that who answers is woken once: struct iovecs on the stack, the last of them first. */
ask:
    push 1
    lea rax, newline[rip]
    push rax
    mov r14d, 1
next:
    mov rsi, [r12]
    add r12, 8
    test rsi, rsi
    jz asked
    cmp [rsi], r13
    jne next
    xor edx, edx
length:
    inc edx
    cmp byte ptr [rsi + rdx - 1], 0
    jne length
    push rdx
    push rsi
    inc r14d
    cmp r14d, IOV_MAX
    ja refuse
    jmp next
asked:
    mov edi, ebx
    mov rsi, rsp
    mov edx, r14d
    mov eax, SYS_writev
    syscall

    /* The answer: a letter, and at 4, 8 and 12 the numbers that count with the letter h. */
    push 0
    push 0
    mov edi, ebp
    mov rsi, rsp
    mov edx, 16
    xor eax, eax                /* SYS_read */
    syscall
    cmp byte ptr [rsp], 'g'
    je agree
    cmp byte ptr [rsp], 'h'
    jne refuse
    mov edi, SIGCHLD
    xor esi, esi
    mov eax, SYS_clone
    syscall
    test eax, eax
    jz keeper
    mov edi, -1
    xor esi, esi
    xor edx, edx
    xor r10d, r10d
    mov eax, SYS_wait4          /* for the one that the keeper forks for this: all is there when it ends */
    syscall
agree:
    xor edi, edi
    jmp exit
refuse:
    mov edi, 1
exit:
    mov eax, SYS_exit_group
    syscall

keeper:
    xor edi, edi
    mov esi, -1
    xor edx, edx
    mov eax, SYS_close_range
    syscall
    mov edi, [rsp + 12]
    xor esi, esi
    mov eax, SYS_pidfd_open
    syscall
    test eax, eax
    js agree                    /* the process has ended already: nothing to keep */
    mov [rsp], eax              /* a struct pollfd: fd */
    xor edi, edi
    mov esi, [rsp + 8]
    mov eax, SYS_setpgid
    syscall
    mov edi, SIGCHLD
    xor esi, esi
    mov eax, SYS_clone
    syscall
    test eax, eax
    jz member
    mov ebx, eax                /* ebx: the member */
    mov edi, eax
    mov esi, [rsp + 4]
    mov eax, SYS_setpgid
    syscall
    mov edi, CLONE_PARENT | SIGCHLD
    xor esi, esi
    mov eax, SYS_clone          /* the program's own child, which ends at once */
    syscall
    test eax, eax
    jz agree
    mov dword ptr [rsp + 4], POLLIN /* events */
    mov rdi, rsp
    mov esi, 1
    mov edx, -1
    mov eax, SYS_poll
    syscall
    mov eax, SYS_setsid
    syscall
    mov edi, ebx
    mov esi, SIGKILL
    mov eax, SYS_kill
    syscall
    jmp agree

member:
    mov edi, PR_SET_PDEATHSIG
    mov esi, SIGKILL
    mov eax, SYS_prctl
    syscall
    mov eax, SYS_pause
    syscall
    jmp member

newline:
    .ascii "\n"
questions:
    .zero 32
answers:
    .zero 32
end:
