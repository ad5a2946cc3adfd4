/** Images that are missing, damaged, of another CRIU or of its plugins. */
import type { Entry } from "../entry.ts";

export const images: readonly Entry[] = [
  {
    pattern: /Unexpected EOF on \(empty-image\)|Can't open core data for|No IDS for root task/,
    check: "image-missing",
    also: ["cpu-features", "tcp-stream-missing", "no-checkpoint", "dump-failed"],
    remedy: "copy the checkpoint again, whole",
    issues: ["#1523"],
    example: "Unexpected EOF on (empty-image)",
    from: "staged",
  },
  {
    pattern: /Magic doesn't match for|Read \d+ bytes while \d+ expected|Failed unpacking object/,
    check: "image-truncated",
    remedy: "copy the checkpoint again, and compare: sha256sum",
    example: "Read 3 bytes while 12 expected on/from core-12.img",
    from: "staged",
  },
  {
    pattern:
      /Preadv .*returned 0|No pages-(?<id>\d+)\.img image|Can't read pages data|Can't read async pr bytes|Unexpected EOF reading pages/,
    check: "pages-short",
    also: ["image-parent"],
    remedy: "copy the checkpoint again, whole; a CRIU that reads for ever has to be killed",
    issues: ["#424", "PR #2899"],
    example: "No pages-1.img image",
    from: "source",
  },
  {
    pattern:
      /Can't open parent path|No parent for snapshot pagemap|Missing [0-9a-f]+ in parent pagemap/,
    check: "image-parent",
    remedy: "copy the earlier dumps too: `parent` is a link to the one before",
    example: "No parent for snapshot pagemap",
    from: "staged",
  },
  {
    pattern: /VMA-s are not sorted|Page entry address \w+ outside of VMA/,
    check: "image-vmas",
    remedy:
      "copy the whole checkpoint again; of a machine with 5-level paging: restore on one like it",
    issues: ["#706"],
    example: "Page entry address 7ffc outside of VMA",
    from: "staged",
  },
  {
    pattern: /Not supported images version|Too old image, no longer supported|Corrupted root cgset/,
    check: "image-version",
    remedy: "restore with the CRIU that dumped",
    example: "Not supported images version 9",
    from: "staged",
  },
  {
    pattern:
      /CRIU was built without LZ4|LZ4 support is required for this image chain|Image has unknown compression mode|cannot contain compressed memory pages|contains compressed pages but CRIU/,
    check: "image-compressed",
    remedy:
      "restore with a CRIU that has LZ4 (criu check --feature compress), or crit decompress a copy",
    example:
      "Image uses memory page compression but CRIU was built without LZ4 support (CONFIG_LZ4)",
    from: "staged",
  },
  {
    pattern: /Deprecated functionality \((?<what>.+)\) rejected/,
    check: "image-deprecated",
    remedy: "--deprecated",
    example: "Deprecated functionality (TTY w/o regfile) rejected.",
    from: "staged",
  },
  {
    pattern: /connect to lazy-pages\.socket failed/,
    check: "lazy-pages-socket",
    remedy: "start it first: criu lazy-pages -D DIR -W WORK",
    example: "uffd: connect to lazy-pages.socket failed: No such file or directory",
    from: "staged",
  },
  {
    pattern: /Missing required plugin: (?<plugin>\S+)/,
    check: "plugin-missing",
    remedy: "install $<plugin>, or name its directory by --libdir",
    issues: ["PR #2489", "#2521"],
    example: "Missing required plugin: cuda_plugin",
    from: "staged",
  },
  {
    pattern:
      /Unable to load (?<path>\S+\.so)|Unable to open directory (?<dir>\S+)|Corrupted plugin|Failed in init\(\d+\) of|undefined symbol: check_and_remove_inventory_plugin/,
    check: "plugin-broken",
    remedy: "a plugin of the same version as CRIU; without need of one: --libdir EMPTY-DIRECTORY",
    issues: ["#2521", "#2531"],
    example:
      "Unable to load /usr/lib/criu/cuda_plugin.so: undefined symbol: check_and_remove_inventory_plugin",
    from: "issue",
  },
  {
    pattern: /vdso: (?:ELF header magic mismatch|Invalid ELF magic)/,
    check: "pages-short",
    also: ["image-newer"],
    remedy:
      "of images of CRIU 4.2 or later an older one finds no memory: take a newer CRIU; else take another copy of the checkpoint: a restore with --auto-dedup has taken the memory out of this one",
    example: "vdso: Invalid ELF magic",
    from: "staged",
  },
  {
    pattern: /Unable to open (?<file>pages-\d+\.img): /,
    check: "auto-dedup",
    remedy: "make $<file> writable, or restore with --no-auto-dedup",
    example: "Unable to open pages-1.img: Read-only file system",
    from: "staged",
  },
  {
    pattern: /Bad number of sigactions in the image/,
    check: "sigactions-count",
    remedy: "take another copy of the checkpoint",
    example: "Bad number of sigactions in the image (3, want 62)",
    from: "staged",
  },
];
