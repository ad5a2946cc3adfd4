import { knows } from "../../criu/index.ts";
import { cpuinfo_entry } from "../../image/tables/cpuinfo.ts";
import { sh } from "../../sys/shell.ts";
import type { Check } from "../finding.ts";

/**
 * Instruction sets by word and bit of cpuinfo_x86_entry.capability, as /proc/cpuinfo names them. Not rdseed: since Linux 6.18
 * the kernel hides it on processors of AMD that have it, as theirs is faulty; adx came with it.
 */
const instructions: readonly (readonly [word: number, bits: string])[] = [
  [
    4,
    "0:pni 1:pclmulqdq 9:ssse3 12:fma 19:sse4_1 20:sse4_2 22:movbe 23:popcnt 25:aes 28:avx 29:f16c 30:rdrand",
  ],
  [6, "5:abm 6:sse4a 11:xop 16:fma4 21:tbm"],
  [
    9,
    "0:fsgsbase 3:bmi1 4:hle 5:avx2 8:bmi2 9:erms 11:rtm 16:avx512f 17:avx512dq 19:adx 21:avx512ifma " +
      "23:clflushopt 24:clwb 28:avx512cd 29:sha_ni 30:avx512bw 31:avx512vl",
  ],
  [11, "1:avx512vbmi 8:gfni 9:vaes 10:vpclmulqdq 11:avx512_vnni"],
];

/** All of them as word, bit and name. */
const known = instructions.flatMap(([word, bits]) =>
  bits.split(" ").map((entry) => {
    const [bit, name] = entry.split(":") as [bit: string, name: string];
    return { word, bit: Number(bit), name };
  }),
);

/** And of arm64 as /proc/cpuinfo names them, which no image of CRIU has. Not evtstrm, cpuid and dgh: programs do without. */
const arm64 = new Set(
  (
    "fp asimd aes pmull sha1 sha2 crc32 atomics fphp asimdhp asimdrdm jscvt fcma lrcpc dcpop sha3 sm3 sm4 asimddp sha512 sve " +
    "asimdfhm dit uscat ilrcpc flagm ssbs sb paca pacg dcpodp sve2 sveaes svepmull svebitperm svesha3 svesm4 flagm2 frint " +
    "svei8mm svef32mm svef64mm svebf16 i8mm bf16 rng bti mte afp rpres sme sve2p1 sme2 mops hbc cssc"
  ).split(" "),
);

export const cpuFeatures: Check = {
  title: "The processor of the dump could do what this one cannot",
  reads:
    "cpuinfo.img, or what recriu.manifest says of the processor; /proc/cpuinfo, criu cpuinfo check, --cpu-cap",
  why:
    "A program asks once what the processor can do. Restored on one that can do less, it ends with SIGILL some time later. CRIU saves the " +
    "processor only in a dump with --cpu-cap, and compares it only in a restore with --cpu-cap, which needs the saved one. A kernel may " +
    "hide what its processor can do: what /proc/cpuinfo lacks CRIU is asked for, which asks the processor itself. On arm64 CRIU saves and " +
    "compares nothing, whatever --cpu-cap says: only a seal tells.",
  proof: "criu",
  answers: ["choice", "person"],
  run({ checkpoint, host, request, criu, seal }) {
    const asked = request.cpuCap !== undefined;
    const shared = { image: "cpuinfo.img" } as const;
    const onArm64 = host.architecture === "arm64";
    if (asked && !onArm64 && !checkpoint.files.has("cpuinfo.img"))
      return [
        {
          ...shared,
          severity: "blocker",
          subject: "--cpu-cap",
          message:
            "--cpu-cap compares the processor with the one of the dump, which the images do not have",
          criu_message: knows(criu?.version, "cpuinfoWords", true)
            ? "No cpuinfo image"
            : "Unexpected EOF on (empty-image)",
          remedy: {
            kind: "option",
            text: "restore without the comparison",
            option: "--cpu-cap=none",
            automatic: false,
          },
        },
      ];
    const row = /^(?:flags|Features)\s*:(.*)$/m.exec(host.read("/proc/cpuinfo") ?? "");
    if (row === null) return [];
    const here = new Set(row[1]!.trim().split(" "));
    const sealed = new Set(seal?.ok === true ? seal.manifest.cpu : []);
    const saved = onArm64 ? [] : checkpoint.values("cpuinfo.img", cpuinfo_entry);
    const capability = saved[0]?.x86_entry[0]?.capability;
    const had = ({ word, bit, name }: (typeof known)[number]) =>
      capability === undefined ? sealed.has(name) : ((capability[word] ?? 0) >>> bit) & 1;
    const before = onArm64
      ? [...sealed].filter((name) => arm64.has(name))
      : known.filter(had).map(({ name }) => name);
    const lacking = before.filter((name) => !here.has(name));
    // Where CRIU finds all of it, the kernel only hides it.
    const hidden = () => capability && criu?.cpuRefusal(checkpoint.dir).kind === "none";
    if (lacking.length === 0 || hidden()) return [];
    const compared = capability && asked && request.cpuCap.some((cap) => cap !== "fpu");
    return [
      {
        image: capability ? shared.image : "recriu.manifest",
        severity: "warning",
        subject: lacking.join(" "),
        message: `the processor ${capability ? "of the dump" : "that it was sealed on"} had ${lacking.join(", ")}, this one does not show it`,
        criu_message: compared ? "CPU instruction capabilities do not match run time" : null,
        remedy: {
          kind: "human",
          text: "restore on a machine whose processor has them, or start the programs anew",
          command: sh`grep -m1 -e ^flags -e ^Features /proc/cpuinfo`,
        },
      },
    ];
  },
};
