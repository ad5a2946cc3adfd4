import { MANIFEST } from "../../image/index.ts";
import type { Check } from "../finding.ts";

export const pageSizeDiffers: Check = {
  title: "This kernel has pages of another size",
  reads: "recriu.manifest; the size of a page, sysconf(3)",
  why:
    "CRIU counts memory in pages and has no image that says how large they were: with others it reads the wrong bytes. On arm64 a kernel is built " +
    "for pages of 4, 16 or 64 KiB; on x86-64 all have the same. Where the seal says nothing of it, nothing is compared.",
  proof: "images",
  run({ seal, checkpoint }) {
    const was = seal?.ok ? seal.manifest.host?.page_size : undefined;
    if (was === undefined || was === checkpoint.pageSize) return [];
    return [
      {
        severity: "blocker",
        image: MANIFEST,
        subject: `${was}`,
        message: `pages had ${was} bytes where it was sealed; here they have ${checkpoint.pageSize}`,
        remedy: {
          kind: "human",
          text: `restore on a kernel with pages of ${was} bytes (getconf PAGESIZE)`,
        },
      },
    ];
  },
};
