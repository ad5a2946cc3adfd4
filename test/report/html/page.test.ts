/** The page of `show --html`: whatever a name is, it is text in the same page. test/incident/page.test.ts has it in a browser. */
import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Finding } from "../../../src/checks/index.ts";
import type { Preflight } from "../../../src/plan/preflight.ts";
import { pageOf, type Shown } from "../../../src/report/html/page.ts";
import type { ShownTask } from "../../../src/show/tasks.ts";
import { sh } from "../../../src/sys/shell.ts";

const MiB = 1 << 20;

/** A page in which every text that an image, a log or a caller can give is `name`. */
function shownOf(name: string): Shown {
  const task = (pid: number, ppid: number): ShownTask => ({
    pid,
    ppid,
    pgid: pid,
    sid: pid,
    state: pid === 1 ? "alive" : name,
    command: name,
    argv: pid === 3 ? null : [name, name],
    uid: 0,
    gid: 0,
    program: name,
    cwd: name,
    root: name,
    memory: pid * MiB,
    threads: [pid, pid + 10].map((tid) => ({ tid, name, policy: name, priority: 1, nice: 1 })),
    files: [{ fd: 0, id: 7, what: name }],
  });
  const socket = {
    family: "unix",
    type: name,
    local: name,
    remote: name,
    inode: 1,
    waiting: 2,
    senders: [name],
  } as const;
  const finding: Finding = {
    id: name,
    severity: "blocker",
    task: null,
    image: `files.img id 0x7 ${name}`,
    subject: name,
    message: name,
    criu_message: name,
    isolate: null,
    apart: null,
    over: null,
    remedy: { kind: "human", text: name, command: sh`rm ${"x"}` },
  };
  const tasks = [task(1, 0), task(2, 1), task(3, 1), task(4, 2)];
  return {
    contents: {
      images: name,
      format: 2,
      architecture: name,
      container: {
        engine: "Podman",
        name,
        id: name,
        image: name,
        runtime: name,
        created: name,
        checkpointed: name,
        namespace: name,
        pod: name,
        addresses: [name],
        macs: [name],
        changed: MiB,
        mounts: [],
        annotations: { [name]: name },
      },
      statistics: null,
      written: null,
      memory: MiB,
      compressed: true,
      size: MiB,
      incremental: true,
      tasks,
      sockets: [
        { ...socket, id: 7, state: "listening", tasks: [1, 2], peers: [] },
        { ...socket, id: 8, state: "connected", tasks: [1], peers: [2] },
        { ...socket, id: 9, state: "connected", family: "inet", tasks: [3], peers: [] },
      ],
      mounts: [{ mountpoint: name, source: name, external: name }],
      cgroups: [name],
      namespaces: [name],
      terminals: [name],
      binary_formats: [name],
    },
    mappings: new Map(
      tasks.map(({ pid, memory }) => [
        pid,
        [
          { what: `1000-2000 rw-p ${name}`, from: 4096, bytes: memory, saved: memory / 2 },
          { what: "3000-4000 rw-p [heap]", from: 12288, bytes: memory, saved: memory / 2 },
        ],
      ]),
    ),
    environments: new Map([[1, [name]]]),
    looked: {
      findings: [finding],
      plan: { outcome: "blocked", unanswered: [finding] },
      criu: { version: name },
      host: { kernel: name },
    } as unknown as Preflight,
  };
}

