/* What is to be done, which init-program.ts writes here. The steps follow, and behind them what they point to. */
.balign 8
namespaces:
    .quad 0                     /* of clone(2): CLONE_NEW… */
taken:
    .quad 0                     /* the signals that are taken, a mask */
count:
    .quad 0                     /* steps before CRIU is started, */
later:
    .quad 0                     /* and those behind them, when recriu says so */
control:
    .long 0                     /* descriptors: recriu's words */
status:
    .long 0                     /* what is told to recriu */
first:
    .long 0                     /* the first of its own, */
last:
    .long 0                     /* and the last */
steps:
end:
