/* What the first instructions look at, set and say. */
path:
    .asciz "/proc/self/maps"
cwd:
    .asciz "/proc/self/cwd"
root:
    .asciz "/"
/* What Bun needs to start, and recriu to work: the number of a limit, where in struct rlimit it stands, the least of it. */
limits:
    .long 7, 8                  /* RLIMIT_NOFILE: up to the hard one Bun raises it */
    .quad 32
    .long 3, 0                  /* RLIMIT_STACK */
    .quad 256 << 10
    .long 9, 0                  /* RLIMIT_AS */
    .quad 4 << 30
limits_end:
compilers:                      /* the optimising ones take more from a process of this length than they give back */
    .asciz "BUN_JSC_useDFGJIT=0"
machine:                        /* as if it had 64 MiB: from a quarter of them on garbage is not let grow as large as all else */
    .asciz "BUN_JSC_forceRAMSize=67108864"
    .balign 8
criu:                           /* a word each */
    .asciz "criu"
    .zero 3
swrk:
    .asciz "swrk"
    .zero 3
restore:
    .asciz "restore"
recriu:
    .asciz "recriu-"
name:
    .ascii "RECRIU_FRONT="
name_end:
single:
    .ascii "recriu: no process can be started that would look at the checkpoint\n"
single_end:
tight:
    .ascii "recriu: its limits leave no room to start: 32 descriptors (ulimit -Hn), 256 KiB of stack (ulimit -s) and 4 GiB of addresses (ulimit -v) are needed\n"
tight_end:
message:
    .ascii "recriu: /proc is not mounted here, and nothing can be restored without it\n"
end:
