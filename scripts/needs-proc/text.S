/* What the first instructions look at and say. */
path:
    .asciz "/proc/self/maps"
cwd:
    .asciz "/proc/self/cwd"
root:
    .asciz "/"
message:
    .ascii "recriu: /proc is not mounted here, and nothing can be restored without it\n"
end:
