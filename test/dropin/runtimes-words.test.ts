/** What a finding says of paths, whatever names are in them. */
import { expect, test } from "bun:test";
import { type Finding, named } from "../../src/checks/finding.ts";
import type { Request } from "../../src/criu/index.ts";
import { inRuntimesWords } from "../../src/dropin/runtimes-words.ts";
import { sh } from "../../src/sys/shell.ts";

const told = (root: string | undefined, message: string, path: string) =>
  inRuntimesWords(
    [
      named("file-missing", {
        severity: "blocker",
        image: "files.img",
        subject: path,
        message,
        remedy: { kind: "human", text: `make ${path}`, command: sh`touch ${path}` },
      }),
    ],
    { root } as Request,
  )[0]!;

test("paths below the root are the container's, and no others; the root may have any name", () => {
  for (const root of ["/b/rootfs", "/b/r[o]{2}t.*+?(fs|x)^$\\d", "/b/a root"]) {
    const found = told(root, `${root}/tmp/x: gone; '${root}/y', /a${root}/z`, `${root}/tmp/x`);
    expect(found.message).toBe(
      `/tmp/x: gone; '/y', /a${root}/z (in the container, whose root is ${root})`,
    );
    expect([found.subject, found.remedy.text]).toEqual(["/tmp/x", "make /tmp/x"]);
    expect(found.remedy.command).toBe(sh`touch ${`${root}/tmp/x`}`);
  }
});

test("of what is elsewhere, and of a root that is this machine's, nothing changes", () => {
  for (const root of [undefined, "/", "/b/rootfs"]) {
    const found = told(root, "/srv/data: gone", "/srv/data");
    expect([found.message, found.remedy.text]).toEqual(["/srv/data: gone", "make /srv/data"]);
  }
});

test("a command that is a restore is nobody's to type: the runtime restores", () => {
  const remedies: Finding["remedy"][] = [
    { kind: "human", text: "name it", command: sh`recriu restore -D ${"/tmp/ctrd-1"} 9<x` },
    { kind: "human", text: "name it", command: sh`script -qec ${sh`recriu restore`} /dev/null` },
    {
      kind: "variable",
      text: "do without",
      command: sh`CRIU_FAULT=130 criu restore -D ${"/tmp/ctrd-1"}`,
      variable: "CRIU_FAULT=130",
    },
    { kind: "human", text: "name it", command: sh`touch ${"/srv/criu restore"}` },
  ];
  const shown = inRuntimesWords(
    remedies.map((remedy) =>
      named("file-missing", { severity: "blocker", image: "", subject: "", message: "", remedy }),
    ),
    {} as Request,
  );
  expect(shown.map(({ remedy }) => [remedy.text, remedy.command])).toEqual([
    ["name it", null],
    ["name it", null],
    ["do without: CRIU_FAULT=130 in the runtime's environment", null],
    ["name it", sh`touch ${"/srv/criu restore"}`],
  ]);
});
