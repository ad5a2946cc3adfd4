import { asCriu } from "../../dropin/as-criu.ts";
import { finding, report } from "../report.ts";
import { openStage, run } from "../stage.ts";
import { dumpX11 } from "../x11.ts";
import { expect, test } from "bun:test";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

test("criu-unstartable: an executable file that is no CRIU for this machine", async () => {
  await using stage = openStage();
  const { images, sockets } = await dumpX11(stage, []);
  rmSync(sockets, { recursive: true });
  const libc = "echo criu: libc.so.6: version GLIBC_9.9 not found >&2; exit 1";
  const files: [string, string, string][] = [
    ["interpreter", "#!/nowhere/criu\n", "is not there"],
    ["machine", "\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\xf3\0", "for this machine"],
    ["libc", `#!/bin/sh\n${libc}\n`, "GLIBC_9.9 not found"],
    ["processor", "#!/bin/sh\nkill -ILL $$\n", "SIGILL"],
  ];
  for (const [name, text, said] of files) {
    const file = join(stage.dir, name);
    writeFileSync(file, text, { mode: 0o755 });
    const words = ["restore", "-d", "-D", images, "-o", "r.log"];
    expect((await run(stage, ["sh", "-c", '"$@"', "sh", file, ...words])).exit).not.toBe(0);
    for (const command of ["preflight", "restore"] as const) {
      const named = await report(stage, command, images, [`--criu=${file}`]);
      expect(named).toMatchObject({ exit: 3, run: null });
      expect(finding(named, "criu-unstartable").message).toContain(said);
    }
    const asked = await asCriu(stage, words, { env: { RECRIU_CRIU: file } });
    expect(asked).toMatchObject({ exit: 1, stdout: "" });
    expect(asked.stderr).toContain("blocker[criu-unstartable]");
    expect(existsSync(sockets)).toBe(false);
  }
  expect((await report(stage, "restore", images)).exit).toBe(0);
});
