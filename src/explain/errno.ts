/** What strerror(3) says, of glibc and of musl, to the name of the errno, and what the kernel means by it. */
import { meanings } from "./errno-meanings.ts";

/** `NAME number text`; texts of musl's and bionic's own follow after bars. errno(3), asm-generic/errno.h. */
const table = `
NONE 0 Success|No error information
EPERM 1 Operation not permitted
ENOENT 2 No such file or directory|No such file
ESRCH 3 No such process
EINTR 4 Interrupted system call
EIO 5 Input/output error|I/O error
ENXIO 6 No such device or address
E2BIG 7 Argument list too long
ENOEXEC 8 Exec format error
EBADF 9 Bad file descriptor
ECHILD 10 No child processes|No child process
EAGAIN 11 Resource temporarily unavailable|Try again
ENOMEM 12 Cannot allocate memory|Out of memory
EACCES 13 Permission denied
EFAULT 14 Bad address
ENOTBLK 15 Block device required
EBUSY 16 Device or resource busy|Resource busy
EEXIST 17 File exists
EXDEV 18 Invalid cross-device link|Cross-device link
ENODEV 19 No such device
ENOTDIR 20 Not a directory
EISDIR 21 Is a directory
EINVAL 22 Invalid argument
ENFILE 23 Too many open files in system
EMFILE 24 Too many open files|No file descriptors available
ENOTTY 25 Inappropriate ioctl for device|Not a tty|Not a typewriter
ETXTBSY 26 Text file busy
EFBIG 27 File too large
ENOSPC 28 No space left on device
ESPIPE 29 Illegal seek|Invalid seek
EROFS 30 Read-only file system
EMLINK 31 Too many links
EPIPE 32 Broken pipe
EDOM 33 Numerical argument out of domain|Domain error
ERANGE 34 Numerical result out of range|Result not representable
EDEADLK 35 Resource deadlock avoided|Resource deadlock would occur
ENAMETOOLONG 36 File name too long|Filename too long
ENOLCK 37 No locks available
ENOSYS 38 Function not implemented
ENOTEMPTY 39 Directory not empty
ELOOP 40 Too many levels of symbolic links|Symbolic link loop|Too many symbolic links encountered
ENOMSG 42 No message of desired type
EIDRM 43 Identifier removed
ENODATA 61 No data available
EPROTO 71 Protocol error
EBADMSG 74 Bad message
EOVERFLOW 75 Value too large for defined data type|Value too large for data type
EBADFD 77 File descriptor in bad state
ERESTART 85 Interrupted system call should be restarted
EILSEQ 84 Invalid or incomplete multibyte or wide character|Illegal byte sequence
EUSERS 87 Too many users
ENOTSOCK 88 Socket operation on non-socket|Not a socket
EDESTADDRREQ 89 Destination address required
EMSGSIZE 90 Message too long|Message too large
EPROTOTYPE 91 Protocol wrong type for socket
ENOPROTOOPT 92 Protocol not available
EPROTONOSUPPORT 93 Protocol not supported
ESOCKTNOSUPPORT 94 Socket type not supported
EOPNOTSUPP 95 Operation not supported|Not supported|Operation not supported on transport endpoint
EPFNOSUPPORT 96 Protocol family not supported
EAFNOSUPPORT 97 Address family not supported by protocol
EADDRINUSE 98 Address already in use|Address in use
EADDRNOTAVAIL 99 Cannot assign requested address|Address not available
ENETDOWN 100 Network is down
ENETUNREACH 101 Network is unreachable|Network unreachable
ENETRESET 102 Network dropped connection on reset
ECONNABORTED 103 Software caused connection abort|Connection aborted
ECONNRESET 104 Connection reset by peer
ENOBUFS 105 No buffer space available
EISCONN 106 Transport endpoint is already connected|Socket is connected
ENOTCONN 107 Transport endpoint is not connected|Socket not connected
ESHUTDOWN 108 Cannot send after transport endpoint shutdown
ETOOMANYREFS 109 Too many references: cannot splice
ETIMEDOUT 110 Connection timed out|Operation timed out
ECONNREFUSED 111 Connection refused
EHOSTDOWN 112 Host is down
EHOSTUNREACH 113 No route to host|Host is unreachable
EALREADY 114 Operation already in progress
EINPROGRESS 115 Operation now in progress|Operation in progress
ESTALE 116 Stale file handle
EUCLEAN 117 Structure needs cleaning
EREMOTEIO 121 Remote I/O error
EDQUOT 122 Disk quota exceeded|Quota exceeded
ECANCELED 125 Operation canceled
ENOKEY 126 Required key not available
EKEYREJECTED 129 Key was rejected by service
EHWPOISON 133 Memory page has hardware error
ENOTSUPP 524 Unknown error 524
`;

