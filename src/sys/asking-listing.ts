/**
 * What the asking program (asking-program.ts) does, by architecture: the bytes, and behind them the words that an
 * assembler makes them of. The two paths stand behind the code, 32 bytes each: questions, answers.
 *
 * Both files are opened before anything is asked: who answers may end at once, and the answer is there all the same. It
 * has up to 16 bytes: a letter, and at 4, 8 and 12 three numbers that count with the letter h. Then two processes are
 * left behind, the keeper and a member. The member is put into the process group (4), the keeper into one outside it (8),
 * and when the process at 12 has ended, the keeper leaves the session and both end. All of it is there before the program
 * itself ends: of those that the keeper forks, one is the program's child, and ends at once.
 */

const x64 = `
  48 8d 3d 88 01 00 00                     lea rdi, questions[rip]
  be 01 00 00 00                           mov esi, 1
  b8 02 00 00 00                           mov eax, 2
  0f 05                                    syscall
  85 c0                                    test eax, eax
  0f 88 b3 00 00 00                        js refuse
  89 c3                                    mov ebx, eax
  48 8d 3d 8b 01 00 00                     lea rdi, answers[rip]
  31 f6                                    xor esi, esi
  b8 02 00 00 00                           mov eax, 2
  0f 05                                    syscall
  85 c0                                    test eax, eax
  0f 88 99 00 00 00                        js refuse
  89 c5                                    mov ebp, eax
  4c 8b 24 24                              mov r12, [rsp]
  4e 8d 64 e4 10                           lea r12, [rsp+r12*8+16]
  49 bd 43 52 54 4f 4f 4c 53 5f            movabs r13, 0x5f534c4f4f545243
  49 8b 34 24                     next:    mov rsi, [r12]
  49 83 c4 08                              add r12, 8
  48 85 f6                                 test rsi, rsi
  74 1b                                    jz asked
  4c 39 2e                                 cmp [rsi], r13
  75 ee                                    jne next
  31 d2                                    xor edx, edx
  ff c2                           length:  inc edx
  80 7c 16 ff 00                           cmp byte ptr [rsi+rdx-1], 0
  75 f7                                    jne length
  89 df                                    mov edi, ebx
  b8 01 00 00 00                           mov eax, 1
  0f 05                                    syscall
  eb d8                                    jmp next
  48 8d 35 15 01 00 00            asked:   lea rsi, newline[rip]
  ba 01 00 00 00                           mov edx, 1
  89 df                                    mov edi, ebx
  b8 01 00 00 00                           mov eax, 1
  0f 05                                    syscall
  6a 00                                    push 0
  6a 00                                    push 0
  89 ef                                    mov edi, ebp
  48 89 e6                                 mov rsi, rsp
  ba 10 00 00 00                           mov edx, 16
  31 c0                                    xor eax, eax
  0f 05                                    syscall
  80 3c 24 67                              cmp byte ptr [rsp], 0x67
  74 2b                                    je agree
  80 3c 24 68                              cmp byte ptr [rsp], 0x68
  75 29                                    jne refuse
  bf 11 00 00 00                           mov edi, 17
  31 f6                                    xor esi, esi
  b8 38 00 00 00                           mov eax, 56
  0f 05                                    syscall
  85 c0                                    test eax, eax
  74 23                                    jz keeper
  bf ff ff ff ff                           mov edi, -1
  31 f6                                    xor esi, esi
  31 d2                                    xor edx, edx
  45 31 d2                                 xor r10d, r10d
  b8 3d 00 00 00                           mov eax, 61
  0f 05                                    syscall
  31 ff                           agree:   xor edi, edi
  eb 05                                    jmp exit
  bf 01 00 00 00                  refuse:  mov edi, 1
  b8 e7 00 00 00                  exit:    mov eax, 231
  0f 05                                    syscall
  31 ff                           keeper:  xor edi, edi
  be ff ff ff ff                           mov esi, -1
  31 d2                                    xor edx, edx
  b8 b4 01 00 00                           mov eax, 436
  0f 05                                    syscall
  8b 7c 24 0c                              mov edi, [rsp+12]
  31 f6                                    xor esi, esi
  b8 b2 01 00 00                           mov eax, 434
  0f 05                                    syscall
  85 c0                                    test eax, eax
  78 cf                                    js agree
  89 04 24                                 mov [rsp], eax
  31 ff                                    xor edi, edi
  8b 74 24 08                              mov esi, [rsp+8]
  b8 6d 00 00 00                           mov eax, 109
  0f 05                                    syscall
  bf 11 00 00 00                           mov edi, 17
  31 f6                                    xor esi, esi
  b8 38 00 00 00                           mov eax, 56
  0f 05                                    syscall
  85 c0                                    test eax, eax
  74 57                                    jz member
  89 c3                                    mov ebx, eax
  89 c7                                    mov edi, eax
  8b 74 24 04                              mov esi, [rsp+4]
  b8 6d 00 00 00                           mov eax, 109
  0f 05                                    syscall
  bf 11 80 00 00                           mov edi, 0x8011
  31 f6                                    xor esi, esi
  b8 38 00 00 00                           mov eax, 56
  0f 05                                    syscall
  85 c0                                    test eax, eax
  74 8c                                    jz agree
  c7 44 24 04 01 00 00 00                  mov dword ptr [rsp+4], 1
  48 89 e7                                 mov rdi, rsp
  be 01 00 00 00                           mov esi, 1
  ba ff ff ff ff                           mov edx, -1
  b8 07 00 00 00                           mov eax, 7
  0f 05                                    syscall
  b8 70 00 00 00                           mov eax, 112
  0f 05                                    syscall
  89 df                                    mov edi, ebx
  be 09 00 00 00                           mov esi, 9
  b8 3e 00 00 00                           mov eax, 62
  0f 05                                    syscall
  e9 56 ff ff ff                           jmp agree
  bf 01 00 00 00                  member:  mov edi, 1
  be 09 00 00 00                           mov esi, 9
  b8 9d 00 00 00                           mov eax, 157
  0f 05                                    syscall
  b8 22 00 00 00                           mov eax, 34
  0f 05                                    syscall
  eb e6                                    jmp member
  0a                              newline: .byte 10
`;