/** All markup of a page, without its texts and the values of its attributes. */
const markupOf = (page: string): string[] =>
  page.match(/<(?:[^<>"]|"[^"<>]*")*>/g)!.map((tag) => tag.replace(/"[^"]*"/g, '""'));

const hostile = [
  "</style><script>alert(1)</script>",
  "</title></svg><img src=x onerror=alert(1)>",
  `" onmouseover="alert(1)" x="`,
  "' autofocus onfocus='alert(1)",
  "`${alert(1)}`",
  "<!--",
  "]]><![CDATA[",
  "&lt;b&gt;&#60;b&#62;",
  "javascript:alert(1)",
  "\u202emoc.elpmaxe\u2066\0\u001b[31m\ud800",
];

test("no name becomes markup, an attribute or an address", () => {
  for (const name of hostile) {
    const page = pageOf(shownOf(name));
    // Of a name as long as it, which is drawn where that is.
    const expected = markupOf(pageOf(shownOf("x".repeat(name.length))));
    expect(expected.length).toBeGreaterThan(200);
    expect([name, markupOf(page)]).toEqual([name, expected]);
    // Nothing but markup has the characters that it is made of.
    const texts = page.replace(/<style>[^]*?<\/style>/, "").replace(/<(?:[^<>"]|"[^"<>]*")*>/g, "");
    expect(texts).not.toMatch(/[<>"]/);
    expect(page).not.toMatch(/[\p{Cf}\p{Cs}]|(?!\n)\p{Cc}/u);
    const links = [...page.matchAll(/ href="([^"]*)"/g)].map(([, to]) => to!);
    expect(links.filter((to) => !/^#[a-z]+(?:-\d+)?$/.test(to))).toEqual([]);
  }
});

test("it asks for nothing and runs nothing, and its policy allows its own style alone", () => {
  const page = pageOf(shownOf("name"));
  expect(page).not.toMatch(
    /<(?:script|link|img|iframe|object|embed|form|base|use|image)\b| on\w+=| style=|url\(|@import|https?:/i,
  );
  const [, style] = /<style>([^]*?)<\/style>/.exec(page)!;
  const hash = createHash("sha256").update(style!).digest("base64");
  expect(page).toContain(
    `content="default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'"`,
  );
});

test("every value of a template stands in a text or in double quotes", () => {
  const dir = join(import.meta.dir, "../../../src/report/html");
  const wrong = readdirSync(dir)
    .filter((file) => file.endsWith(".ts"))
    .flatMap((file) => [
      ...readFileSync(join(dir, file), "utf8").matchAll(
        /=\$\{|='[^'"\n]*\$\{[^'"\n]*' *\/?>|<\/?\$\{|(?:src|href)="(?!#)/g,
      ),
    ])
    .map(([found]) => found);
  expect(wrong).toEqual([]);
});

test("a finding stands beside what it is about: tasks that have its file open, and that file", () => {
  const page = pageOf(shownOf("name"));
  const marks = page.split('href="#finding-0"').length - 1;
  // Four tasks in the tree; each in full, and its descriptor; the socket.
  expect(marks).toBe(4 + 2 * 4 + 1);
  expect(page).toContain('id="finding-0"');
  expect(page.match(/id="task-\d+"/g)).toHaveLength(4);
});

test("what cannot be looked at on this machine is said, and the rest is shown", () => {
  const page = pageOf({ ...shownOf("name"), looked: { problem: "no <images>" } });
  expect(page).toContain("A restore was not looked at: no &#60;images&#62;");
  expect(page).toContain('id="task-4"');
});

test("a checkpoint of any size is a page that a browser opens", () => {
  const shown = shownOf("name");
  const one = shown.contents.tasks[0]!;
  const tasks = Array.from({ length: 6000 }, (_, at) => ({ ...one, pid: at + 1, ppid: at }));
  const pids = tasks.map(({ pid }) => pid);
  const sockets = Array.from({ length: 1200 }, (_, at) => ({
    ...shown.contents.sockets[1]!,
    id: at + 100,
    tasks: pids.slice(0, 500),
    peers: pids.slice(500, 1000),
  }));
  const page = pageOf({ ...shown, contents: { ...shown.contents, tasks, sockets } });
  expect(page.length).toBeLessThan(24 * MiB);
  expect(page).toContain("1000 more tasks: recriu show");
  expect(page).toContain("200 more: recriu show --sockets");
});