export interface Errno {
  readonly name: string;
  readonly text: string;
  /** What the kernel means by it, and what to try; undefined for the rare ones. */
  readonly means: string | undefined;
  readonly remedy: string | undefined;
}

const byText = new Map<string, Errno>();
const byNumber = new Map<number, Errno>();
for (const row of table.trim().split("\n")) {
  const [, name, number, texts] = /^(\w+) (\d+) (.*)$/.exec(row)!;
  const [text, ...others] = texts!.split("|") as [string, ...string[]];
  const [means, remedy] = meanings[name!] ?? [];
  const errno: Errno = { name: name!, text, means, remedy };
  byNumber.set(Number(number), errno);
  for (const words of [text, ...others]) byText.set(words.toLowerCase(), errno);
}

export const errnoNames: ReadonlySet<string> = new Set(
  [...byNumber.values()].map(({ name }) => name),
);

/**
 * `-17`, `17`, or `0xffffffffffffffef`, as code in a restored task prints it, also without its `0x`; undefined where the number
 * is none.
 */
export function errnoOf(number: string): Errno | undefined {
  const hex = /^(?:0x)?(f{12}[0-9a-f]{4})$/i.exec(number)?.[1];
  return byNumber.get(
    hex === undefined ? Math.abs(Number(number)) : Number(-BigInt.asIntN(64, BigInt(`0x${hex}`))),
  );
}

/** More than the longest text, with what may stand behind it. */
const LONGEST = 80;

/** A message up to the words of an errno that others follow, as a sentence that quotes it has; undefined where none do. */
export function upToErrno(message: string): string | undefined {
  if (splitErrno(message).errno !== undefined) return undefined;
  let at = -1;
  for (let place = 0; place < PLACES; place += 1) {
    at = message.indexOf(": ", at + 1);
    if (at < 0) return undefined;
    const words = message.slice(at + 2, at + 2 + LONGEST).split(" ");
    for (let end = Math.min(words.length - 1, WORDS); end > 0; end -= 1) {
      const text = words
        .slice(0, end)
        .join(" ")
        .replace(/[.,;)]$/, "");
      if (byText.has(text.toLowerCase())) return message.slice(0, at + 2 + text.length);
    }
  }
  return undefined;
}
const WORDS = 8;
const PLACES = 32;

/** Those of which a line that was cut off has the first words, as a window or an excerpt ends. */
function begunAs(words: string): Errno[] {
  if (words.length < BEGUN || !/^[A-Z]/.test(words)) return [];
  const begun = words.toLowerCase();
  // "Unknown" is anybody's word.
  const found = Array.from(byText).filter(
    ([text]) => text.startsWith(begun) && !nameless.startsWith(begun),
  );
  return [...new Set(found.map(([, errno]) => errno))];
}
const nameless = "unknown error ";
/** Letters. */
const BEGUN = 3;

/** A message in front of the words of an errno, and that; the whole message where it ends in none. */
export function splitErrno(message: string): {
  said: string;
  errno: Errno | undefined;
  /** Those that a line's cut leaves possible, where it leaves several. */
  possible?: readonly Errno[];
} {
  for (let at = message.lastIndexOf(": "); at > 0; at = message.lastIndexOf(": ", at - 1)) {
    if (message.length - at > LONGEST) break;
    // Go writes it small, Rust its number behind.
    const words = message.slice(at + 2).replace(/(?: \(os error \d+\))?[.…!)\s\\'"`]*$/, "");
    const errno = byText.get(words.toLowerCase());
    const begun = errno === undefined ? begunAs(words) : [errno];
    // Of several that a line's cut leaves possible none is told.
    if (begun.length > 0)
      return begun.length === 1
        ? { said: message.slice(0, at), errno: begun[0] }
        : { said: message.slice(0, at), errno: undefined, possible: begun };
  }
  // Somebody left out what stands before it.
  const [, said = "", words = ""] = behindGap.exec(message) ?? [];
  const errno = byText.get(words.toLowerCase());
  return errno === undefined ? { said: message, errno } : { said, errno };
}
const behindGap = /^(.{1,400} (?:\.{3}|…)) ([A-Z][^:]{3,80}?)[.)\s'"`]*$/;