const arm64 = `
  60 0c 80 92                        mov x0, #-100
  01 0f 00 10                        adr x1, questions
  22 00 80 d2                        mov x2, #1
  08 07 80 d2                        mov x8, #56
  01 00 00 d4                        svc #0
  e0 06 f8 37                        tbnz w0, #31, refuse
  f3 03 00 2a                        mov w19, w0
  60 0c 80 92                        mov x0, #-100
  21 0f 00 10                        adr x1, answers
  02 00 80 d2                        mov x2, #0
  08 07 80 d2                        mov x8, #56
  01 00 00 d4                        svc #0
  00 06 f8 37                        tbnz w0, #31, refuse
  f6 03 00 2a                        mov w22, w0
  f4 03 40 f9                        ldr x20, [sp]
  f4 6f 34 8b                        add x20, sp, x20, uxtx #3
  94 42 00 91                        add x20, x20, #16
  d5 0c 00 58                        ldr x21, crtools
  81 86 40 f8               next:    ldr x1, [x20], #8
  81 01 00 b4                        cbz x1, asked
  23 00 40 f9                        ldr x3, [x1]
  7f 00 15 eb                        cmp x3, x21
  81 ff ff 54                        b.ne next
  02 00 80 d2                        mov x2, #0
  23 68 62 38               length:  ldrb w3, [x1, x2]
  42 04 00 91                        add x2, x2, #1
  c3 ff ff 35                        cbnz w3, length
  e0 03 13 2a                        mov w0, w19
  08 08 80 d2                        mov x8, #64
  01 00 00 d4                        svc #0
  f4 ff ff 17                        b next
  e1 0a 00 10               asked:   adr x1, newline
  22 00 80 d2                        mov x2, #1
  e0 03 13 2a                        mov w0, w19
  08 08 80 d2                        mov x8, #64
  01 00 00 d4                        svc #0
  ff 7f bf a9                        stp xzr, xzr, [sp, #-16]!
  e0 03 16 2a                        mov w0, w22
  e1 03 00 91                        mov x1, sp
  02 02 80 d2                        mov x2, #16
  e8 07 80 d2                        mov x8, #63
  01 00 00 d4                        svc #0
  e3 03 40 39                        ldrb w3, [sp]
  7f 9c 01 71                        cmp w3, #0x67
  c0 01 00 54                        b.eq agree
  7f a0 01 71                        cmp w3, #0x68
  c1 01 00 54                        b.ne refuse
  20 02 80 d2                        mov x0, #17
  01 00 80 d2                        mov x1, #0
  88 1b 80 d2                        mov x8, #220
  01 00 00 d4                        svc #0
  80 01 00 b4                        cbz x0, keeper
  00 00 80 92                        mov x0, #-1
  01 00 80 d2                        mov x1, #0
  02 00 80 d2                        mov x2, #0
  03 00 80 d2                        mov x3, #0
  88 20 80 d2                        mov x8, #260
  01 00 00 d4                        svc #0
  00 00 80 52               agree:   mov w0, #0
  02 00 00 14                        b exit
  20 00 80 52               refuse:  mov w0, #1
  c8 0b 80 d2               exit:    mov x8, #94
  01 00 00 d4                        svc #0
  00 00 80 d2               keeper:  mov x0, #0
  01 00 80 12                        mov w1, #-1
  02 00 80 d2                        mov x2, #0
  88 36 80 d2                        mov x8, #436
  01 00 00 d4                        svc #0
  e0 0f 40 b9                        ldr w0, [sp, #12]
  01 00 80 d2                        mov x1, #0
  48 36 80 d2                        mov x8, #434
  01 00 00 d4                        svc #0
  40 fe ff 37                        tbnz w0, #31, agree
  e0 03 00 b9                        str w0, [sp]
  00 00 80 d2                        mov x0, #0
  e1 0b 40 b9                        ldr w1, [sp, #8]
  48 13 80 d2                        mov x8, #154
  01 00 00 d4                        svc #0
  20 02 80 d2                        mov x0, #17
  01 00 80 d2                        mov x1, #0
  88 1b 80 d2                        mov x8, #220
  01 00 00 d4                        svc #0
  20 03 00 b4                        cbz x0, member
  f3 03 00 2a                        mov w19, w0
  e1 07 40 b9                        ldr w1, [sp, #4]
  48 13 80 d2                        mov x8, #154
  01 00 00 d4                        svc #0
  20 02 90 d2                        mov x0, #0x8011
  01 00 80 d2                        mov x1, #0
  88 1b 80 d2                        mov x8, #220
  01 00 00 d4                        svc #0
  e0 fb ff b4                        cbz x0, agree
  20 00 80 52                        mov w0, #1
  e0 07 00 b9                        str w0, [sp, #4]
  e0 03 00 91                        mov x0, sp
  21 00 80 d2                        mov x1, #1
  02 00 80 d2                        mov x2, #0
  03 00 80 d2                        mov x3, #0
  28 09 80 d2                        mov x8, #73
  01 00 00 d4                        svc #0
  a8 13 80 d2                        mov x8, #157
  01 00 00 d4                        svc #0
  e0 03 13 2a                        mov w0, w19
  21 01 80 d2                        mov x1, #9
  28 10 80 d2                        mov x8, #129
  01 00 00 d4                        svc #0
  d0 ff ff 17                        b agree
  20 00 80 d2               member:  mov x0, #1
  21 01 80 d2                        mov x1, #9
  e8 14 80 d2                        mov x8, #167
  01 00 00 d4                        svc #0
  00 00 80 d2               wait:    mov x0, #0
  01 00 80 d2                        mov x1, #0
  02 00 80 d2                        mov x2, #0
  03 00 80 d2                        mov x3, #0
  28 09 80 d2                        mov x8, #73
  01 00 00 d4                        svc #0
  fa ff ff 17                        b wait
  0a 00 00 00               newline: .byte 10,0,0,0
  43 52 54 4f 4f 4c 53 5f   crtools: .ascii "CRTOOLS_"
`;

export const listings: Partial<
  Record<NodeJS.Architecture, { readonly machine: number; readonly code: string }>
> = {
  x64: { machine: 62, code: x64 },
  arm64: { machine: 183, code: arm64 },
};
