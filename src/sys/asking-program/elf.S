/*
 * The headers of the program's file: one segment, of all that stands between `file` and `end` (elf(5)). `machine` is
 * the number of the processor's kind; the code begins at `start`.
 */
.set PT_LOAD, 1
.set PF_X, 1
.set PF_R, 4
.set ADDRESS, 0x400000          /* where it is mapped: a multiple of every page size */

file:
    .ascii "\177ELF"
    .byte 2, 1, 1               /* 64 bits, little-endian, version */
    .zero 9
    .short 2                    /* e_type: ET_EXEC */
    .short machine              /* e_machine */
    .long 1                     /* e_version */
    .quad ADDRESS + start - file /* e_entry */
    .quad headers - file        /* e_phoff */
    .quad 0                     /* e_shoff: there are no sections */
    .long 0                     /* e_flags */
    .short headers - file       /* e_ehsize */
    .short start - headers      /* e_phentsize */
    .short 1                    /* e_phnum */
    .short 0, 0, 0              /* of sections */
headers:
    .long PT_LOAD               /* p_type */
    .long PF_R | PF_X           /* p_flags */
    .quad 0                     /* p_offset */
    .quad ADDRESS, ADDRESS      /* p_vaddr, p_paddr */
    .quad end - file, end - file /* p_filesz, p_memsz */
    .quad 0x10000               /* p_align */
