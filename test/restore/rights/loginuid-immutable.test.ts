import { startDumped } from "../stage/dumped.ts";
import { edit } from "../edit.ts";
import { finding, report } from "../report.ts";
import { clear, without } from "../rights.ts";
import { criu, killTree, openStage } from "../stage.ts";
import { bareUnder, reportUnder } from "../under.ts";
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";

test("loginuid-immutable: lost without a word, or refused where CRIU remembers that it could", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage);
  edit(images, `core-${pid}.img`, ([core]) => {
    core.tc.loginuid = 1234;
    const { cap_prm, cap_eff, cap_bnd } = core.thread_core.creds;
    for (const set of [cap_prm, cap_eff, cap_bnd]) clear(set, 30);
  });
  const loginuid = () => readFileSync(`/proc/${pid}/loginuid`, "utf8");
  // CRIU keeps what it knows of the kernel in /run, if that is a tmpfs.
  const asLogin = (first: string) => (command: string) => [
    "unshare",
    "--mount",
    "sh",
    "-c",
    `mount -t tmpfs none /run && ${first} && echo 4321 >/proc/self/loginuid && exec "$@"`,
    "sh",
    ...without("cap_audit_control").slice(0, 4),
    command,
  ];
  const preflight = await reportUnder(stage, asLogin("true"), "preflight", images);
  const found = finding(preflight, "loginuid-immutable");
  expect([found.severity, found.task, preflight.exit]).toEqual(["warning", pid, 0]);
  expect((await bareUnder(stage, asLogin("true"), images)).exit).toBe(0);
  expect(loginuid()).toBe("4321");
  await killTree(stage, pid);

  const remembers = asLogin(`{ '${criu}' check >/dev/null 2>&1; test -e /run/criu.kdat; }`);
  const bare = await bareUnder(stage, remembers, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(found.criu_message!);
  expect(await report(stage, "restore", images)).toMatchObject({ exit: 0, findings: [] });
  expect(loginuid()).toBe("1234");
});
