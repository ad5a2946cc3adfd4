/*
 * What Debian's libstdc++ and libgcc, which are made for glibc, want and musl does not have: with this in the
 * place of glibc's loader they serve a program for musl, as Alpine's do.
 */
#include <stddef.h>

char __libc_single_threaded;
struct { unsigned int all[4]; } __cpu_model;

int __cpu_indicator_init(void) { return 0; }
int _dl_find_object(void *pc, void *result) { return -1; /* then libgcc asks dl_iterate_phdr */ }
unsigned int arc4random(void) { return 4; }
int __cxa_thread_atexit_impl(void (*f)(void *), void *arg, void *dso) { return 0; }

size_t strftime_l(char *, size_t, const char *, const void *, void *);
size_t __strftime_l(char *to, size_t size, const char *format, const void *time, void *locale) {
  return strftime_l(to, size, format, time, locale);
}
